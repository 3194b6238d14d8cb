"""Reading arrays and objects: length, keys, entries, search, flattening, combining."""

from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import Final

from automations.engine.dsl.jq.builtins.access import cut, index, indices_of
from automations.engine.dsl.jq.builtins.access import item as item_of
from automations.engine.dsl.jq.builtins.arithmetic import ENTRY, ITEM
from automations.engine.dsl.jq.builtins.ordering import equal, less
from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, described, is_number, type_name

_WIDEST: Final = 1_000_000_000
_PAIR: Final = 200
"""Bytes that an object with a key and a value takes."""


def length(_fuel: Fuel, value: Json) -> Json:
    """`length`: characters, items, entries; of a number its absolute value."""
    if value is None:
        return 0
    if value.__class__ is bool:
        raise Raised(f"{described(value)} has no length")
    return abs(value) if is_number(value) else len(value)


def kind(_fuel: Fuel, value: Json) -> Json:
    """`type`"""
    return type_name(value)


def keys(fuel: Fuel, value: Json) -> Json:
    """`keys`, sorted; of an array its indices."""
    found = keys_unsorted(fuel, value)
    return sorted(found) if value.__class__ is dict else found


def keys_unsorted(fuel: Fuel, value: Json) -> Json:
    """`keys_unsorted`"""
    if value.__class__ is not dict and value.__class__ is not list:
        raise Raised(f"{described(value)} has no keys")
    fuel.step(1 + (len(value) >> 4))
    fuel.grow(ITEM * len(value))
    return list(value) if value.__class__ is dict else list(range(len(value)))


def has(_fuel: Fuel, value: Json, key: Json) -> Json:
    """`has(key)`"""
    if value is None:
        return False
    if value.__class__ is dict and key.__class__ is str:
        return key in value
    if value.__class__ is list and is_number(key):
        return 0 <= key < len(value)
    raise Raised(f"Cannot check whether {type_name(value)} has a {type_name(key)} key")


def _contains(fuel: Fuel, value: Json, part: Json, level: int) -> bool:
    if value.__class__ is dict and part.__class__ is dict:
        fuel.step(1 + len(part))
        if level > MAX_LEVELS:
            raise too_deep()
        return all(key in value and _alike(fuel, value[key], item, level + 1) for key, item in part.items())
    if value.__class__ is list and part.__class__ is list:
        fuel.step(1 + len(part) * len(value))
        if level > MAX_LEVELS:
            raise too_deep()
        return all(any(_alike(fuel, item, wanted, level + 1) for item in value) for wanted in part)
    if value.__class__ is str and part.__class__ is str:
        fuel.step(1 + (len(value) >> 8))
        return part in value
    return equal(fuel, value, part)


def _alike(fuel: Fuel, value: Json, part: Json, level: int) -> bool:
    """Whether what is inside of something has `part` in it; what is of another type simply has not."""
    return type_name(value) == type_name(part) and _contains(fuel, value, part, level)


def contains(fuel: Fuel, value: Json, part: Json) -> bool:
    """`contains(part)`: texts by substring, arrays and objects by their items."""
    if type_name(value) != type_name(part):
        raise Raised(f"{described(value)} and {described(part)} cannot have their containment checked")
    return _contains(fuel, value, part, 0)


def indices(fuel: Fuel, value: Json, part: Json) -> Json:
    """`indices(part)`: where a text, an item or a row of items stands."""
    if value.__class__ is list:
        return indices_of(fuel, value, part if part.__class__ is list else [part])
    if value.__class__ is not str or part.__class__ is not str:
        return index(fuel, value, part)
    found: list[Json] = []
    start = value.find(part) if part else -1
    while start >= 0:
        found.append(start)
        fuel.step(1)
        start = value.find(part, start + 1)
    fuel.step(len(value) >> 8)
    return found


def first_index(fuel: Fuel, value: Json, part: Json) -> Json:
    """`index(part)`"""
    return item_of(indices(fuel, value, part), 0)


def last_index(fuel: Fuel, value: Json, part: Json) -> Json:
    """`rindex(part)`"""
    return item_of(cut(fuel, indices(fuel, value, part), -1, None), 0)


def to_entries(fuel: Fuel, value: Json) -> Json:
    """`to_entries`"""
    if value.__class__ is dict:
        fuel.step(1 + len(value) // 2)
        fuel.grow(_PAIR * len(value))
        return [{"key": key, "value": item} for key, item in value.items()]
    if value.__class__ is list:
        fuel.step(1 + len(value) // 2)
        fuel.grow(_PAIR * len(value))
        return [{"key": key, "value": item} for key, item in enumerate(value)]
    raise Raised(f"{described(value)} has no keys")


def _entry_key(entry: dict[str, Json]) -> Json:
    found: Json = None
    for name in ("key", "Key", "name", "Name"):
        found = entry.get(name)
        if found is not None and found is not False:
            break
    return found


def from_entries(fuel: Fuel, value: Json) -> Json:
    """`from_entries`: keys named key or name, values named value, either with a capital letter."""
    entries = list(value.values()) if value.__class__ is dict else value
    if entries.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    fuel.step(1 + len(entries) // 2)
    fuel.grow(ENTRY * len(entries))
    result: dict[str, Json] = {}
    for entry in entries:
        if entry.__class__ is not dict and entry is not None:
            raise Raised(f'Cannot index {type_name(entry)} with string ("key")')
        pair: dict[str, Json] = entry or {}
        key = _entry_key(pair)
        if key.__class__ is not str:
            raise Raised(f"Cannot use {described(key)} as object key")
        result[key] = pair["value"] if "value" in pair else pair.get("Value")
    return result


def _flatten(fuel: Fuel, items: list[Json], depth: float, into: list[Json], level: int) -> None:
    if level > MAX_LEVELS:
        raise too_deep()
    fuel.step(1 + len(items) // 4)
    for item in items:
        if item.__class__ is list and depth != 0:
            if not is_number(depth):
                raise Raised(f"{described(depth)} and number (1) cannot be subtracted")
            _flatten(fuel, item, depth - 1, into, level + 1)
        else:
            into.append(item)


def flatten(fuel: Fuel, value: Json, depth: Json = -1) -> Json:
    """`flatten`, `flatten(depth)`; without a depth all levels."""
    items = list(value.values()) if value.__class__ is dict else value
    if items.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    found: list[Json] = []
    _flatten(fuel, items, depth, found, 0)
    return found


def flatten_to(fuel: Fuel, value: Json, depth: Json) -> Json:
    """`flatten(depth)`"""
    if less(fuel, depth, 0):
        raise Raised("flatten depth must not be negative")
    return flatten(fuel, value, depth)


def reverse(fuel: Fuel, value: Json) -> Json:
    """`reverse` of an array; of nothing, nothing."""
    if value.__class__ is list:
        fuel.grow(ITEM * len(value))
        return value[::-1]
    count = length(fuel, value)
    if not count:
        return []
    raise Raised(f"Cannot index {type_name(value)} with {described(count - 1)}")


def transpose(fuel: Fuel, value: Json) -> Json:
    """`transpose`: rows to columns, padded with null."""
    rows = list(value.values()) if value.__class__ is dict else value
    if rows.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    widths = [length(fuel, row) for row in rows]
    width = ceil(min(max((width for width in widths if width == width), default=0), _WIDEST))  # noqa: PLR0124
    fuel.step(1 + width * len(rows) // 4)
    fuel.grow(ITEM * width * (len(rows) + 7))
    return [[item_of(row, column) for row in rows] for column in range(width)]


def combinations(fuel: Fuel, value: Json) -> Iterator[Json]:
    """`combinations`: one item of each array, in all ways."""
    if value.__class__ is not list:
        if not length(fuel, value):
            return iter([[]])
        raise Raised(f"Cannot index {type_name(value)} with number (0)")
    parts = []
    for part in value:
        items = list(part.values()) if part.__class__ is dict else part
        if items.__class__ is not list:
            raise Raised(f"Cannot iterate over {described(part)}")
        if not items:
            return iter(())
        parts.append(items)
    return _combinations(fuel, parts)


def _combinations(fuel: Fuel, parts: list[list[Json]]) -> Iterator[Json]:
    fuel.step(sum(map(len, parts)) // 4)
    for combination in product(*parts):
        fuel.grow(ITEM * len(combination) + 56)
        fuel.step(1)
        yield list(combination)


def to_array(_fuel: Fuel, value: Json) -> Json:
    """`toarray`: `value` itself if it is an array, else an array with it."""
    return value if value.__class__ is list else [value]
