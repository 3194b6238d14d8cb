"""Code for operators and conditions."""

from typing import Final

from automations.engine.dsl.jq.generating.generator import CAUGHT, Generator, generates
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import (
    Chain,
    Comma,
    Compare,
    Default,
    Empty,
    If,
    Literal,
    Logic,
    Negate,
    Node,
    Pipe,
    Try,
)

ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@generates(Pipe, paths=True)
def pipe(to: Generator, node: Pipe, cursor: Cursor, then: Then) -> None:
    _stages(to, node.stages, cursor, then)


def _stages(to: Generator, stages: list[Node], cursor: Cursor, then: Then) -> None:
    left = list(stages)
    while left and cursor.path is None and to.shapes.single(left[0]):
        cursor = Cursor(to.value(left.pop(0), cursor))
    if not left:
        then(cursor)
    elif len(left) == 1:
        to.run(left[0], cursor, then)
    elif len(left) > 8 and to.out.blocks > 4:
        to.spill(Pipe(left[0].position, left), cursor, then)
    else:
        to.run(left[0], cursor, Then(lambda found: _stages(to, left[1:], found, then)))


@generates(Comma, paths=True)
def comma(to: Generator, node: Comma, cursor: Cursor, then: Then) -> None:
    def write(following: Then) -> None:
        for item in node.items:
            to.run(item, cursor, following)

    to.once(node, cursor, then, write)


@generates(Negate)
def negate(to: Generator, node: Negate, cursor: Cursor, then: Then) -> None:
    if isinstance(node.operand, Literal) and node.operand.value.__class__ in (int, float):
        then(Cursor(to.assign(to.constant(-node.operand.value))))
        return
    to.run(node.operand, cursor, Then(lambda found: then(Cursor(to.assign(f"negate(fuel, {found.value})")))))


@generates(Chain)
def chain(to: Generator, node: Chain, cursor: Cursor, then: Then) -> None:
    """The last operand is evaluated first."""
    operators = [operator for operator, _ in node.rest]
    nodes = [node.first, *(item for _, item in node.rest)]

    def write(found: list[str]) -> None:
        *names, result = found
        for operator in operators:
            result = to.assign(f"{ARITHMETIC[operator]}(fuel, {result}, {names.pop()})")
        then(Cursor(result))

    to.values(nodes[::-1], cursor, write)


def _equality(name: str, value: object) -> str:
    """A condition: whether what is called `name` equals a scalar known by now."""
    if value is None or value is True or value is False:
        return f"{name} is {value!r}"
    if value.__class__ is not str and value in (0, 1):
        return f"({name} == {value!r} and {name}.__class__ is not bool)"
    return f"{name} == {value!r}"


def _order(operator: str, left: str, right: str) -> str:
    """A condition for two values of any kind."""
    if operator in ("<", ">="):
        return f"{'' if operator == '<' else 'not '}less(fuel, {left}, {right})"
    return f"{'' if operator == '<=' else 'not '}at_most(fuel, {left}, {right})"


def _order_to(operator: str, name: str, value: object, otherwise: str) -> str:
    """A condition for what is called `name` and a number or text known by now.

    NaN comes before all numbers, so `<` is written as not `>=`, which is false for it.
    """
    constant = repr(value)
    quick = {
        "<": f"not {name} >= {constant}",
        "<=": f"not {name} > {constant}",
        ">": f"{name} > {constant}",
        ">=": f"{name} >= {constant}",
    }[operator]
    kinds = f"{name}.__class__ is str"
    if value.__class__ is not str:
        kinds = f"{name}.__class__ is float or {name}.__class__ is int"
    return f"({quick}) if {kinds} else {otherwise}"


def comparison(operator: str, left: Node, right: Node, left_name: str, right_name: str) -> str:
    """The Python condition for a comparison, the quicker the more is known."""
    name, known, mirrored = left_name, _scalar(right), operator
    if isinstance(left, Literal) and isinstance(right, Literal):
        known = None
    elif known is None:
        name, known, mirrored = right_name, _scalar(left), _MIRRORED.get(operator, operator)
    if operator in ("==", "!="):
        same = f"equal(fuel, {left_name}, {right_name})" if known is None else _equality(name, known.value)
        return same if operator == "==" else f"not {same}"
    otherwise = _order(operator, left_name, right_name)
    if known is None or known.value.__class__ not in (int, float, str):
        return otherwise
    return _order_to(mirrored, name, known.value, otherwise)


def _scalar(node: Node) -> Literal | None:
    """`node` if it is a literal short enough to be written out."""
    if isinstance(node, Literal) and (node.value.__class__ is not str or len(node.value) < 200):
        return node
    return None


@generates(Compare)
def compare(to: Generator, node: Compare, cursor: Cursor, then: Then) -> None:
    """The right operand is evaluated first."""

    def write(found: list[str]) -> None:
        right, left = found
        test = comparison(node.operator, node.left, node.right, left, right)
        then(Cursor(to.assign(test, boolean=True)))

    to.values([node.right, node.left], cursor, write)


@generates(Logic)
def logic(to: Generator, node: Logic, cursor: Cursor, then: Then) -> None:
    if not to.shapes.single(node):
        to.once(
            node, cursor, then, lambda following: _branches(to, node.operator, node.items, cursor, following)
        )
        return
    result = to.assign(to.truth(to.value(node.items[0], cursor)), boolean=True)
    indent = to.out.indent
    for item in node.items[1:]:
        to.out.line(f"if {result}:" if node.operator == "and" else f"if not {result}:")
        to.out.indent += 1
        to.out.line(f"{result} = {to.truth(to.value(item, cursor))}")
        to.out.indent = indent
    then(Cursor(result))


def _branches(to: Generator, operator: str, items: list[Node], cursor: Cursor, then: Then) -> None:
    """`and` and `or` with many results: each result on the left that does not decide asks the right."""

    def decide(found: Cursor) -> None:
        truth = to.truth(found.value)
        if len(items) == 1:
            then(Cursor(to.assign(truth, boolean=True)))
            return
        with to.out.block(f"if {truth}:"):
            ask_or_answer(asks=operator == "and", answer="True")
        with to.out.block("else:"):
            ask_or_answer(asks=operator == "or", answer="False")

    def ask_or_answer(*, asks: bool, answer: str) -> None:
        if asks:
            _branches(to, operator, items[1:], cursor, then)
        else:
            then(Cursor(to.assign(answer, boolean=True)))

    to.run(items[0], Cursor(cursor.value), Then(decide))


@generates(If, paths=True)
def condition(to: Generator, node: If, cursor: Cursor, then: Then) -> None:
    if cursor.path is None and to.shapes.single(node):
        result = to.name()
        with to.out.block(f"if {to.truth(to.value(node.test, cursor))}:"):
            to.out.line(f"{result} = {to.value(node.yes, cursor)}")
        with to.out.block("else:"):
            to.out.line(f"{result} = {to.value(node.no, cursor)}")
        then(Cursor(result))
        return
    if _is_select(node):
        to.run(node.test, Cursor(cursor.value), Then(lambda found: _guard(to, node, found, cursor, then)))
        return
    to.once(node, cursor, then, lambda following: _both(to, node, cursor, following))


def _is_select(node: If) -> bool:
    """Whether only one branch has results, so that what follows is written once."""
    return isinstance(node.no, Empty) or isinstance(node.yes, Empty)


def _guard(to: Generator, node: If, found: Cursor, cursor: Cursor, then: Then) -> None:
    keeps = isinstance(node.no, Empty)
    truth = to.truth(found.value)
    with to.out.block(f"if {truth}:" if keeps else f"if not {truth}:"):
        to.run(node.yes if keeps else node.no, cursor, then)


def _both(to: Generator, node: If, cursor: Cursor, then: Then) -> None:
    def decide(found: Cursor) -> None:
        with to.out.block(f"if {to.truth(found.value)}:"):
            to.run(node.yes, cursor, then)
        with to.out.block("else:"):
            to.run(node.no, cursor, then)

    to.run(node.test, Cursor(cursor.value), Then(decide))


@generates(Default, paths=True)
def default(to: Generator, node: Default, cursor: Cursor, then: Then) -> None:
    if cursor.path is not None or not to.shapes.single(node):
        to.once(node, cursor, then, lambda following: _first_of(to, node.items, cursor, following))
        return
    result = to.assign(to.value(node.items[0], cursor))
    indent = to.out.indent
    for item in node.items[1:]:
        to.out.line(f"if {result} is None or {result} is False:")
        to.out.indent += 1
        to.out.line(f"{result} = {to.value(item, cursor)}")
        to.out.indent = indent
    then(Cursor(result))


def _first_of(to: Generator, items: list[Node], cursor: Cursor, then: Then) -> None:
    """All results of the first item that has any but false and null; of the last item all."""
    if len(items) == 1:
        to.run(items[0], cursor, then)
        return
    none = to.assign("True", boolean=True)

    def take(found: Cursor) -> None:
        with to.out.block(f"if {to.truth(found.value)}:"):
            to.out.line(f"{none} = False")
            then(found)

    to.run(items[0], cursor, Then(take))
    with to.out.block(f"if {none}:"):
        _first_of(to, items[1:], cursor, then)


@generates(Try, paths=True)
def attempt(to: Generator, node: Try, cursor: Cursor, then: Then) -> None:
    if cursor.path is None and to.shapes.single(node.body):
        _attempt_one(to, node, cursor, then)
    else:
        to.once(node, cursor, then, lambda following: _attempt_many(to, node, cursor, following))


def _attempt_one(to: Generator, node: Try, cursor: Cursor, then: Then) -> None:
    result, failure = to.name(), to.name()
    if node.handler is not None and not to.shapes.single(node.handler):
        to.once(node, cursor, then, lambda following: _attempt_many(to, node, cursor, following))
        return
    with to.out.block("try:"):
        to.out.line(f"{result} = {to.value(node.body, cursor)}")
    if node.handler is None:
        with to.out.block("except Raised:"):
            to.out.line(CAUGHT)
        with to.out.block("else:"):
            then(Cursor(result))
        return
    with to.out.block("except Raised as error:"):
        to.out.line(CAUGHT)
        to.out.line(f"{failure} = error.value")
        to.out.line(f"{result} = {to.value(node.handler, Cursor(failure))}")
    then(Cursor(result))


def _attempt_many(to: Generator, node: Try, cursor: Cursor, then: Then) -> None:
    """`then` cannot fail, so what is caught comes from the body."""
    failure = to.assign("None")
    with to.out.block("try:"):
        to.run(node.body, cursor, then)
    with to.out.block("except Raised as error:"):
        to.out.line(CAUGHT)
        if node.handler:
            to.out.line(f"{failure} = error")
    if node.handler:
        with to.out.block(f"if {failure} is not None:"):
            caught = to.assign(f"{failure}.value")
            to.run(node.handler, cursor._replace(value=caught), then)
