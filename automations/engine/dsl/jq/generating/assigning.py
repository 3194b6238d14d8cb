"""Code for assignments: the paths on the left are written to a draft, one after the other."""

from automations.engine.dsl.jq.generating.generator import Generator, generates
from automations.engine.dsl.jq.generating.operators import ARITHMETIC
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import Assign, Node


def path_of(to: Generator, cursor: Cursor) -> str:
    """The name of the path that a path expression ended with."""
    if cursor.value == cursor.anchor and not cursor.loose:
        return str(cursor.path)
    return to.assign(f"ended({to.pair(cursor).partition(', ')[2]}, {cursor.value})")


def each_path(to: Generator, node: Node, value: str, write: Then) -> None:
    """Writes the code that goes through the paths of `node` in `value`."""
    to.run(node, Cursor(value, "()", value), write)


@generates(Assign)
def assign(to: Generator, node: Assign, cursor: Cursor, then: Then) -> None:
    if node.operator == "|=":
        draft = to.assign(f"Draft(fuel, {cursor.value})")
        each_path(to, node.target, cursor.value, Then(lambda found: _update(to, node.value, found, draft)))
        then(Cursor(to.assign(f"{draft}.result()")))
        return
    to.run(node.value, cursor, Then(lambda found: _with_value(to, node, cursor, found.value, then)))


def _update(to: Generator, change: Node, found: Cursor, draft: str) -> None:
    """`|=`: the first result of `change` takes the place of the old value; without one the place goes."""
    path = path_of(to, found)
    old = to.assign(f"{draft}.get({path})")
    if to.shapes.single(change):
        to.out.line(f"{draft}.set({path}, {to.value(change, Cursor(old))})")
        return
    new = to.name()
    with to.out.loop(f"for {new} in {to.call(to.routine(change), Cursor(old), change)}:"):
        to.out.line(f"{draft}.set({path}, {new})")
        to.out.line("break")
    with to.out.block("else:"):
        to.out.line(f"{draft}.drop({path})")


def _with_value(to: Generator, node: Assign, cursor: Cursor, value: str, then: Then) -> None:
    """`=`, `+=`, `//=` and the like, for one result on the right."""
    draft = to.assign(f"Draft(fuel, {cursor.value})")

    def write(found: Cursor) -> None:
        path = path_of(to, found)
        if node.operator == "=":
            to.out.line(f"{draft}.set({path}, {value})")
            return
        old = to.assign(f"{draft}.get({path})")
        if node.operator == "//=":
            new = to.assign(f"{old} if {to.truth(old)} else {value}")
        else:
            new = to.assign(f"{ARITHMETIC[node.operator[:-1]]}(fuel, {old}, {value})")
        to.out.line(f"{draft}.set({path}, {new})")

    each_path(to, node.target, cursor.value, Then(write))
    then(Cursor(to.assign(f"{draft}.root")))
