"""Code for variables, loops with a state, labels, and calls of functions of the program."""

from collections.abc import Callable

from automations.engine.dsl.jq.fuel import MAX_CALLS
from automations.engine.dsl.jq.generating.generator import CAUGHT, Generator, Plan, captured, generates
from automations.engine.dsl.jq.generating.shape import pattern_parts
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import (
    ArrayPattern,
    Bind,
    Call,
    CallParameter,
    Foreach,
    Formal,
    Function,
    Label,
    Leave,
    Node,
    ObjectPattern,
    Pattern,
    Variable,
    VariablePattern,
    pattern_variables,
)

PatternEntry = tuple[Variable | None, Node, Pattern | None]


def destructure(
    to: Generator, pattern: Pattern, value: str, cursor: Cursor, write: Callable[[], None]
) -> None:
    """Binds the variables of `pattern` to parts of `value`; computed keys see the cursor."""
    if to.shapes.all_single(pattern_parts(pattern)):
        _bind_once(to, pattern, value, cursor)
        write()
    elif isinstance(pattern, ArrayPattern):
        places = [(to.constant(place), item) for place, item in enumerate(pattern.items)]
        _bind_items(to, places, value, cursor, write)
    elif isinstance(pattern, ObjectPattern):
        _bind_entries(to, pattern.entries, value, cursor, write)


def _bind_once(to: Generator, pattern: Pattern, value: str, cursor: Cursor) -> None:
    """`destructure` where no key has more than one result."""
    if isinstance(pattern, VariablePattern):
        to.out.line(f"{pattern.variable.slot} = {value}")
    elif isinstance(pattern, ArrayPattern):
        for place, item in enumerate(pattern.items):
            _bind_once(to, item, to.assign(f"item({value}, {place})"), cursor)
    else:
        for variable, key, inner in pattern.entries:
            found = to.assign(f"index(fuel, {value}, {to.operand(key, cursor)})")
            if variable:
                to.out.line(f"{variable.slot} = {found}")
            if inner:
                _bind_once(to, inner, found, cursor)


def _bind_items(
    to: Generator, items: list[tuple[str, Pattern]], value: str, cursor: Cursor, write: Callable[[], None]
) -> None:
    if not items:
        write()
        return
    (place, pattern), rest = items[0], items[1:]
    found = to.assign(f"item({value}, {place})")
    destructure(to, pattern, found, cursor, lambda: _bind_items(to, rest, value, cursor, write))


def _bind_entries(
    to: Generator, entries: list[PatternEntry], value: str, cursor: Cursor, write: Callable[[], None]
) -> None:
    if not entries:
        write()
        return
    (variable, key, pattern), rest = entries[0], entries[1:]

    def go_on() -> None:
        _bind_entries(to, rest, value, cursor, write)

    def bind_key(names: list[str]) -> None:
        found = to.assign(f"index(fuel, {value}, {names[0]})")
        if variable:
            to.out.line(f"{variable.slot} = {found}")
        if pattern is None:
            go_on()
        else:
            destructure(to, pattern, found, cursor, go_on)

    to.values([key], cursor, bind_key)


def _with_variables(
    to: Generator, patterns: list[Pattern], value: str, cursor: Cursor, write: Callable[[], None]
) -> None:
    """Binds by the first of `patterns`; by the next one when that, or what follows, fails.

    `write` must write something short that cannot fail but by the program's own doing.
    """
    if len(patterns) == 1:
        destructure(to, patterns[0], value, cursor, write)
        return
    variables = {variable.slot for pattern in patterns for variable in pattern_variables(pattern)}
    clean = " = ".join(sorted(variables)) + " = None"
    for number, pattern in enumerate(patterns):
        to.out.line(clean)
        if number == len(patterns) - 1:
            destructure(to, pattern, value, cursor, write)
            return
        failed = to.assign("False", boolean=True)
        with to.out.block("try:"):
            destructure(to, pattern, value, cursor, write)
        with to.out.block("except Raised:"):
            to.out.line(CAUGHT)
            to.out.line(f"{failed} = True")
        to.out.line(f"if {failed}:")
        to.out.indent += 1


def alternatives(
    to: Generator, patterns: list[Pattern], value: str, cursor: Cursor, write: Callable[[], None]
) -> None:
    """`_with_variables`, with the indentation put back afterwards."""
    indent = to.out.indent
    _with_variables(to, patterns, value, cursor, write)
    to.out.indent = indent


@generates(Bind, paths=True)
def bind(to: Generator, node: Bind, cursor: Cursor, then: Then) -> None:
    outside = Cursor(cursor.value)
    if len(node.patterns) > 1:
        to.once(node, cursor, then, lambda following: _bind_alternatives(to, node, cursor, following))
    elif to.shapes.single(node.source) and to.shapes.all_single(pattern_parts(node.patterns[0])):
        _bind_once(to, node.patterns[0], to.value(node.source, outside), outside)
        to.run(node.body, cursor, then)
    else:

        def bind_source(source: Cursor) -> None:
            destructure(to, node.patterns[0], source.value, outside, lambda: to.run(node.body, cursor, then))

        to.run(node.source, outside, Then(bind_source))


def _bind_alternatives(to: Generator, node: Bind, cursor: Cursor, then: Then) -> None:
    """The body stands once for each alternative, so it is a function of its own."""
    outside = Cursor(cursor.value)

    def bind_source(source: Cursor) -> None:
        alternatives(to, node.patterns, source.value, outside, lambda: to.spill(node.body, cursor, then))

    to.run(node.source, outside, Then(bind_source))


@generates(Foreach, paths=True)
def foreach(to: Generator, node: Foreach, cursor: Cursor, then: Then) -> None:
    if len(node.patterns) == 1:
        _foreach(to, node, cursor, then, to.run)
    else:
        to.once(node, cursor, then, lambda following: _foreach(to, node, cursor, following, to.spill))


def _foreach(
    to: Generator, node: Foreach, cursor: Cursor, then: Then, write_part: Callable[[Node, Cursor, Then], None]
) -> None:
    outside = Cursor(cursor.value)

    def start(state: Cursor) -> None:
        kept = to.assign(state.value)

        def updated(found: Cursor) -> None:
            to.out.line(f"{kept} = {found.value}")
            write_part(node.extract, found, then)

        def update() -> None:
            before = to.assign(kept)
            to.out.line(f"{kept} = None")
            write_part(node.update, cursor._replace(value=before), Then(updated))

        def bind_source(source: Cursor) -> None:
            alternatives(to, node.patterns, source.value, outside, update)

        to.run(node.source, outside, Then(bind_source))

    to.run(node.start, outside, Then(start))


@generates(Label, paths=True)
def label(to: Generator, node: Label, cursor: Cursor, then: Then) -> None:
    def write(following: Then) -> None:
        to.out.line(f"{node.tag.slot} = object()")
        with to.out.block("try:"):
            to.run(node.body, cursor, following)
        with to.out.block("except Break as leaving:"):
            to.out.line(f"if leaving.tag is not {node.tag.slot}: raise")

    to.once(node, cursor, then, write)


@generates(Leave, paths=True)
def leave(to: Generator, node: Leave, _cursor: Cursor, _then: Then) -> None:
    to.out.line(f"raise Break({node.tag.slot})")


def _used(to: Generator, function: Function) -> list[Formal]:
    """The parameters that the body of `function` uses as filters."""
    needed = to.shapes.needs(function.body) if function.body else frozenset()
    return [formal for formal in function.formals if formal.parameter in needed]


def _function(to: Generator, function: Function, mode: str) -> str:
    """The name of the Python function for `function`; writes it the first time."""
    key = (function, mode)
    if key in to.functions or function.body is None:
        return to.functions[key]
    name = to.functions[key] = to.name("f")
    parameters = [
        "fuel",
        "d",
        "v",
        *(["p"] if mode == "paths" else []),
        *captured(frozenset(function.captures)),
    ]
    parameters += [formal.parameter.slot for formal in _used(to, function)]
    parameters += [formal.variable.slot for formal in function.formals if formal.variable]
    guard = (f"if d > {MAX_CALLS}: raise too_deep()",) if function.recursive else ()
    to.plan(Plan(f"def {name}({', '.join(parameters)}):", function.body, mode, guard))
    return name


def _closure(to: Generator, node: Node) -> str:
    """A filter handed to a function: one Python function for values, one for paths."""
    if isinstance(node, CallParameter):
        return node.parameter.slot
    captures = "".join(f", {slot}" for slot in captured(to.shapes.needs(node)))
    values, paths = to.routine(node), to.routine(node, "paths")
    return f"(lambda d, v: {values}(fuel, d, v{captures}), lambda d, v, p: {paths}(fuel, d, v, p{captures}))"


@generates(Call, paths=True)
def call(to: Generator, node: Call, cursor: Cursor, then: Then) -> None:
    function = node.function
    mode = "paths" if cursor.path is not None else "one" if to.shapes.single(node) else "many"
    if mode == "one" and function.recursive:
        mode = "many"
    name = _function(to, function, mode)
    arguments = dict(zip([formal.parameter for formal in function.formals], node.arguments, strict=True))
    valued = [arguments[formal.parameter] for formal in function.formals if formal.variable]

    def write(values: list[str]) -> None:
        given = ["fuel", to.out.depth, to.pair(cursor)]
        given += captured(frozenset(function.captures))
        given += [_closure(to, arguments[formal.parameter]) for formal in _used(to, function)]
        text = f"{name}({', '.join([*given, *values])})"
        if mode == "one":
            then(Cursor(to.assign(text)))
        else:
            to.each_of(text, cursor, then)

    to.values(valued, cursor, write)


@generates(CallParameter, paths=True)
def call_parameter(to: Generator, node: CallParameter, cursor: Cursor, then: Then) -> None:
    deeper = "2" if to.out.depth == "1" else "d + 2"  # the lambda is a frame, too
    if cursor.path is None:
        to.each_of(f"{node.parameter.slot}[0]({deeper}, {cursor.value})", cursor, then)
    else:
        to.each_of(f"{node.parameter.slot}[1]({deeper}, {to.pair(cursor)})", cursor, then)
