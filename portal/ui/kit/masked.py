"""A payload as it may be looked at in passing: what points to a person, or opens a door, is covered."""

from collections.abc import Mapping
from typing import Any, Final

from kernel.persons import ALWAYS, OF_PERSON, PERSON

Json = Any
COVER: Final = "•••"


def masked(value: Json, *, person: bool = False) -> Json:
    """`value` with such members covered; of an address for mail its domain stays, of the rest nothing."""
    if isinstance(value, Mapping):
        return {name: _member(str(name), part, person) for name, part in value.items()}
    if isinstance(value, list):
        return [masked(one, person=person) for one in value]
    return value


def _member(name: str, value: Json, person: bool) -> Json:
    if isinstance(value, (Mapping, list)):
        return masked(value, person=bool(person or PERSON.search(name)))
    if value in (None, "", True, False):
        return value
    if ALWAYS.search(name) or (person and OF_PERSON.search(name)):
        text = str(value)
        return f"{COVER}@{text.rsplit('@', 1)[1]}" if "@" in text else COVER
    return value


def covers(value: Json) -> bool:
    """Whether anything in `value` would be covered."""
    return bool(masked(value) != value)
