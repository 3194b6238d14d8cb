"""Expressions and templates of a document, compiled: functions of (input, arguments).

A field that is an expression by its type (`if`, `when`, `in`, `from`, …) may be written bare or as `${ … }`. Every
other field is data, in which a text that is `${ … }` as a whole is evaluated; data that comes in at run time never is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from automations.engine.dsl import jq
from automations.engine.errors import WorkflowError

Json = Any
Arguments = Mapping[str, Json]
Evaluate = Callable[[Json, Arguments], Json]
Test = Callable[[Json, Arguments], bool]

WHOLE: Final = re.compile(r"^\s*\$\{(.*)\}\s*$", re.DOTALL)
_PART: Final = re.compile(r"\$\{.*?\}", re.DOTALL)
NOW: Final = "__now__"
"""The argument that carries the present in seconds, for expressions that use `now`."""
STANDARD: Final = frozenset({"context", "input", "secrets", "authorization", "task", "workflow", "runtime"})
AT_START: Final = frozenset({"secrets", "workflow", "runtime"})
"""What the workflow's own `input.from` knows: there is no context yet, and no input but its `.`."""


class BadExpression(ValueError):
    """An expression that cannot be compiled; `pointer` is its place inside the template it stands in."""

    pointer = ""
    rule = "expression"


def source_of(text: str) -> str:
    """The expression inside `${ … }`, or `text` itself."""
    match = WHOLE.match(text)
    return match.group(1).strip() if match else text.strip()


def _secret() -> BadExpression:
    error = BadExpression(
        "$secrets cannot be read by an expression, whose results people can see; let the call prove who it is by"
        " `authentication: {bearer: {use: …}}` with the name of a connection."
    )
    error.rule = "secret-in-expression"
    return error


class Compiler:
    """Compiles the expressions of one place in a document; remembers which arguments they use."""

    def __init__(self, names: frozenset[str] = STANDARD) -> None:
        self.names = names
        self.used: set[str] = set()

    def with_names(self, *more: str) -> "Compiler":
        """A compiler for a place where `more` variables are known; what it sees is remembered here, too."""
        inner = Compiler(self.names | set(more))
        inner.used = self.used
        return inner

    def known(self, names: frozenset[str]) -> "Compiler":
        """A compiler for a place where only `names` are known; what it uses is remembered here."""
        inner = Compiler(names)
        inner.used = self.used
        return inner

    def without_names(self) -> "Compiler":
        """A compiler for a place that sees none of the variables around it; what it uses is remembered here."""
        inner = Compiler()
        inner.used = self.used
        return inner

    def expression(self, text: str) -> Evaluate:
        """A function that gives the one result of the expression. Raises BadExpression."""
        try:
            compiled = jq.compile(source_of(text), self.names)
        except jq.ExpressionSyntaxError as error:
            raise BadExpression(str(error)) from None
        if "secrets" in compiled.variables:
            raise _secret()
        self.used |= compiled.variables
        if compiled.volatile:
            self.used.add(NOW)
        one = compiled.one

        def evaluate(value: Json, arguments: Arguments) -> Json:
            try:
                return one(value, arguments)
            except jq.OutOfFuel as error:
                raise WorkflowError("expression", str(error), code="limit_fuel", limit="fuel") from None
            except jq.ExpressionError as error:
                raise WorkflowError("expression", str(error)) from None

        return evaluate

    def test(self, text: str) -> Test:
        """A function that tells whether the result is neither false nor null. Raises BadExpression."""
        evaluate = self.expression(text)

        def test(value: Json, arguments: Arguments) -> bool:
            result = evaluate(value, arguments)
            return result is not None and result is not False

        return test

    def template(self, value: Json) -> Evaluate:
        """A function that gives `value` with its `${ … }` texts evaluated. Raises BadExpression."""
        if isinstance(value, str):
            if WHOLE.match(value):
                return self.expression(value)
            if _PART.search(value):
                raise BadExpression(
                    f'{value!r} has an expression in the middle of a text; use ${{ "… \\(.x) …" }}'
                )
        if not has_expressions(value):
            return lambda _input, _arguments: value
        if isinstance(value, dict):
            return self._object(value)
        return self._array(value)

    def _object(self, value: dict[str, Json]) -> Evaluate:
        parts = [(key, self._part(key, item)) for key, item in value.items()]

        def build(given: Json, arguments: Arguments) -> Json:
            return {key: part(given, arguments) for key, part in parts}

        return build

    def _array(self, value: list[Json]) -> Evaluate:
        parts = [self._part(number, item) for number, item in enumerate(value)]

        def build(given: Json, arguments: Arguments) -> Json:
            return [part(given, arguments) for part in parts]

        return build

    def _part(self, place: str | int, value: Json) -> Evaluate:
        try:
            return self.template(value)
        except BadExpression as error:
            error.pointer = f"/{place}{error.pointer}"
            raise

    def expression_or_template(self, value: Json) -> Evaluate:
        """`from`, `as` and the like: a text is an expression, anything else a template."""
        return self.expression(value) if isinstance(value, str) else self.template(value)


def has_expressions(value: Json) -> bool:
    """Whether `value` holds a text with `${`, at any depth."""
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, dict):
        return any(has_expressions(item) for item in value.values())
    if isinstance(value, list):
        return any(has_expressions(item) for item in value)
    return False
