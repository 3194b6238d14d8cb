"""Code for the built-in functions that run their arguments themselves."""

from collections.abc import Callable
from typing import Final

from automations.engine.dsl.jq.generating.assigning import each_path, path_of
from automations.engine.dsl.jq.generating.generator import Generator, generates
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import Access, Array, Each, Empty, Form, Identity, If, Node, Pipe

Writer = Callable[[Generator, Form, Cursor, Then], None]


@generates(Form, paths=True)
def form(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    if cursor.path is None or node.name in _WITH_PATHS:
        _WRITERS[node.name](to, node, cursor, then)
    else:
        to.apart(lambda inner, following: _WRITERS[node.name](to, node, inner, following), cursor, then)


def _results(to: Generator, node: Node, cursor: Cursor) -> str:
    """The text of an iterator of the results of `node`, in a path expression of results with their paths."""
    return to.call(to.routine(node, "many" if cursor.path is None else "paths"), cursor, node)


def _not(to: Generator, _node: Form, cursor: Cursor, then: Then) -> None:
    then(Cursor(to.assign(f"not {to.truth(cursor.value)}", boolean=True)))


def _first(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    def write(found: Cursor) -> None:
        then(found)
        to.out.line("break")

    to.each_of(_results(to, node.arguments[0], cursor), cursor, Then(write))


def _last(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    last = to.assign("nothing")
    path = to.name("p")
    if cursor.path is None:
        to.run(
            node.arguments[0], cursor, Then(lambda found: to.out.line(f"{last} = {found.value}"), brief=True)
        )
        with to.out.block(f"if {last} is not nothing:"):
            then(Cursor(last))
        return
    keep = Then(lambda found: to.out.line(f"{last}, {path} = {to.pair(found)}"), brief=True)
    to.run(node.arguments[0], cursor, keep)
    with to.out.block(f"if {last} is not nothing:"):
        then(Cursor(last, path, last, loose=True))


def _limit(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    def write(names: list[str]) -> None:
        left = to.assign(f'counted(fuel, {names[0]}, "limit doesn\'t support negative count")')

        def count(found: Cursor) -> None:
            to.out.line(f"{left} = subtract(fuel, {left}, 1)")
            then(found)
            to.out.line(f"if {left} <= 0: break")

        with to.out.block(f"if not at_most(fuel, {left}, 0):"):
            to.each_of(_results(to, node.arguments[1], cursor), cursor, Then(count))

    to.values(node.arguments[:1], cursor, write)


def _skip(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    def write(names: list[str]) -> None:
        left = to.assign(f'counted(fuel, {names[0]}, "skip doesn\'t support negative count")')

        def count(found: Cursor) -> None:
            to.out.line(f"{left} = subtract(fuel, {left}, 1)")
            with to.out.block(f"if {left} < 0:"):
                then(found)

        to.run(node.arguments[1], cursor, Then(count))

    to.values(node.arguments[:1], cursor, write)


def _nth(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    def write(names: list[str]) -> None:
        left = to.assign(f'counted(fuel, {names[0]}, "nth doesn\'t support negative indices")')

        def count(found: Cursor) -> None:
            to.out.line(f"{left} = subtract(fuel, {left}, 1)")
            with to.out.block(f"if {left} < 0:"):
                then(found)
                to.out.line("break")

        to.each_of(_results(to, node.arguments[1], cursor), cursor, Then(count))

    to.values(node.arguments[:1], cursor, write)


def _until(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    over, onward = node.arguments
    if cursor.path is not None:
        judge = f"(lambda vp: {to.call(to.routine(over), Cursor('vp[0]'), over)})"
        to.each_of(f"until(fuel, ({to.pair(cursor)}), {judge}, {to.path_filter(onward)})", cursor, then)
        return
    if not to.shapes.single(node):
        to.each_of(f"until(fuel, {cursor.value}, {to.filter(over)}, {to.filter(onward)})", cursor, then)
        return
    state = to.assign(cursor.value)
    with to.out.loop("while True:"):
        to.out.line(f"if {to.truth(to.value(over, Cursor(state)))}: break")
        to.out.line(f"{state} = {to.value(onward, Cursor(state))}")
    then(Cursor(state))


def _recurse(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    body = node.arguments[0]
    if cursor.path is None:
        to.each_of(f"recurse(fuel, {cursor.value}, {to.filter(body)})", cursor, then)
    else:
        to.each_of(f"recurse(fuel, ({to.pair(cursor)}), {to.path_filter(body)})", cursor, then)


def _while(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    """`while(test; onward)`: the start and what comes of it, each if it passes the test."""
    test, onward = node.arguments
    passing = If(node.position, test, Identity(node.position), _nothing(node))
    below = Form(node.position, "recurse", [_piped(node, onward, passing)])
    to.run(_piped(node, passing, below), cursor, then)


def _piped(node: Form, *stages: Node) -> Node:
    return Pipe(node.position, list(stages))


def _nothing(node: Form) -> Node:
    return Empty(node.position)


def _repeat(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    with to.out.loop("while True:"):
        to.run(node.arguments[0], cursor, then)


def _isempty(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    result = to.assign("True", boolean=True)
    with to.out.loop(f"for {to.name()} in {_results(to, node.arguments[0], cursor)}:"):
        to.out.line(f"{result} = False")
        to.out.line("break")
    then(Cursor(result))


def _any(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    _decided(to, node, cursor, then, decisive=True)


def _all(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    _decided(to, node, cursor, then, decisive=False)


def _decided(to: Generator, node: Form, cursor: Cursor, then: Then, *, decisive: bool) -> None:
    """Goes through the results until one decides."""
    result = to.assign(str(not decisive), boolean=True)
    tested, found = _piped(node, *node.arguments), to.name()
    decides = to.truth(found) if decisive else f"not {to.truth(found)}"
    with to.out.loop(f"for {found} in {_results(to, tested, cursor)}:"), to.out.block(f"if {decides}:"):
        to.out.line(f"{result} = {decisive}")
        to.out.line("break")
    then(Cursor(result))


def _path(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    each_path(
        to,
        node.arguments[0],
        cursor.value,
        Then(lambda found: then(Cursor(to.assign(f"list({path_of(to, found)})")))),
    )


def _getpath(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    def write(names: list[str]) -> None:
        found = to.assign(f"get_path(fuel, {cursor.value}, {names[0]})")
        if cursor.path is None:
            then(Cursor(found))
            return
        longer = to.name("p")
        path = to.pair(cursor).partition(", ")[2]
        to.out.line(f"{longer} = joined(fuel, reach({path}, {cursor.value}, {names[0]}), {names[0]})")
        then(Cursor(found, longer, found))

    to.values(node.arguments, cursor, write)


def _pick(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    draft = to.assign("Draft(fuel, None)")

    def write(found: Cursor) -> None:
        path = path_of(to, found)
        to.out.line(f"{draft}.set({path}, get_path(fuel, {cursor.value}, list({path})))")

    each_path(to, node.arguments[0], cursor.value, Then(write))
    then(Cursor(to.assign(f"{draft}.root")))


def _del(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    draft = to.assign(f"Draft(fuel, {cursor.value})")
    drop = Then(lambda found: to.out.line(f"{draft}.drop({path_of(to, found)})"), brief=True)
    each_path(to, node.arguments[0], cursor.value, drop)
    then(Cursor(to.assign(f"{draft}.result()")))


def _walk(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    change = node.arguments[0]
    if to.shapes.single(change):
        then(Cursor(to.assign(f"walk_one(fuel, {cursor.value}, {to.filter(change, 'one')})")))
    else:
        to.each_of(f"walk(fuel, {cursor.value}, {to.filter(change)})", cursor, then)


def _keyed(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    """`sort_by(f)` and the like: what `f` gives is the key, several results together as an array."""
    key = node.arguments[0]
    body = key if to.shapes.single(key) else Array(node.position, key)
    keys = to.value(Array(node.position, _piped(node, _each(node), body)), cursor)
    then(Cursor(to.assign(f"{node.name}(fuel, {cursor.value}, {keys})")))


def _each(node: Form) -> Node:
    return Access(node.position, Identity(node.position), [Each()])


def _fromstream(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    to.each_of(f"from_stream(fuel, {_results(to, node.arguments[0], cursor)})", cursor, then)


def _range(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    function = "span" if len(node.arguments) == 2 else "stepped"

    def write(names: list[str]) -> None:
        to.each_of(f"{function}(fuel, {', '.join(names)})", Cursor(cursor.value), then)

    to.values(node.arguments, cursor, write)


def _sub(to: Generator, node: Form, cursor: Cursor, then: Then) -> None:
    regex, text, flags = node.arguments

    def write(names: list[str]) -> None:
        call = f"substitute(fuel, {cursor.value}, {names[0]}, {names[1]}, {to.filter(text)})"
        to.each_of(call, Cursor(cursor.value), then)

    to.values([regex, flags], cursor, write)


_WRITERS: Final[dict[str, Writer]] = {
    "all": _all,
    "any": _any,
    "del": _del,
    "group_by": _keyed,
    "max_by": _keyed,
    "min_by": _keyed,
    "sort_by": _keyed,
    "unique_by": _keyed,
    "first": _first,
    "fromstream": _fromstream,
    "getpath": _getpath,
    "isempty": _isempty,
    "last": _last,
    "limit": _limit,
    "not": _not,
    "nth": _nth,
    "path": _path,
    "pick": _pick,
    "range": _range,
    "recurse": _recurse,
    "repeat": _repeat,
    "skip": _skip,
    "sub": _sub,
    "until": _until,
    "walk": _walk,
    "while": _while,
}
_WITH_PATHS: Final = frozenset(
    {"first", "getpath", "last", "limit", "nth", "recurse", "repeat", "skip", "until", "while"}
)
