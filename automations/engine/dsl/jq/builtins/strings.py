"""Texts: splitting and joining, letters and code points, beginnings and ends."""

from typing import Final

from automations.engine.dsl.jq.builtins.arithmetic import ITEM, split_text, text_size, whole
from automations.engine.dsl.jq.builtins.text import to_json
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described, is_number

_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACES: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def _require(fuel: Fuel, value: Json, name: str) -> str:
    """`value`, which must be a text; draws what a copy of it takes."""
    if value.__class__ is not str:
        raise Raised(f"{name} input must be a string")
    fuel.grow(text_size(value))
    return str(value)


def split(fuel: Fuel, value: Json, separator: Json) -> Json:
    """`split(separator)`"""
    if value.__class__ is not str or separator.__class__ is not str:
        raise Raised("split input and separator must be strings")
    return split_text(fuel, value, separator)


def join(fuel: Fuel, value: Json, separator: Json) -> Json:
    """`join(separator)`: numbers and booleans are written out, null is nothing."""
    items = list(value.values()) if value.__class__ is dict else value
    if items.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    fuel.step(1 + len(items) // 4)
    glue = separator if separator.__class__ is str else ""
    parts: list[str] = []
    for item in items:
        if parts and separator is not None and separator.__class__ is not str:
            raise Raised(f"{described(parts[0])} and {described(separator)} cannot be added")
        if item.__class__ is list or item.__class__ is dict:
            before = glue.join([*parts, ""]) if parts else ""
            raise Raised(f"{described(before)} and {described(item)} cannot be added")
        if item.__class__ is str:
            parts.append(item)
        else:
            parts.append("" if item is None else to_json(fuel, item))
    fuel.grow(sum(map(text_size, parts)) + text_size(glue) * len(parts))
    return glue.join(parts)


def ascii_downcase(fuel: Fuel, value: Json) -> Json:
    """`ascii_downcase`: A to Z only."""
    return _require(fuel, value, "explode").translate(_LOWER)


def ascii_upcase(fuel: Fuel, value: Json) -> Json:
    """`ascii_upcase`: a to z only."""
    return _require(fuel, value, "explode").translate(_UPPER)


def explode(fuel: Fuel, value: Json) -> Json:
    """`explode`: the code points of a text."""
    text = _require(fuel, value, "explode")
    fuel.grow(4 * ITEM * len(text))
    fuel.step(len(text) >> 4)
    return list(map(ord, text))


def _character(value: Json) -> str:
    if not is_number(value):
        raise Raised(f"{described(value)} can't be imploded, unicode codepoint needs to be numeric")
    code = -1 if value != value else whole(value)  # noqa: PLR0124 - only NaN differs from itself
    if code < 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return chr(code)


def implode(fuel: Fuel, value: Json) -> Json:
    """`implode`: the text of code points; what is none becomes a replacement character."""
    if value.__class__ is not list:
        raise Raised("implode input must be an array")
    fuel.grow(3 * ITEM * len(value))
    fuel.step(len(value) >> 3)
    return "".join(map(_character, value))


def ascii_character(fuel: Fuel, value: Json) -> Json:
    """`ascii`: the character of one code point."""
    return implode(fuel, [value])


def starts_with(_fuel: Fuel, value: Json, start: Json) -> bool:
    """`startswith(start)`"""
    if value.__class__ is not str or start.__class__ is not str:
        raise Raised("startswith() requires string inputs")
    return bool(value.startswith(start))


def ends_with(_fuel: Fuel, value: Json, end: Json) -> bool:
    """`endswith(end)`"""
    if value.__class__ is not str or end.__class__ is not str:
        raise Raised("endswith() requires string inputs")
    return bool(value.endswith(end))


def without_start(fuel: Fuel, value: Json, start: Json) -> Json:
    """`ltrimstr(start)`"""
    if not starts_with(fuel, value, start):
        return value
    fuel.grow(text_size(value))
    return value[len(start) :]


def without_end(fuel: Fuel, value: Json, end: Json) -> Json:
    """`rtrimstr(end)`"""
    if not ends_with(fuel, value, end):
        return value
    fuel.grow(text_size(value))
    return value[: len(value) - len(end)]


def without_both(fuel: Fuel, value: Json, part: Json) -> Json:
    """`trimstr(part)`"""
    return without_end(fuel, without_start(fuel, value, part), part)


def trim(fuel: Fuel, value: Json) -> Json:
    """`trim`: without the white space around."""
    return _require(fuel, value, "trim").strip(_SPACES)


def trim_left(fuel: Fuel, value: Json) -> Json:
    """`ltrim`"""
    return _require(fuel, value, "trim").lstrip(_SPACES)


def trim_right(fuel: Fuel, value: Json) -> Json:
    """`rtrim`"""
    return _require(fuel, value, "trim").rstrip(_SPACES)


def byte_length(fuel: Fuel, value: Json) -> Json:
    """`utf8bytelength`"""
    if value.__class__ is not str:
        raise Raised(f"{described(value)} only strings have UTF-8 byte length")
    if value.isascii():
        return len(value)
    fuel.grow(text_size(value))
    return len(value.encode(errors="replace"))
