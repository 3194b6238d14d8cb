"""Reading at a key, a slice or a path, and going through items."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from automations.engine.dsl.jq.builtins.arithmetic import ITEM, text_size
from automations.engine.dsl.jq.builtins.ordering import equal
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described, is_number, type_name

_NOT_WHOLE: Final = "Array/string slice indices must be integers"
Path = tuple[Json, ...]


def _refuse(value: Json, key: Json) -> Raised:
    if value.__class__ is list and key.__class__ is dict:
        return Raised(_NOT_WHOLE)
    return Raised(f"Cannot index {type_name(value)} with {described(key)}")


def field(value: Json, name: str) -> Json:
    """`.name`: null where there is none, and of null."""
    if value.__class__ is dict:
        return value.get(name)
    if value is None:
        return None
    raise _refuse(value, name)


def fields(value: Json, names: Iterable[str | int]) -> Json:
    """`.a.b[0].c`: `names` are texts and whole numbers."""
    for name in names:
        value = field(value, name) if isinstance(name, str) else item(value, name)
    return value


def item(value: Json, number: float) -> Json:
    """`.[number]`, from the end if below 0: null where there is none, and of null."""
    if value.__class__ is list:
        if number.__class__ is float and not math.isfinite(number):
            return None
        try:
            return value[int(number)]
        except IndexError:
            return None
    if value is None:
        return None
    raise _refuse(value, number)


def indices_of(fuel: Fuel, items: list[Json], row: list[Json]) -> Json:
    """Where `row` stands in `items`, item by item."""
    width = len(row)
    if not width:
        return []
    fuel.step(1 + len(items) // 2)
    starts = range(len(items) - width + 1)
    first = [start for start in starts if equal(fuel, items[start], row[0])]
    return [start for start in first if width == 1 or equal(fuel, items[start : start + width], row)]


def index(fuel: Fuel, value: Json, key: Json) -> Json:
    """`.[key]` for any key: a name, a number, a slice as an object, or an array to look for."""
    if key.__class__ is str:
        return field(value, key)
    if is_number(key):
        return item(value, key)
    if key.__class__ is dict and value.__class__ in (list, str, type(None)):
        if value is None:
            return None
        if "start" not in key or "end" not in key:
            raise Raised(_NOT_WHOLE)
        return cut(fuel, value, key["start"], key["end"])
    if key.__class__ is list and value.__class__ is list:
        return indices_of(fuel, value, key)
    raise _refuse(value, key)


def _bound(bound: Json, size: int, *, end: bool) -> int:
    if bound is None or bound != bound:  # noqa: PLR0124 - only NaN differs from itself
        return size if end else 0
    if abs(bound) > size:
        return size if bound > 0 else 0
    whole: int = math.ceil(bound) if end else math.floor(bound)
    return min(max(whole + size if bound < 0 else whole, 0), size)


def bounds(size: int, start: Json, end: Json) -> tuple[int, int]:
    """Where a slice of something of `size` starts and ends. Raises if a bound is not a number."""
    for bound in (start, end):
        if bound is not None and not is_number(bound):
            raise Raised(_NOT_WHOLE)
    first = _bound(start, size, end=False)
    return first, max(_bound(end, size, end=True), first)


def cut(fuel: Fuel, value: Json, start: Json, end: Json) -> Json:
    """`.[start:end]` of an array or a text, from the end if below 0; null of null."""
    if value is None:
        return None
    if value.__class__ is not list and value.__class__ is not str:
        raise _refuse(value, {"start": start, "end": end})
    fuel.step(1)
    first, last = bounds(len(value), start, end)
    part: Json = value[first:last]
    fuel.grow(text_size(part) if part.__class__ is str else ITEM * len(part) + 56)
    return part


def draw_each(fuel: Fuel, value: Json, steps: int) -> Json:
    """`.[]`, drawing `steps` for each item in advance."""
    found: Json = value
    if value.__class__ is dict:
        found = value.values()
    elif value.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    fuel.steps -= steps * len(found)
    if fuel.steps < 0:
        raise fuel.spent()
    return found


def draw_each_if(fuel: Fuel, value: Json, steps: int) -> Iterable[Json]:
    """`.[]?`: nothing where there are no items."""
    return draw_each(fuel, value, steps) if value.__class__ in (list, dict) else ()


def each_pair(fuel: Fuel, value: Json, steps: int) -> Iterable[tuple[Json, Json]]:
    """Keys and items, drawing `steps` for each in advance."""
    draw_each(fuel, value, steps)
    return enumerate(value) if value.__class__ is list else value.items()


def each_pair_if(fuel: Fuel, value: Json, steps: int) -> Iterable[tuple[Json, Json]]:
    """Keys and items, none where there are none."""
    return each_pair(fuel, value, steps) if value.__class__ in (list, dict) else ()


def get_path(fuel: Fuel, value: Json, path: Json) -> Json:
    """`getpath(path)`"""
    if path.__class__ is not list:
        raise Raised("Path must be specified as an array")
    fuel.step(1 + len(path) // 4)
    for key in path:
        value = index(fuel, value, key)
    return value


def descend(value: Json) -> Iterator[Json]:
    """`..`: the value, then all in it, each before what is in it; whoever goes through it draws the fuel."""
    waiting: list[Iterator[Json]] = [iter((value,))]
    while waiting:
        for found in waiting[-1]:
            yield found
            if found.__class__ is list:
                waiting.append(iter(found))
                break
            if found.__class__ is dict:
                waiting.append(iter(found.values()))
                break
        else:
            waiting.pop()


def descend_paths(fuel: Fuel, value: Json, path: Path) -> Iterator[tuple[Json, Path]]:
    """`..` with the path of each value."""
    waiting: list[Iterator[tuple[Json, Path]]] = [iter(((value, path),))]
    while waiting:
        for found, way in waiting[-1]:
            fuel.step(1)
            fuel.grow(ITEM * len(way))
            yield found, way
            if found.__class__ is list or found.__class__ is dict:
                waiting.append(_below(found, way))
                break
        else:
            waiting.pop()


def _below(value: Json, path: Path) -> Iterator[tuple[Json, Path]]:
    pairs = enumerate(value) if value.__class__ is list else value.items()
    for key, found in pairs:
        yield found, (*path, key)


def paths(fuel: Fuel, value: Json) -> Iterator[Json]:
    """`paths`: the paths of all in `value`, but not its own."""
    found = descend_paths(fuel, value, ())
    next(found)
    for _, path in found:
        yield list(path)
