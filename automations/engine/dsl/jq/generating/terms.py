"""Code for terms: paths, literals, texts, arrays and objects."""

from typing import Final

from automations.engine.dsl.jq.generating.generator import CAUGHT, Generator, generates
from automations.engine.dsl.jq.generating.shape import step_parts
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import (
    Access,
    Array,
    Comma,
    Descend,
    Each,
    Empty,
    Format,
    Identity,
    Key,
    Literal,
    Object,
    Slice,
    Step,
    Text,
    Use,
)

_MAX_BRANCHING: Final = 8
_FAILED: Final = "(LookupError, TypeError)"


@generates(Identity, paths=True)
def identity(_to: Generator, _node: Identity, cursor: Cursor, then: Then) -> None:
    then(cursor)


@generates(Empty, paths=True)
def empty(_to: Generator, _node: Empty, _cursor: Cursor, _then: Then) -> None:
    """Nothing follows."""


@generates(Literal)
def literal(to: Generator, node: Literal, _cursor: Cursor, then: Then) -> None:
    then(Cursor(to.assign(to.constant(node.value))))


@generates(Use)
def use(_to: Generator, node: Use, _cursor: Cursor, then: Then) -> None:
    then(Cursor(node.variable.slot))


@generates(Descend, paths=True)
def descend(to: Generator, _node: Descend, cursor: Cursor, then: Then) -> None:
    if cursor.path is None:
        to.each_of(f"descend({cursor.value})", cursor, then)
        return
    path = reached(to, cursor, None)
    to.each_of(f"descend_paths(fuel, {cursor.value}, {path})", cursor, then)


@generates(Format)
def formatted(to: Generator, node: Format, cursor: Cursor, then: Then) -> None:
    then(Cursor(to.assign(f"format_{node.name}(fuel, {cursor.value})")))


@generates(Text)
def text(to: Generator, node: Text, cursor: Cursor, then: Then) -> None:
    """The last expression moves slowest."""
    inner = [part for part in node.parts if not isinstance(part, str)]

    def write(found: list[str]) -> None:
        names = found[::-1]
        pieces = [
            to.constant(part) if isinstance(part, str) else f"format_{node.format}(fuel, {names.pop(0)})"
            for part in node.parts
        ]
        then(Cursor(to.assign(f"write_text(fuel, [{', '.join(pieces)}])")))

    to.values(inner[::-1], cursor, write)


@generates(Array)
def array(to: Generator, node: Array, cursor: Cursor, then: Then) -> None:
    items = node.body.items if isinstance(node.body, Comma) else [node.body] if node.body else []
    if to.shapes.all_single(items):
        then(Cursor(to.assign(f"[{', '.join([to.operand(item, cursor) for item in items])}]")))
        return
    found = to.assign("[]")
    for item in items:
        to.run(
            item,
            Cursor(cursor.value),
            Then(lambda one: to.out.line(f"{found}.append({one.value})"), brief=True),
        )
    then(Cursor(found))


@generates(Object)
def object_(to: Generator, node: Object, cursor: Cursor, then: Then) -> None:
    """Of several results, those of the first key move slowest."""
    nodes = [part for entry in node.entries for part in entry]

    def write(found: list[str]) -> None:
        keys = [
            name if isinstance(key, Literal) and isinstance(key.value, str) else f"object_key({name})"
            for (key, _), name in zip(node.entries, found[::2], strict=True)
        ]
        pairs = ", ".join(f"{key}: {value}" for key, value in zip(keys, found[1::2], strict=True))
        then(Cursor(to.assign(f"{{{pairs}}}")))

    to.values(nodes, cursor, write)


@generates(Access, paths=True)
def access(to: Generator, node: Access, cursor: Cursor, then: Then) -> None:
    """Of several results, those of the last key move slowest, those of the base fastest."""
    branching = [place for place, step in enumerate(node.steps) if _branches(to, step)]
    if len(branching) > _MAX_BRANCHING:  # parts of a long path can become functions of their own
        last = branching[-_MAX_BRANCHING]
        first = Access(node.position, node.base, node.steps[:last])
        access(to, Access(node.position, first, node.steps[last:]), cursor, then)
        return
    inner = [part for step in reversed(node.steps) for part in step_parts(step)]

    def write(found: list[str]) -> None:
        names = list(found)
        keyed: list[tuple[Step, list[str]]] = []
        for step in reversed(node.steps):
            count = len(step_parts(step))
            keyed.insert(0, (step, names[:count]))
            del names[:count]
        to.run(node.base, cursor, Then(lambda base: _steps(to, keyed, base, then)))

    to.values(inner, cursor, write)


def _branches(to: Generator, step: Step) -> bool:
    """Whether a step may have any other number of results than one."""
    return isinstance(step, Each) or step.optional or not to.shapes.all_single(step_parts(step))


Keyed = tuple[Step, list[str]]


def _plain_key(step: Step) -> str | int | None:
    """The key of a step if it is a text or a small integer known by now."""
    if isinstance(step, Key) and not step.optional and isinstance(step.key, Literal):
        key = step.key.value
        if key.__class__ is str or (key.__class__ is int and abs(key) < 1_000_000):
            return str(key) if isinstance(key, str) else int(key)
    return None


def _steps(to: Generator, steps: list[Keyed], cursor: Cursor, then: Then) -> None:
    while steps:
        plain = _leading_keys(steps) if cursor.path is None else []
        if plain:
            cursor = Cursor(_read_keys(to, plain, cursor.value))
            steps = steps[len(plain) :]
            continue
        (step, names), rest = steps[0], steps[1:]
        if isinstance(step, Key | Slice) and not step.optional:
            cursor = _read(to, step, names, cursor)
            steps = rest
            continue
        _branch(to, steps, cursor, then)
        return
    then(cursor)


def _branch(to: Generator, steps: list[Keyed], cursor: Cursor, then: Then) -> None:
    """A step that may have any number of results, and those after it."""
    (step, names), rest = steps[0], steps[1:]
    following = Then(lambda found: _steps(to, rest, found, then), brief=then.brief and not rest)
    if isinstance(step, Key | Slice):
        _read_if(to, step, names, cursor, following)
    else:
        _go_through(to, cursor, following, optional=step.optional)


def _leading_keys(steps: list[Keyed]) -> list[str | int]:
    """The keys at the start that one Python expression can read; no number stands last.

    A text can be indexed by a number in Python, so only the text key after it makes sure that there was none.
    """
    keys: list[str | int] = []
    for step, _ in steps:
        key = _plain_key(step)
        if key is None:
            break
        keys.append(key)
    while keys and not isinstance(keys[-1], str):
        keys.pop()
    return keys


def _read_keys(to: Generator, keys: list[str | int], value: str) -> str:
    found = to.name()
    with to.out.block("try:"):
        to.out.line(f"{found} = {value}{''.join(f'[{to.constant(key)}]' for key in keys)}")
    with to.out.block(f"except {_FAILED}:"):
        if len(keys) == 1:
            to.out.line(f"{found} = field({value}, {to.constant(keys[0])})")
        else:
            to.out.line(f"{found} = fields({value}, ({', '.join(map(to.constant, keys))},))")
    return found


def reading(step: Key | Slice, names: list[str], value: str) -> str:
    """The expression that reads a step."""
    if isinstance(step, Slice):
        return f"cut(fuel, {value}, {names[0]}, {names[1]})"
    if isinstance(step.key, Literal) and isinstance(step.key.value, str):
        return f"field({value}, {names[0]})"
    if names[0] in ("0", "-1"):
        return f"{value}[{names[0]}] if {value}.__class__ is list and {value} else item({value}, {names[0]})"
    return f"index(fuel, {value}, {names[0]})"


def path_key(to: Generator, step: Key | Slice, names: list[str]) -> str:
    """The key of a step as it stands in a path."""
    if isinstance(step, Slice):
        return to.assign(f'{{"start": {names[0]}, "end": {names[1]}}}')
    return names[0]


def reached(to: Generator, cursor: Cursor, key: str | None) -> str:
    """The name of the path of the cursor, which must lead to its value; `key` is what is read next, if anything."""
    path = str(cursor.path)
    if cursor.value == cursor.anchor and not cursor.loose:
        return path
    if cursor.value != cursor.anchor:
        path = f"kept({path}, {cursor.value}, {cursor.anchor})"
    check = f"reach_all({path}, {cursor.value})" if key is None else f"reach({path}, {cursor.value}, {key})"
    found = to.name("p")
    to.out.line(f"{found} = {check}")
    return found


def _read(to: Generator, step: Key | Slice, names: list[str], cursor: Cursor) -> Cursor:
    if cursor.path is None:
        return Cursor(to.assign(reading(step, names, cursor.value)))
    key = path_key(to, step, names)
    path = reached(to, cursor, key)
    value = to.assign(reading(step, names, cursor.value))
    longer = to.name("p")
    to.out.line(f"{longer} = extended(fuel, {path}, {key})")
    return Cursor(value, longer, value)


def _read_if(to: Generator, step: Key | Slice, names: list[str], cursor: Cursor, then: Then) -> None:
    """A step with `?`: no result where it cannot be read."""
    found: list[Cursor] = []
    with to.out.block("try:"):
        found.append(_read(to, step, names, cursor))
    with to.out.block("except Raised:"):
        to.out.line(CAUGHT)
    with to.out.block("else:"):
        then(found[0])


def _go_through(to: Generator, cursor: Cursor, then: Then, *, optional: bool) -> None:
    value = to.name()
    suffix = "_if" if optional else ""
    if cursor.path is None:
        with to.out.loop(f"for {value} in draw_each{suffix}(fuel, {cursor.value}, @@):", draws=False):
            then(Cursor(value))
        return
    key, longer = to.name(), to.name("p")
    path = reached(to, cursor, None)
    with to.out.loop(f"for {key}, {value} in each_pair{suffix}(fuel, {cursor.value}, @@):", draws=False):
        to.out.line(f"{longer} = extended(fuel, {path}, {key})")
        then(Cursor(value, longer, value))
