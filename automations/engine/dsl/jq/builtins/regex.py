"""`test`, `match`, `capture`, `scan`, `split` and `sub` with regular expressions."""

from collections.abc import Callable, Iterable, Iterator

from automations.engine.dsl.jq.builtins.arithmetic import add, text_size
from automations.engine.dsl.jq.builtins.patterns import Pattern, Search
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, type_name


def _search(fuel: Fuel, value: Json, asked: Json) -> Search:
    """The search for the forms `"regex"`, `["regex"]` and `["regex", "flags"]`."""
    if asked.__class__ is list and asked:
        return Search(fuel, value, asked[0], asked[1] if len(asked) > 1 else None)
    if asked.__class__ is not str and asked.__class__ is not Pattern:
        raise Raised(f"{type_name(asked)} not a string or array")
    return Search(fuel, value, asked, None)


def test(fuel: Fuel, value: Json, asked: Json) -> Json:
    """`test(regex)`"""
    return _search(fuel, value, asked).found()


def test_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Json:
    """`test(regex; flags)`"""
    return Search(fuel, value, regex, flags).found()


def _group(text: str, span: tuple[int, int], name: str | None) -> Json:
    start, end = span
    if start == end:
        return {"offset": start, "string": None if start < 0 else "", "length": 0, "name": name}
    return {"offset": start, "length": end - start, "string": text[start:end], "name": name}


def _part(text: str, span: tuple[int, int]) -> str | None:
    """What a group matched, None if it took no part."""
    return None if span[0] < 0 else text[span[0] : span[1]]


def _matches(search: Search) -> Iterator[Json]:
    names, text = search.names(), search.text
    for (start, end), *groups in search.spans():
        search.fuel.grow((400 + end - start) * (1 + len(groups)))
        captures = [_group(text, span, name) for span, name in zip(groups, names, strict=True)]
        yield {"offset": start, "length": end - start, "string": text[start:end], "captures": captures}


def match(fuel: Fuel, value: Json, asked: Json) -> Iterator[Json]:
    """`match(regex)`"""
    return _matches(_search(fuel, value, asked))


def match_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Iterator[Json]:
    """`match(regex; flags)`"""
    return _matches(Search(fuel, value, regex, flags))


def _named(search: Search, spans: list[tuple[int, int]], names: list[str | None]) -> Json:
    """The named groups of a match as an object."""
    if not names:
        return {}
    start, end = spans[0]
    search.fuel.grow((120 + end - start) * len(names))
    pairs = zip(names, spans[1:], strict=True)
    return {name: _part(search.text, span) for name, span in pairs if name is not None}


def _captures(search: Search) -> Iterator[Json]:
    names = search.names()
    for spans in search.spans():
        yield _named(search, spans, names)


def capture(fuel: Fuel, value: Json, asked: Json) -> Iterator[Json]:
    """`capture(regex)`"""
    return _captures(_search(fuel, value, asked))


def capture_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Iterator[Json]:
    """`capture(regex; flags)`"""
    return _captures(Search(fuel, value, regex, flags))


def scan(fuel: Fuel, value: Json, regex: Json, flags: Json = None) -> Iterator[Json]:
    """`scan(regex)`, `scan(regex; flags)`: what matches, or its groups if there are any."""
    search = Search(fuel, value, regex, flags, more="g")
    for (start, end), *groups in search.spans():
        fuel.grow((100 + end - start) * (1 + len(groups)))
        yield [_part(search.text, span) for span in groups] if groups else value[start:end]


def splits(fuel: Fuel, value: Json, regex: Json, flags: Json = None) -> Iterator[Json]:
    """`splits(regex)`, `splits(regex; flags)`"""
    search = Search(fuel, value, regex, flags, more="g")
    position = 0
    for (start, end), *_ in search.spans():
        fuel.grow(60 + start - position)
        yield value[position:start]
        position = end
    yield value[position:]


def split_with(fuel: Fuel, value: Json, regex: Json, flags: Json) -> Json:
    """`split(regex; flags)`"""
    return list(splits(fuel, value, regex, flags))


def substitute(
    fuel: Fuel, value: Json, regex: Json, flags: Json, write: Callable[[Json], Iterable[Json]]
) -> Iterator[Json]:
    """`sub(regex; f; flags)`: `write` gives what may stand for a match, from its named groups.

    If it gives several texts there are as many results: the first made with all the firsts, and so on.
    """
    search = Search(fuel, value, regex, flags)
    names = search.names()
    results: list[list[str]] = []
    position = 0
    for spans in search.spans():
        start, end = spans[0]
        gap = value[position:start]
        for number, text in enumerate(write(_named(search, spans, names))):
            if text.__class__ is not str:
                add(fuel, gap, text)  # null is nothing, all else is refused
            if number == len(results):
                results.append([])
            fuel.grow(100 + len(gap) + len(text or ""))
            results[number] += [gap, text or ""]
        position = end
    if not results:
        yield value
    for parts in results:
        rest = value[position:]
        fuel.grow(sum(map(len, parts)) + text_size(rest))
        yield "".join(parts) + rest
