"""Code for assignments: the paths on the left are written to a draft, one after the other.

Where these are keys and items that never lead to one place twice, the value is rebuilt around the new parts instead.
"""

from collections.abc import Callable
from dataclasses import dataclass

from automations.engine.dsl.jq.generating.generator import Generator, generates
from automations.engine.dsl.jq.generating.operators import ARITHMETIC
from automations.engine.dsl.jq.generating.shape import step_parts
from automations.engine.dsl.jq.generating.terms import path_key, reading
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import Access, Assign, Each, Empty, Identity, If, Node, Pipe, Step

Change = Callable[[str], str]


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
        if is_plain(to, node.target) and to.shapes.single(node.value):
            then(
                Cursor(rebuilt(to, node.target, cursor.value, lambda old: to.value(node.value, Cursor(old))))
            )
            return
        draft = to.assign(f"Draft(fuel, {cursor.value})")
        each_path(to, node.target, cursor.value, Then(lambda found: update(to, node.value, found, draft)))
        then(Cursor(to.assign(f"{draft}.result()")))
        return
    to.values([node.value], cursor, lambda found: _with_value(to, node, cursor, found[0], then))


def update(to: Generator, change: Node, found: Cursor, draft: str) -> None:
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


def changed(to: Generator, operator: str, old: str, value: str) -> str:
    """The name of what `=`, `+=`, `//=` and the like put in the place of `old`."""
    if operator == "=":
        return value
    if operator == "//=":
        return to.assign(f"{old} if {to.truth(old)} else {value}")
    return to.assign(f"{ARITHMETIC[operator[:-1]]}(fuel, {old}, {value})")


def _with_value(to: Generator, node: Assign, cursor: Cursor, value: str, then: Then) -> None:
    """All but `|=`, for one result on the right."""
    if is_plain(to, node.target):
        then(
            Cursor(rebuilt(to, node.target, cursor.value, lambda old: changed(to, node.operator, old, value)))
        )
        return
    draft = to.assign(f"Draft(fuel, {cursor.value})")

    def write(found: Cursor) -> None:
        path = path_of(to, found)
        old = value if node.operator == "=" else to.assign(f"{draft}.get({path})")
        to.out.line(f"{draft}.set({path}, {changed(to, node.operator, old, value)})")

    each_path(to, node.target, cursor.value, Then(write))
    then(Cursor(to.assign(f"{draft}.root")))


def is_plain(to: Generator, node: Node) -> bool:
    """Whether `node` is made of keys, items and conditions only."""
    match node:
        case Identity():
            return True
        case Pipe():
            return all(is_plain(to, stage) for stage in node.stages)
        case If():
            return isinstance(node.no, Empty) and to.shapes.single(node.test) and is_plain(to, node.yes)
        case Access():
            keys = [part for step in node.steps for part in step_parts(step)]
            fixed = isinstance(node.base, Identity) and not any(step.optional for step in node.steps)
            return fixed and to.shapes.all_single(keys)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _Rebuilding:
    """Writes what is left of a path, and the new value around what `change` puts at its end.

    `write` writes what follows once there is a new value; where a condition does not hold there is none.
    """

    to: Generator
    change: Change

    def stages(self, stages: list[Node], value: str, write: Callable[[str], None]) -> None:
        """Changes `value` in the places that `stages` lead to."""
        if not stages:
            write(self.change(value))
            return
        stage, rest = stages[0], stages[1:]
        match stage:
            case Pipe():
                self.stages([*stage.stages, *rest], value, write)
            case If():
                with self.to.out.block(f"if {self.to.truth(self.to.value(stage.test, Cursor(value)))}:"):
                    self.stages([stage.yes, *rest], value, write)
            case Access():
                keys = [part for step in stage.steps for part in step_parts(step)]
                names = [self.to.operand(key, Cursor(value)) for key in keys]
                self._steps(list(stage.steps), names, rest, value, write)
            case _:
                self.stages(rest, value, write)

    def _steps(
        self, steps: list[Step], names: list[str], rest: list[Node], value: str, write: Callable[[str], None]
    ) -> None:
        if not steps:
            self.stages(rest, value, write)
            return
        to, step = self.to, steps[0]
        if isinstance(step, Each):
            result = to.assign(f"copied(fuel, {value})")
            key, item = to.name(), to.name()
            with to.out.loop(f"for {key}, {item} in each_pair(fuel, {value}, @@):", draws=False):
                self._steps(steps[1:], names, rest, item, lambda new: to.out.line(f"{result}[{key}] = {new}"))
            write(result)
            return
        count = len(step_parts(step))
        found = to.assign(reading(step, names[:count], value))
        at = path_key(to, step, names[:count])
        self._steps(
            steps[1:],
            names[count:],
            rest,
            found,
            lambda new: write(to.assign(f"put(fuel, {value}, {at}, {new})")),
        )


def rebuilt(to: Generator, target: Node, value: str, change: Change) -> str:
    """The name of `value` with what `change` gives in all places that the plain path `target` leads to."""
    result = to.assign(value)
    _Rebuilding(to, change).stages([target], value, lambda new: to.out.line(f"{result} = {new}"))
    return result
