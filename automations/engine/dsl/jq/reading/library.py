"""The built-in functions by name and number of arguments, and those that are refused.

Three kinds: natives take values; forms run their arguments themselves, so the generator knows each of them; the
rest is rewritten here to expressions of both.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final

from automations.engine.dsl.jq.builtins import (
    access,
    arithmetic,
    containers,
    dateformats,
    dates,
    editing,
    formats,
    maths,
    ordering,
    regex,
    streams,
    strings,
    text,
)
from automations.engine.dsl.jq.errors import RaisedValue
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.reading.scope import NOW, Scope
from automations.engine.dsl.jq.syntax import (
    Access,
    Array,
    Assign,
    Bind,
    CallNative,
    Chain,
    Comma,
    Compare,
    Descend,
    Each,
    Empty,
    Form,
    Identity,
    If,
    Key,
    Literal,
    Logic,
    Native,
    Node,
    Object,
    Pipe,
    Reduce,
    Try,
    Use,
    VariablePattern,
)
from automations.engine.dsl.jq.values import Json


def _raise(_fuel: Fuel, value: Json, message: Json) -> Json:
    raise RaisedValue(message)


def _raise_input(_fuel: Fuel, value: Json) -> Json:
    raise RaisedValue(value)


def _yes(_fuel: Fuel, _value: Json) -> Json:
    return True


_ONE: Final[dict[str, Callable[..., Json]]] = {
    "abs/0": maths.absolute,
    "add/0": arithmetic.total,
    "bsearch/1": ordering.bsearch,
    "delpaths/1": editing.delete_paths,
    "error/0": _raise_input,
    "error/1": _raise,
    "explode/0": strings.explode,
    "flatten/0": containers.flatten,
    "flatten/1": containers.flatten_to,
    "fma/3": maths.fused,
    "format/1": formats.format_as,
    "frexp/0": maths.frexp,
    "from_entries/0": containers.from_entries,
    "fromdate/0": dateformats.from_date,
    "fromdateiso8601/0": dateformats.from_date,
    "fromjson/0": text.from_json,
    "gmtime/0": dates.gmtime,
    "implode/0": strings.implode,
    "index/1": containers.first_index,
    "indices/1": containers.indices,
    "infinite/0": maths.infinite,
    "lgamma_r/0": maths.lgamma_r,
    "localtime/0": dates.gmtime,
    "max/0": ordering.biggest,
    "min/0": ordering.smallest,
    "mktime/0": dates.mktime,
    "modf/0": maths.modf,
    "nan/0": maths.not_a_number,
    "pow/2": maths.pow_of,
    "reverse/0": containers.reverse,
    "rindex/1": containers.last_index,
    "setpath/2": editing.set_path,
    "sort/0": ordering.sort,
    "split/2": regex.split_with,
    "strflocaltime/1": dateformats.strflocaltime,
    "strftime/1": dateformats.strftime,
    "strptime/1": dateformats.strptime,
    "to_entries/0": containers.to_entries,
    "toarray/0": containers.to_array,
    "todate/0": dateformats.to_date,
    "date/0": dateformats.to_date,
    "todateiso8601/0": dateformats.to_date,
    "tojson/0": text.to_json,
    "tonumber/0": text.to_number,
    "tostring/0": text.to_text,
    "transpose/0": containers.transpose,
    "unique/0": ordering.unique,
    **{f"{name}/0": function for name, function in (*maths.ROUNDINGS.items(), *maths.OF_ONE.items())},
    **{f"{name}/2": function for name, function in maths.OF_TWO.items()},
}
_SMALL: Final[dict[str, Callable[..., Json]]] = {
    "ascii/0": strings.ascii_character,
    "ascii_downcase/0": strings.ascii_downcase,
    "ascii_upcase/0": strings.ascii_upcase,
    "contains/1": containers.contains,
    "endswith/1": strings.ends_with,
    "has/1": containers.has,
    "have_decnum/0": _yes,
    "have_literal_numbers/0": _yes,
    "isfinite/0": maths.is_finite,
    "isinfinite/0": maths.is_infinite,
    "isnan/0": maths.is_nan,
    "isnormal/0": maths.is_normal,
    "join/1": strings.join,
    "keys/0": containers.keys,
    "keys_unsorted/0": containers.keys_unsorted,
    "length/0": containers.length,
    "ltrim/0": strings.trim_left,
    "ltrimstr/1": strings.without_start,
    "rtrim/0": strings.trim_right,
    "rtrimstr/1": strings.without_end,
    "split/1": strings.split,
    "startswith/1": strings.starts_with,
    "test/1": regex.test,
    "test/2": regex.test_with,
    "toboolean/0": text.to_boolean,
    "trim/0": strings.trim,
    "trimstr/1": strings.without_both,
    "type/0": containers.kind,
    "utf8bytelength/0": strings.byte_length,
}
_MANY: Final[dict[str, Callable[..., Json]]] = {
    "capture/1": regex.capture,
    "capture/2": regex.capture_with,
    "combinations/0": containers.combinations,
    "match/1": regex.match,
    "match/2": regex.match_with,
    "paths/0": access.paths,
    "scan/1": regex.scan,
    "scan/2": regex.scan,
    "splits/1": regex.splits,
    "splits/2": regex.splits,
    "tostream/0": streams.to_stream,
}
_LAST_FIRST: Final = frozenset(
    {"capture/2", "fma/3", "match/2", "pow/2", "setpath/2", "test/2", *(f"{name}/2" for name in maths.OF_TWO)}
)
NATIVES: Final = {
    name: Native(name, call, many=name in _MANY, small=name in _SMALL, last_first=name in _LAST_FIRST)
    for name, call in {**_ONE, **_SMALL, **_MANY}.items()
}
_HIDDEN: Final = {
    "truncated": Native("truncated", streams.truncated, many=True),
}
FORMS: Final = frozenset(
    {
        *(
            "not/0",
            "first/1",
            "last/1",
            "limit/2",
            "skip/2",
            "nth/2",
            "until/2",
            "while/2",
            "repeat/1",
            "recurse/1",
        ),
        *("isempty/1", "any/2", "all/2", "path/1", "getpath/1", "pick/1", "del/1", "walk/1", "fromstream/1"),
        *("sort_by/1", "group_by/1", "unique_by/1", "min_by/1", "max_by/1", "range/2", "range/3", "sub/3"),
    }
)
_HOST: Final = "an expression sees its input and its variables, nothing of the server"
_INPUT: Final = "there is one input, which is ."
_REFUSED: Final = {
    **dict.fromkeys(
        ("env", "builtins", "modulemeta", "get_search_list", "get_jq_origin", "get_prog_origin"), _HOST
    ),
    **dict.fromkeys(("input", "inputs", "input_filename", "input_line_number"), _INPUT),
    **dict.fromkeys(("halt", "halt_error"), "an expression cannot stop the program; use error(…)"),
    **dict.fromkeys(("debug", "stderr"), "an expression writes nothing but its result"),
    **dict.fromkeys(("include", "import", "module"), "there are no modules"),
    **dict.fromkeys(("j0", "j1", "jn", "y0", "y1", "yn"), "Bessel functions say nothing about business data"),
}


def _each(at: int) -> Node:
    return Access(at, Identity(at), [Each()])


def _map(at: int, body: Node) -> Node:
    return Array(at, Pipe(at, [_each(at), body]))


def _select(at: int, test: Node) -> Node:
    return If(at, test, Identity(at), Empty(at))


def _native(at: int, name: str, *arguments: Node) -> Node:
    return CallNative(at, _HIDDEN.get(name) or NATIVES[f"{name}/{len(arguments)}"], list(arguments))


def _is(at: int, *names: str) -> Node:
    """Whether the type is one of `names`."""
    tests: list[Node] = [Compare(at, "==", _native(at, "type"), Literal(at, name)) for name in names]
    return tests[0] if len(tests) == 1 else Logic(at, "or", tests)


def _not(at: int, test: Node) -> Node:
    return Pipe(at, [test, Form(at, "not", [])])


def _any(at: int, tests: Node) -> Node:
    return Form(at, "any", [tests, Identity(at)])


def _bound(at: int, source: Node, scope: Scope, body: Callable[[Node], Node]) -> Node:
    """`source as $x | body`, with an `$x` that no one else sees."""
    variable = scope.hidden_variable()
    return Bind(at, source, [VariablePattern(variable)], body(Use(at, variable)))


def _looked_up(at: int, table: Node, key: Node) -> Node:
    """The input and what `table` has for its key."""
    return Array(at, Comma(at, [Identity(at), Access(at, table, [Key(key)])]))


def _index(at: int, scope: Scope, rows: Node, key: Node) -> Node:
    row = scope.hidden_variable()
    place = Key(Pipe(at, [Use(at, row), key, _native(at, "tostring")]))
    update = Assign(at, "=", Access(at, Identity(at), [place]), Use(at, row))
    return Reduce(at, rows, [VariablePattern(row)], Object(at, []), update)


_WITHOUT_SCOPE: Final[dict[str, Callable[..., Node]]] = {
    "true/0": lambda at: Literal(at, True),
    "false/0": lambda at: Literal(at, False),
    "null/0": lambda at: Literal(at, None),
    "empty/0": Empty,
    "recurse/0": Descend,
    "recurse/2": lambda at, f, test: Form(at, "recurse", [Pipe(at, [f, _select(at, test)])]),
    "select/1": _select,
    "map/1": _map,
    "map_values/1": lambda at, f: Assign(at, "|=", _each(at), f),
    "with_entries/1": lambda at, f: Pipe(
        at, [_native(at, "to_entries"), _map(at, f), _native(at, "from_entries")]
    ),
    "values/0": lambda at: _select(at, Compare(at, "!=", Identity(at), Literal(at, None))),
    "nulls/0": lambda at: _select(at, Compare(at, "==", Identity(at), Literal(at, None))),
    "booleans/0": lambda at: _select(at, _is(at, "boolean")),
    "numbers/0": lambda at: _select(at, _is(at, "number")),
    "strings/0": lambda at: _select(at, _is(at, "string")),
    "arrays/0": lambda at: _select(at, _is(at, "array")),
    "objects/0": lambda at: _select(at, _is(at, "object")),
    "iterables/0": lambda at: _select(at, _is(at, "array", "object")),
    "scalars/0": lambda at: _select(at, _not(at, _is(at, "array", "object"))),
    "finites/0": lambda at: _select(at, _native(at, "isfinite")),
    "normals/0": lambda at: _select(at, _native(at, "isnormal")),
    "add/1": lambda at, f: Pipe(at, [Array(at, f), _native(at, "add")]),
    "any/0": lambda at: Form(at, "any", [_each(at), Identity(at)]),
    "all/0": lambda at: Form(at, "all", [_each(at), Identity(at)]),
    "any/1": lambda at, f: Form(at, "any", [_each(at), f]),
    "all/1": lambda at, f: Form(at, "all", [_each(at), f]),
    "first/0": lambda at: Access(at, Identity(at), [Key(Literal(at, 0))]),
    "last/0": lambda at: Access(at, Identity(at), [Key(Literal(at, -1))]),
    "nth/1": lambda at, n: Access(at, Identity(at), [Key(n)]),
    "range/1": lambda at, end: Form(at, "range", [Literal(at, 0), end]),
    "paths/1": lambda at, f: Pipe(
        at,
        [
            Form(at, "path", [Pipe(at, [Descend(at), _select(at, f)])]),
            _select(at, Compare(at, "!=", Identity(at), Array(at, None))),
        ],
    ),
    "leaf_paths/0": lambda at: _WITHOUT_SCOPE["paths/1"](at, _not(at, _is(at, "array", "object"))),
    "sub/2": lambda at, re, f: Form(at, "sub", [re, f, Literal(at, "")]),
    "gsub/2": lambda at, re, f: Form(at, "sub", [re, f, Literal(at, "g")]),
    "gsub/3": lambda at, re, f, flags: Form(at, "sub", [re, f, Chain(at, flags, [("+", Literal(at, "g"))])]),
    "dateadd/2": lambda at, _unit, n: Chain(at, Identity(at), [("+", n)]),
    "datesub/2": lambda at, _unit, n: Chain(at, Identity(at), [("-", n)]),
    "isvalid/1": lambda at, f: Try(at, Pipe(at, [f, Literal(at, True)]), Literal(at, False)),
    "IN/2": lambda at, rows, s: _any(at, Compare(at, "==", rows, s)),
}
_WITH_SCOPE: Final[dict[str, Callable[..., Node]]] = {
    "now/0": lambda at, scope: Use(at, scope.environment(NOW)),
    "in/1": lambda at, scope, xs: _bound(
        at, Identity(at), scope, lambda x: Pipe(at, [xs, _native(at, "has", x)])
    ),
    "inside/1": lambda at, scope, xs: _bound(
        at, Identity(at), scope, lambda x: Pipe(at, [xs, _native(at, "contains", x)])
    ),
    "IN/1": lambda at, scope, s: _bound(
        at,
        Identity(at),
        scope,
        lambda x: _any(at, Pipe(at, [s, Compare(at, "==", x, Identity(at))])),
    ),
    "INDEX/2": _index,
    "INDEX/1": lambda at, scope, key: _index(at, scope, _each(at), key),
    "JOIN/2": lambda at, scope, table, key: _bound(
        at, table, scope, lambda x: _map(at, _looked_up(at, x, key))
    ),
    "JOIN/3": lambda at, scope, table, rows, key: _bound(
        at, table, scope, lambda x: Pipe(at, [rows, _looked_up(at, x, key)])
    ),
    "JOIN/4": lambda at, scope, table, rows, key, f: _bound(
        at, table, scope, lambda x: Pipe(at, [rows, _looked_up(at, x, key), f])
    ),
    "combinations/1": lambda at, scope, n: _bound(
        at,
        Identity(at),
        scope,
        lambda x: Pipe(
            at,
            [Array(at, Pipe(at, [Form(at, "range", [Literal(at, 0), n]), x])), _native(at, "combinations")],
        ),
    ),
    "truncate_stream/1": lambda at, scope, f: _bound(
        at, Identity(at), scope, lambda x: Pipe(at, [Literal(at, None), f, _native(at, "truncated", x)])
    ),
}
_ALL: Final = frozenset({*NATIVES, *FORMS, *_WITHOUT_SCOPE, *_WITH_SCOPE})


def build(name: str, arguments: list[Node], position: int, scope: Scope) -> Node | None:
    """The tree for a call of a built-in function, None if there is no such function."""
    key = f"{name}/{len(arguments)}"
    if key in NATIVES:
        return CallNative(position, NATIVES[key], arguments)
    if key in FORMS:
        return Form(position, name, arguments)
    if key in _WITHOUT_SCOPE:
        return _WITHOUT_SCOPE[key](position, *arguments)
    if key in _WITH_SCOPE:
        return _WITH_SCOPE[key](position, scope, *arguments)
    return None


def _taking(count: int) -> str:
    return "no argument" if count == 0 else "1 argument" if count == 1 else f"{count} arguments"


def unknown(name: str, arity: int, own: list[int]) -> str:
    """What to say about a call that means nothing; `own` are the arities that the program defines for `name`."""
    if name in _REFUSED:
        return f"{name} is refused: {_REFUSED[name]}"
    arities = sorted({*own, *(int(key.rpartition("/")[2]) for key in _ALL if key.startswith(name + "/"))})
    if arities:
        known = " or ".join(_taking(count) for count in arities)
        return f"{name} takes {known}, not {_taking(arity)}"
    near = get_close_matches(name, {key.partition("/")[0] for key in _ALL}, n=1, cutoff=0.7)
    return f"there is no function {name}" + (f"; is {near[0]} meant?" if near else "")
