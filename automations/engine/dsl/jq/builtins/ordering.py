"""How values compare: null, false, true, numbers, texts, arrays, objects, in that order.

Everything that walks a value draws on fuel, because a small value can share its parts so often that walking it
takes forever.
"""

from typing import Final

from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, described, is_number

_CLASSES: Final[dict[type, int]] = {type(None): 0, int: 3, float: 3, str: 4, list: 5, dict: 6}


class _NanKey:
    """Sorts with all others of its kind and equals none."""

    def __lt__(self, other: object) -> bool:
        return False


def _rank(value: Json) -> int:
    if value.__class__ is bool:
        return 2 if value else 1
    return _CLASSES[value.__class__]


def equal(fuel: Fuel, left: Json, right: Json, level: int = 0) -> bool:
    """Whether two values are the same: 1 is 1.0 but not true; NaN is nothing, not even itself."""
    kind = left.__class__
    if kind is not right.__class__:
        return is_number(left) and is_number(right) and bool(left == right)
    if (kind is not list and kind is not dict) or len(left) != len(right):
        return bool(left == right)
    if level > MAX_LEVELS:
        raise too_deep()
    fuel.step(len(left))
    if kind is list:
        return all(equal(fuel, one, other, level + 1) for one, other in zip(left, right, strict=True))
    return all(key in right and equal(fuel, item, right[key], level + 1) for key, item in left.items())


def _compare_numbers(left: float, right: float) -> int:
    if left != left:  # noqa: PLR0124 - only NaN differs from itself, and it comes before all numbers
        return -1
    if left < right:
        return -1
    return 0 if left == right else 1


def compare(fuel: Fuel, left: Json, right: Json, level: int = 0) -> int:
    """Below, at or above 0 as `left` comes before, with or after `right`."""
    rank = _rank(left)
    other = _rank(right)
    if rank != other or rank < 3:
        return rank - other
    if rank == 3:
        return _compare_numbers(left, right)
    if rank == 4:
        return int(left > right) - int(left < right)
    if level > MAX_LEVELS:
        raise too_deep()
    fuel.step(min(len(left), len(right)))
    if rank == 5:
        for one, two in zip(left, right, strict=False):
            order = compare(fuel, one, two, level + 1)
            if order:
                return order
        return len(left) - len(right)
    keys, others = sorted(left), sorted(right)
    if keys != others:
        return -1 if keys < others else 1
    for key in keys:
        order = compare(fuel, left[key], right[key], level + 1)
        if order:
            return order
    return 0


def less(fuel: Fuel, left: Json, right: Json) -> bool:
    """`left < right`"""
    return compare(fuel, left, right) < 0


def at_most(fuel: Fuel, left: Json, right: Json) -> bool:
    """`left <= right`"""
    return compare(fuel, left, right) <= 0


def _key(fuel: Fuel, value: Json, level: int) -> Json:
    """A key that Python sorts as jq sorts `value`."""
    rank = _rank(value)
    if rank < 3:
        return (rank,)
    if rank == 3:
        return (2.5, _NanKey()) if value != value else (3, value)  # noqa: PLR0124
    if rank == 4:
        return (4, value)
    if level > MAX_LEVELS:
        raise too_deep()
    fuel.step(4 + len(value))
    if rank == 5:
        return (5, [_key(fuel, item, level + 1) for item in value])
    names = sorted(value)
    return (6, names, [_key(fuel, value[name], level + 1) for name in names])


def sort_keys(fuel: Fuel, values: list[Json]) -> list[Json]:
    """For each value a key that Python sorts as jq sorts the value; draws what the sorting will take as well."""
    count = len(values)
    before = fuel.steps
    fuel.step(1 + count // 4)
    kinds = {value.__class__ for value in values}
    plain = kinds in ({str}, {int}) or (kinds <= {int, float} and not any(n != n for n in values))  # noqa: PLR0124
    keys = values if plain else [_key(fuel, value, 0) for value in values]
    fuel.step((before - fuel.steps) * count.bit_length() >> 3)
    return keys


def require_array(value: Json, by: Json) -> list[Json]:
    """`value`, which must be an array to be sorted by `by`, or by itself."""
    if value.__class__ is not list:
        if by is value:
            raise Raised(f"{described(value)} cannot be sorted, as it is not an array")
        raise Raised(f"{described(value)} and {described(by)} cannot be sorted, as they are not both arrays")
    found: list[Json] = value
    return found


def sort(fuel: Fuel, value: Json) -> Json:
    """`sort`"""
    return sort_by(fuel, value, value)


def sort_by(fuel: Fuel, value: Json, by: list[Json]) -> Json:
    """`sort_by(f)`; `by` holds what `f` gave for each item. Items that are equal by it keep their order."""
    items = require_array(value, by)
    keys = sort_keys(fuel, by)
    fuel.grow(16 * len(items))
    if keys is items:
        return sorted(items)
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def _groups(fuel: Fuel, value: Json, by: list[Json]) -> list[list[Json]]:
    items = require_array(value, by)
    keys = sort_keys(fuel, by)
    fuel.grow(100 * len(items))
    found: list[list[Json]] = []
    last: Json = None
    for index in sorted(range(len(items)), key=keys.__getitem__):
        key = keys[index]
        if found and key == last:
            found[-1].append(items[index])
        else:
            found.append([items[index]])
            last = key
    return found


def group_by(fuel: Fuel, value: Json, by: list[Json]) -> Json:
    """`group_by(f)`"""
    return _groups(fuel, value, by)


def unique_by(fuel: Fuel, value: Json, by: list[Json]) -> Json:
    """`unique_by(f)`: the first item of each group."""
    return [group[0] for group in _groups(fuel, value, by)]


def unique(fuel: Fuel, value: Json) -> Json:
    """`unique`"""
    return unique_by(fuel, value, value)


def _require_items(value: Json, by: Json) -> None:
    if value.__class__ is not list:
        raise Raised(f"{described(value)} and {described(by)} cannot be iterated over")


def min_by(fuel: Fuel, value: Json, by: list[Json]) -> Json:
    """`min_by(f)`: the first of the smallest, null of nothing."""
    _require_items(value, by)
    best = -1
    for index, key in enumerate(by):
        if best < 0 or compare(fuel, key, by[best]) < 0:
            best = index
    fuel.step(len(by) // 4)
    return value[best] if by else None


def max_by(fuel: Fuel, value: Json, by: list[Json]) -> Json:
    """`max_by(f)`: the last of the biggest, null of nothing."""
    _require_items(value, by)
    best = -1
    for index, key in enumerate(by):
        if best < 0 or compare(fuel, key, by[best]) >= 0:
            best = index
    fuel.step(len(by) // 4)
    return value[best] if by else None


def smallest(fuel: Fuel, value: Json) -> Json:
    """`min`"""
    return min_by(fuel, value, value)


def biggest(fuel: Fuel, value: Json) -> Json:
    """`max`"""
    return max_by(fuel, value, value)


def bsearch(fuel: Fuel, value: Json, wanted: Json) -> Json:
    """`bsearch(x)`: the index of `wanted` in a sorted array, or -1 - the index where it would stand."""
    if value.__class__ is not list:
        raise Raised(f"{described(value)} cannot be searched from")
    low, high = 0, len(value)
    while low < high:
        middle = (low + high) // 2
        order = compare(fuel, value[middle], wanted)
        if order == 0:
            return middle
        if order < 0:
            low = middle + 1
        else:
            high = middle
    return -1 - low
