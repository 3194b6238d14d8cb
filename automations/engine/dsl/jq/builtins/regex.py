"""`test`, `match`, `capture`, `scan`, `split` and `sub` with regular expressions."""

from collections.abc import Callable, Iterable, Iterator

from automations.engine.dsl.jq.builtins.arithmetic import add, text_size
from automations.engine.dsl.jq.builtins.patterns import Pattern, Search, pattern_of
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, type_name


def _asked(fuel: Fuel, asked: Json) -> Pattern:
    """The pattern of the forms `"regex"`, `["regex"]` and `["regex", "flags"]`."""
    if asked.__class__ is list and asked:
        return pattern_of(fuel, asked[0], asked[1] if len(asked) > 1 else None)
    if asked.__class__ is not str and asked.__class__ is not Pattern:
        raise Raised(f"{type_name(asked)} not a string or array")
    return pattern_of(fuel, asked, None)


def _names(search: Search) -> list[str | None]:
    """The name of each group, None where it has none."""
    found: list[str | None] = [None] * search.program.groups
    for name, number in search.program.groupindex.items():
        found[number - 1] = name
    return found


def test(fuel: Fuel, value: Json, asked: Json) -> Json:
    """`test(regex)`"""
    return Search(fuel, value, _asked(fuel, asked)).found()


def test_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Json:
    """`test(regex; flags)`"""
    return Search(fuel, value, pattern_of(fuel, regex, flags)).found()


def _group(match: Json, number: int, name: str | None) -> Json:
    start, end = match.span(number)
    if start == end:
        return {"offset": start, "string": None if start < 0 else "", "length": 0, "name": name}
    return {"offset": start, "length": end - start, "string": match.group(number), "name": name}


def _matches(search: Search) -> Iterator[Json]:
    names = _names(search)
    for match in search:
        start, end = match.span()
        search.fuel.grow(400 * (1 + len(names)) + text_size(match.group()) * (1 + len(names)))
        captures = [_group(match, number, name) for number, name in enumerate(names, 1)]
        yield {"offset": start, "length": end - start, "string": match.group(), "captures": captures}


def match(fuel: Fuel, value: Json, asked: Json) -> Iterator[Json]:
    """`match(regex)`"""
    return _matches(Search(fuel, value, _asked(fuel, asked)))


def match_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Iterator[Json]:
    """`match(regex; flags)`"""
    return _matches(Search(fuel, value, pattern_of(fuel, regex, flags)))


def _named(search: Search, match: Json, names: list[str | None]) -> Json:
    """The named groups of a match as an object."""
    search.fuel.grow(64 * len(names) + text_size(match.group()))
    return {name: match.group(number) for number, name in enumerate(names, 1) if name is not None}


def _captures(search: Search) -> Iterator[Json]:
    names = _names(search)
    for match in search:
        yield _named(search, match, names)


def capture(fuel: Fuel, value: Json, asked: Json) -> Iterator[Json]:
    """`capture(regex)`"""
    return _captures(Search(fuel, value, _asked(fuel, asked)))


def capture_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Iterator[Json]:
    """`capture(regex; flags)`"""
    return _captures(Search(fuel, value, pattern_of(fuel, regex, flags)))


def scan(fuel: Fuel, value: Json, regex: Json, flags: Json = None) -> Iterator[Json]:
    """`scan(regex)`, `scan(regex; flags)`: what matches, or its groups if there are any."""
    search = Search(fuel, value, pattern_of(fuel, regex, flags).with_flags("g"))
    grouped = bool(search.program.groups)
    for match in search:
        fuel.grow(100 + text_size(match.group()) * (1 + search.program.groups))
        yield list(match.groups()) if grouped else match.group()


def splits(fuel: Fuel, value: Json, regex: Json, flags: Json = None) -> Iterator[Json]:
    """`splits(regex)`, `splits(regex; flags)`"""
    search = Search(fuel, value, pattern_of(fuel, regex, flags).with_flags("g"))
    end = 0
    for match in search:
        fuel.grow(60 + match.start() - end)
        yield value[end : match.start()]
        end = match.end()
    yield value[end:]


def split_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Json:
    """`split(regex; flags)`"""
    return list(splits(fuel, value, regex, flags))


def substitute(
    fuel: Fuel, value: Json, regex: Json, flags: Json, write: Callable[[Json], Iterable[Json]]
) -> Iterator[Json]:
    """`sub(regex; f; flags)`: `write` gives what may stand for a match, from its named groups.

    If it gives several texts there are as many results: the first made with all the firsts, and so on.
    """
    search = Search(fuel, value, pattern_of(fuel, regex, flags))
    names = _names(search)
    results: list[list[str]] = []
    end = 0
    for match in search:
        gap = value[end : match.start()]
        for number, text in enumerate(write(_named(search, match, names))):
            fuel.step(1)
            if text.__class__ is not str:
                add(fuel, gap, text)  # null is nothing, all else is refused
            if number == len(results):
                results.append([])
            fuel.grow(text_size(gap) + (text_size(text) if text else 0))
            results[number] += [gap, text or ""]
        end = match.end()
    if not results:
        yield value
    for parts in results:
        rest = value[end:]
        fuel.grow(sum(map(len, parts)) + text_size(rest))
        yield "".join(parts) + rest
