"""Code for `reduce`. An update that only writes to its state is written as changes to one draft.

So a thousand `.[$x.key] += 1` change one object in place, where they would else copy it a thousand times.
"""

from automations.engine.dsl.jq.generating.assigning import changed, each_path, is_plain, path_of, update
from automations.engine.dsl.jq.generating.bindings import alternatives
from automations.engine.dsl.jq.generating.generator import Generator, generates
from automations.engine.dsl.jq.generating.shape import parts
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import (
    Access,
    Array,
    Assign,
    Bind,
    Chain,
    Comma,
    Compare,
    Default,
    Empty,
    Identity,
    If,
    Literal,
    Logic,
    Negate,
    Node,
    Object,
    Pipe,
    Reduce,
    Text,
    Try,
    Use,
)


def _ignores_input(node: Node) -> bool:
    """Whether `node` certainly does not look at its input."""
    match node:
        case Literal() | Use() | Empty():
            return True
        case Pipe():
            return _ignores_input(node.stages[0])
        case Reduce():
            return _ignores_input(node.source) and _ignores_input(node.start)
        case Array():
            return node.body is None or _ignores_input(node.body)
        case (
            Access()
            | Object()
            | Text()
            | Chain()
            | Compare()
            | Logic()
            | Default()
            | Comma()
            | If()
            | Try()
            | Negate()
            | Bind()
        ):
            return all(map(_ignores_input, parts(node))) and len(getattr(node, "patterns", ())) < 2
        case _:
            return False


def _only_writes(to: Generator, node: Node) -> bool:
    """Whether `node` changes its input without keeping any part of it elsewhere."""
    match node:
        case Identity():
            return True
        case Assign():
            written = node.operator == "|=" or (to.shapes.single(node.value) and _ignores_input(node.value))
            return written and is_plain(
                to, node.target
            )  # or else paths would be looked for in what is being changed
        case Chain():
            added = all(operator == "+" and _ignores_input(item) for operator, item in node.rest)
            return isinstance(node.first, Identity) and added and to.shapes.single(node)
        case Pipe():
            return all(_only_writes(to, stage) for stage in node.stages)
        case If():
            return to.shapes.single(node.test) and _only_writes(to, node.yes) and _only_writes(to, node.no)
        case _:
            return False


def _write_changes(to: Generator, node: Node, draft: str) -> None:
    """Writes an update as changes to `draft`."""
    match node:
        case Assign():
            _write_assignment(to, node, draft)
        case Chain():
            for _, item in node.rest:
                to.out.line(f"{draft}.add((), {to.operand(item, Cursor(draft))})")
        case Pipe():
            for stage in node.stages:
                _write_changes(to, stage, draft)
        case If():
            root = to.assign(f"{draft}.root")
            with to.out.block(f"if {to.truth(to.value(node.test, Cursor(root)))}:"):
                _write_changes(to, node.yes, draft)
            with to.out.block("else:"):
                _write_changes(to, node.no, draft)


def _write_assignment(to: Generator, node: Assign, draft: str) -> None:
    root = to.assign(f"{draft}.root")
    if node.operator == "|=":
        each_path(to, node.target, root, Then(lambda found: update(to, node.value, found, draft)))
        to.out.line(f"{draft}.result()")
        return
    value = to.operand(node.value, Cursor(root))

    def write(found: Cursor) -> None:
        path = path_of(to, found)
        if node.operator == "+=":
            to.out.line(f"{draft}.add({path}, {value})")
            return
        old = value if node.operator == "=" else to.assign(f"{draft}.peek({path})")
        to.out.line(f"{draft}.set({path}, {changed(to, node.operator, old, value)})")

    each_path(to, node.target, root, Then(write))


@generates(Reduce)
def reduce(to: Generator, node: Reduce, cursor: Cursor, then: Then) -> None:
    def start(state: Cursor) -> None:
        if len(node.patterns) == 1 and _only_writes(to, node.update):
            draft = to.assign(f"Draft(fuel, {state.value})")
            to.run(node.source, cursor, Then(lambda source: _turn_draft(to, node, source, cursor, draft)))
            then(Cursor(to.assign(f"{draft}.root")))
            return
        kept = to.assign(state.value)
        to.run(node.source, cursor, Then(lambda source: _turn(to, node, source, cursor, kept)))
        then(Cursor(kept))

    to.run(node.start, cursor, Then(start))


def _turn_draft(to: Generator, node: Reduce, source: Cursor, cursor: Cursor, draft: str) -> None:
    alternatives(to, node.patterns, source.value, cursor, lambda: _write_changes(to, node.update, draft))


def _turn(to: Generator, node: Reduce, source: Cursor, cursor: Cursor, kept: str) -> None:
    """One round: the last result of the update is the new state, null if there is none."""
    write_part = to.run if len(node.patterns) == 1 else to.spill

    def update_state() -> None:
        if to.shapes.single(node.update):
            write_part(node.update, Cursor(kept), Then(lambda found: to.out.line(f"{kept} = {found.value}")))
            return
        new = to.assign("None")
        write_part(
            node.update, Cursor(kept), Then(lambda found: to.out.line(f"{new} = {found.value}"), brief=True)
        )
        to.out.line(f"{kept} = {new}")

    alternatives(to, node.patterns, source.value, cursor, update_state)
