"""An expression, compiled: source text in, functions of (input, environment, fuel) out."""

from automations.engine.dsl.jq.errors import ExpressionSyntaxError
from automations.engine.dsl.jq.generating.program import Every, One, build
from automations.engine.dsl.jq.reading.parser import parse
from automations.engine.dsl.jq.reading.scope import NOW, Scope


class Expression:
    """A compiled expression; any number of threads may use it at a time.

    `one(value, env, fuel=None)` gives the one result and raises ExpressionError for none or several;
    `all(value, env, fuel=None)` gives a list. `env` must hold all `variables`, and `__now__` (seconds since 1970) if
    the expression is `volatile`. Results may share parts with the input: neither may be changed in place.
    """

    __slots__ = ("all", "one", "source", "variables", "volatile")

    def __init__(self, source: str, used: frozenset[str], one: One, every: Every) -> None:
        self.source = source
        self.variables = used - {NOW}
        self.volatile = NOW in used
        self.one = one
        self.all = every

    def __repr__(self) -> str:
        return f"<Expression {self.source!r}>"


def compile(source: str, variables: frozenset[str] | set[str]) -> Expression:  # noqa: A001 - as `re.compile`
    """`source` as an Expression that may use `variables` (names without `$`). Raises ExpressionSyntaxError."""
    scope = Scope(variables)
    try:
        tree = parse(source, scope)
        one, every = build(tree, scope.used.values())
    except RecursionError:
        raise ExpressionSyntaxError("the expression nests too deeply", source) from None
    return Expression(source, frozenset(scope.used), one, every)
