"""A payload as it may be looked at in passing: what points to a person, or opens a door, is covered."""

import re
from collections.abc import Mapping
from typing import Any, Final

Json = Any
COVER: Final = "•••"
_ALWAYS: Final = re.compile(
    r"e[-_]?mail|phone|mobile|fax|first_?name|last_?name|full_?name|sur_?name|street|address_?\d|^line_?\d$|post_?code"
    r"|postal|^zip|iban|bic|card|cvc|cvv|passw|secret|token|authorization|api_?key|birth|^ip$|ip_address|latitude"
    r"|longitude|^notes?$",
    re.IGNORECASE,
)
_PERSON: Final = re.compile(
    r"customer|address|recipient|buyer|contact|billing|shipping|payer|person|employee", re.IGNORECASE
)
_OF_PERSON: Final = re.compile(r"^(name|company|city|title|id_number|username)$", re.IGNORECASE)


def masked(value: Json, *, person: bool = False) -> Json:
    """`value` with such members covered; of an address for mail its domain stays, of the rest nothing."""
    if isinstance(value, Mapping):
        return {name: _member(str(name), part, person) for name, part in value.items()}
    if isinstance(value, list):
        return [masked(one, person=person) for one in value]
    return value


def _member(name: str, value: Json, person: bool) -> Json:
    if isinstance(value, (Mapping, list)):
        return masked(value, person=bool(person or _PERSON.search(name)))
    if value in (None, "", True, False):
        return value
    if _ALWAYS.search(name) or (person and _OF_PERSON.search(name)):
        text = str(value)
        return f"{COVER}@{text.rsplit('@', 1)[1]}" if "@" in text else COVER
    return value


def covers(value: Json) -> bool:
    """Whether anything in `value` would be covered."""
    return bool(masked(value) != value)
