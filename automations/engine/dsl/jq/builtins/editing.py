"""Changing copies: `setpath`, `delpaths` and all assignments.

A Draft copies each array and object at most once, when it is first written to, so a thousand writes to one object
cost one copy. What it has copied nobody else can see, unless it was read out of the draft and kept.
"""

from functools import cmp_to_key
from typing import Final

from automations.engine.dsl.jq.builtins.access import Path, bounds, index
from automations.engine.dsl.jq.builtins.arithmetic import ENTRY, ITEM, add, text_size
from automations.engine.dsl.jq.builtins.ordering import compare, equal
from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, described, is_number, type_name

_MAX_INDEX: Final = 536_870_911


class Draft:
    """A value being changed; `root` is what it is now."""

    __slots__ = ("_dropped", "_fuel", "_owned", "root")

    def __init__(self, fuel: Fuel, root: Json) -> None:
        self.root = root
        self._fuel = fuel
        self._owned: dict[int, Json] = {}
        """The arrays and objects that are our own copies, by identity."""
        self._dropped: list[Path] = []

    def get(self, path: Path) -> Json:
        """What stands at `path`; whoever keeps it sees no later change."""
        value = self.root
        for key in path:
            value = index(self._fuel, value, key)
        if id(value) in self._owned:
            self._owned.clear()
        return value

    def peek(self, path: Path) -> Json:
        """What stands at `path`, for a look that keeps no part of it."""
        value = self.root
        for key in path:
            value = index(self._fuel, value, key)
        return value

    def add(self, path: Path, value: Json) -> None:
        """Adds `value` to what stands at `path`, in place where that is our own."""
        old = self.peek(path)
        if (
            old.__class__ is str and value.__class__ is str
        ):  # the old text is not kept, so it need not be paid for
            self._fuel.grow(text_size(value))
            self._fuel.step(len(old) >> 12)
            self.set(path, old + value)
            return
        if id(old) in self._owned and old.__class__ is value.__class__:
            if old.__class__ is list:
                self._fuel.grow(ITEM * len(value))
                old.extend(value)
                return
            if old.__class__ is dict:
                self._fuel.grow(ENTRY * len(value))
                old.update(value)
                return
        new = add(self._fuel, old, value)
        if new is not old and new is not value and new.__class__ in (list, dict):
            self._owned[id(new)] = new
        self.set(path, new)

    def set(self, path: Path, value: Json) -> None:
        """Puts `value` at `path`; null on the way becomes an array or object."""
        root = self.root
        if len(path) == 1 and path[0].__class__ is str and root.__class__ is dict and id(root) in self._owned:
            if path[0] not in root:
                self._fuel.grow(ENTRY)
            root[path[0]] = value  # what loops do most
            return
        if len(path) > MAX_LEVELS:
            raise too_deep()
        self._fuel.step(1 + len(path) // 2)
        holders = [root]
        for key in path:
            holders.append(index(self._fuel, holders[-1], key))
        for number in range(len(path) - 1, -1, -1):
            value = self._put(holders[number], path[number], value)
        self.root = value

    def drop(self, path: Path) -> None:
        """Deletes `path` at the end, when all else is done."""
        self._dropped.append(path)

    def result(self) -> Json:
        """What became of the value."""
        if self._dropped:
            self.delete(self._dropped)
            self._dropped = []
        return self.root

    def delete(self, paths: list[Path]) -> None:
        """Deletes `paths`, all those in one array or object at a time, so that none shifts another."""
        fuel = self._fuel
        fuel.step(len(paths) * len(paths).bit_length())
        ordered = sorted(map(list, paths), key=cmp_to_key(lambda one, other: compare(fuel, one, other)))
        if ordered:
            self.root = None if not ordered[0] else self._without(self.root, ordered, 0)

    def _without(self, holder: Json, paths: list[list[Json]], depth: int) -> Json:
        """`holder` without what the sorted `paths` lead to, of which `depth` keys have led to it."""
        if depth > MAX_LEVELS:
            raise too_deep()
        fuel = self._fuel
        ending: list[Json] = []
        start = 0
        while start < len(paths):
            fuel.step(1)
            key, end = paths[start][depth], start + 1
            while end < len(paths) and equal(fuel, paths[end][depth], key):
                end += 1
            if len(paths[start]) == depth + 1:
                ending.append(key)
            else:
                below = index(fuel, holder, key)
                if below is not None:
                    holder = self._put(holder, key, self._without(below, paths[start:end], depth + 1))
            start = end
        return self._without_keys(holder, ending) if ending else holder

    def _own(self, value: Json) -> Json:
        """`value`, or a copy of it that may be changed."""
        if id(value) in self._owned:
            return value
        copy: Json
        if value.__class__ is list:
            self._fuel.grow(ITEM * len(value) + 56)
            copy = list(value)
        else:
            self._fuel.grow(ENTRY * len(value) + 64)
            copy = dict(value)
        self._owned[id(copy)] = copy
        return copy

    def _put(self, holder: Json, key: Json, value: Json) -> Json:
        """`holder` with `value` at `key`."""
        if key.__class__ is str and (holder.__class__ is dict or holder is None):
            holder = self._own({} if holder is None else holder)
            if key not in holder:
                self._fuel.grow(ENTRY)
            holder[key] = value
            return holder
        if is_number(key) and (holder.__class__ is list or holder is None):
            return self._put_item([] if holder is None else holder, key, value)
        if key.__class__ is dict and (holder.__class__ is list or holder is None):
            return self._put_slice([] if holder is None else holder, key, value)
        if key.__class__ is dict and holder.__class__ is str:
            raise Raised("Cannot update string slices")
        if key.__class__ is list and holder.__class__ is list:
            raise Raised("Cannot update field at array index of array")
        raise Raised(f"Cannot update field of {type_name(holder)} with {described(key)}")

    def _put_item(self, holder: list[Json], key: float, value: Json) -> Json:
        if key != key:  # noqa: PLR0124 - only NaN differs from itself
            raise Raised("Cannot set array element at NaN index")
        if abs(key) > _MAX_INDEX:
            raise Raised("Array index too large" if key > 0 else "Out of bounds negative array index")
        place = int(key)
        if place < 0:
            place += len(holder)
            if place < 0:
                raise Raised("Out of bounds negative array index")
        items: list[Json] = self._own(holder)
        missing = place + 1 - len(items)
        if missing > 0:
            self._fuel.grow(ITEM * missing)
            items.extend([None] * missing)
        items[place] = value
        return items

    def _put_slice(self, holder: list[Json], key: dict[str, Json], value: Json) -> Json:
        if value.__class__ is not list:
            raise Raised("A slice of an array can only be assigned another array")
        first, last = _slice_bounds(holder, key)
        items: list[Json] = self._own(holder)
        self._fuel.grow(ITEM * len(value))
        self._fuel.step(len(items) >> 8)
        items[first:last] = value
        return items

    def _without_keys(self, holder: Json, keys: list[Json]) -> Json:
        """`holder` without `keys`."""
        if holder is None:
            return None
        if holder.__class__ is dict:
            for key in keys:
                if key.__class__ is not str:
                    raise Raised(f"Cannot delete {type_name(key)} field of object")
            if any(key in holder for key in keys):
                holder = self._own(holder)
                for key in keys:
                    holder.pop(key, None)
            return holder
        if holder.__class__ is not list:
            raise Raised(f"Cannot delete fields from {type_name(holder)}")
        ranges = [_deleted(holder, key) for key in keys]
        self._fuel.step(sum(last - first for first, last in ranges))
        gone = {place for first, last in ranges for place in range(first, last)}
        if not gone:
            return holder
        self._fuel.grow(ITEM * len(holder) + 56)
        self._fuel.step(len(holder) >> 4)
        left = [item for place, item in enumerate(holder) if place not in gone]
        self._owned[id(left)] = left
        return left


def _slice_bounds(holder: list[Json], key: dict[str, Json]) -> tuple[int, int]:
    if "start" not in key or "end" not in key:
        raise Raised("Array/string slice indices must be integers")
    return bounds(len(holder), key["start"], key["end"])


def _deleted(holder: list[Json], key: Json) -> tuple[int, int]:
    """Where the items start and end that `key` deletes."""
    if key.__class__ is dict:
        return _slice_bounds(holder, key)
    if not is_number(key):
        raise Raised(f"Cannot delete {type_name(key)} element of array")
    if not abs(key) <= _MAX_INDEX:
        return 0, 0
    place = int(key) + (len(holder) if key < 0 else 0)
    return (place, place + 1) if 0 <= place < len(holder) else (0, 0)


def put(fuel: Fuel, holder: Json, key: Json, value: Json) -> Json:
    """A copy of `holder` with `value` at `key`."""
    if holder.__class__ is dict and key.__class__ is str:
        fuel.grow(ENTRY * len(holder) + 64)
        return {**holder, key: value}
    draft = Draft(fuel, holder)
    draft.set((key,), value)
    return draft.root


def copied(fuel: Fuel, holder: Json) -> Json:
    """A copy of an array or object, whose items are about to be replaced one by one."""
    if holder.__class__ is list:
        fuel.grow(ITEM * len(holder) + 56)
        return list(holder)
    if holder.__class__ is dict:
        fuel.grow(ENTRY * len(holder) + 64)
        return dict(holder)
    raise Raised(f"Cannot iterate over {described(holder)}")


def set_path(fuel: Fuel, value: Json, path: Json, new: Json) -> Json:
    """`setpath(path; new)`"""
    if path.__class__ is not list:
        raise Raised("Path must be specified as an array")
    draft = Draft(fuel, value)
    draft.set(tuple(path), new)
    return draft.root


def delete_paths(fuel: Fuel, value: Json, paths: Json) -> Json:
    """`delpaths(paths)`"""
    if paths.__class__ is not list:
        raise Raised("Paths must be specified as an array")
    for path in paths:
        if path.__class__ is not list:
            raise Raised(f"Path must be specified as array, not {type_name(path)}")
    draft = Draft(fuel, value)
    draft.delete([tuple(path) for path in paths])
    return draft.root
