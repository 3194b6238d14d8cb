"""Path expressions at run time: whether a value is still the one at its path, and how paths grow."""

from typing import Final

from automations.engine.dsl.jq.builtins.access import Path
from automations.engine.dsl.jq.builtins.arithmetic import ITEM
from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, excerpt

_SHARED: Final = frozenset({int, float, str})


def intact(value: Json, anchor: Json) -> bool:
    """Whether `value` is the one found at a path, and not one computed from it.

    Python may use one object for equal texts and numbers, so those are taken for computed.
    """
    return value is anchor and value.__class__ not in _SHARED


def kept(path: Path | None, value: Json, anchor: Json) -> Path | None:
    """`path` as long as it leads to `value`, else None."""
    return path if intact(value, anchor) else None


def extended(fuel: Fuel, path: Path, key: Json) -> Path:
    """`path` and one more key."""
    if len(path) > MAX_LEVELS:
        raise too_deep()
    fuel.grow(ITEM * len(path) + 48)
    return (*path, key)


def joined(fuel: Fuel, path: Path, keys: list[Json]) -> Path:
    """`path` and more keys."""
    if len(path) + len(keys) > 2 * MAX_LEVELS:
        raise too_deep()
    fuel.grow(ITEM * (len(path) + len(keys)) + 48)
    return (*path, *keys)


def reach(path: Path | None, value: Json, key: Json) -> Path:
    """`path`, which must lead to `value` for `key` to be read there."""
    if path is None:
        shown = excerpt(key)
        raise Raised(f"Invalid path expression near attempt to access element {shown} of {excerpt(value)}")
    return path


def reach_all(path: Path | None, value: Json) -> Path:
    """`path`, which must lead to `value` for its items to be gone through."""
    if path is None:
        raise Raised(f"Invalid path expression near attempt to iterate through {excerpt(value)}")
    return path


def ended(path: Path | None, value: Json) -> Path:
    """`path`, which must lead to `value` at the end of a path expression."""
    if path is None:
        raise Raised(f"Invalid path expression with result {excerpt(value)}")
    return path
