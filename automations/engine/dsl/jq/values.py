"""JSON values as jq names and prints them."""

from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any, Final

Json = Any
"""A JSON value: None, bool, int, float, str, list of Json, or dict of str to Json. Never changed in place."""

MAX_FLOAT: Final = 1.7976931348623157e308
MAX_INT_BITS: Final = 13_000
"""Integers stay below 3,914 digits: Python refuses to print more than 4,300."""
MAX_LEVELS: Final = 200
"""How deep a value may nest before comparing, printing or returning it is refused."""
_EXCERPT: Final = 60
_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def type_name(value: Json) -> str:
    """The jq name of the type of `value`."""
    return _NAMES[value.__class__]


def is_number(value: Json) -> bool:
    """Whether `value` is a number; true and false are not."""
    return value.__class__ is int or value.__class__ is float


def number_text(number: float) -> str:
    """`number` as jq prints it: integers exactly, floats with the fewest digits that read back the same.

    NaN is `null`, an infinity the largest float, because JSON has neither.
    """
    if isinstance(number, int):
        return str(number)
    if number != number:  # noqa: PLR0124 - only NaN differs from itself
        return "null"
    text = repr(min(max(number, -MAX_FLOAT), MAX_FLOAT))
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, power = text.partition("e")
    digits = mantissa.lstrip("-").replace(".", "")
    exponent = int(power)
    if 0 < exponent <= len(digits) + 14:  # Python turns to exponents earlier than jq does
        sign = "-" if number < 0 else ""
        return sign + digits.ljust(exponent + 1, "0")
    return text


def quoted(text: str) -> str:
    """`text` as a JSON string."""
    found = encode_basestring(text)
    return found.replace("\x7f", "\\u007f") if "\x7f" in found else found


def _pieces(value: Json) -> Iterator[str]:
    if value.__class__ is str:
        yield quoted(value if len(value) <= _EXCERPT else value[:_EXCERPT])
    elif value.__class__ is list:
        yield "["
        for number, item in enumerate(value):
            yield "," if number else ""
            yield from _pieces(item)
        yield "]"
    elif value.__class__ is dict:
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield ("," if number else "") + quoted(key[:_EXCERPT]) + ":"
            yield from _pieces(item)
        yield "}"
    elif value.__class__ is bool:
        yield "true" if value else "false"
    else:
        yield "null" if value is None else number_text(value)


def excerpt(value: Json) -> str:
    """The beginning of `value` as JSON, of at most 60 characters; costs no more for a big value."""
    parts: list[str] = []
    length = 0
    for piece in _pieces(value):
        parts.append(piece)
        length += len(piece)
        if length > _EXCERPT:
            return "".join(parts)[: _EXCERPT - 3] + "..."
    return "".join(parts)


def described(value: Json) -> str:
    """`value` in a message: its type and an excerpt, as in `number (1)`."""
    return f"{type_name(value)} ({excerpt(value)})"
