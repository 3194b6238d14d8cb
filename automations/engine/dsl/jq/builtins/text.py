"""Values as JSON text and back."""

import json
import re
from json.encoder import encode_basestring as encode
from typing import Final

from automations.engine.dsl.jq.builtins.arithmetic import ENTRY, ITEM, text_size, to_float
from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, described, number_text, quoted

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final = re.compile(r"([-+]?)(nan|infinity)", re.IGNORECASE)
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_DIGITS: Final = 3_900
_PORTION: Final = 100_000
_HALVES: Final = re.compile("[\ud800-\udfff]")


def _write(fuel: Fuel, value: Json, parts: list[str], level: int) -> None:
    """Appends the JSON text of an array or object; the odd character that jq escapes is left to `to_json`."""
    if level >= MAX_LEVELS:
        raise too_deep()
    is_array = value.__class__ is list
    size = 4 * ITEM * len(value)
    add = parts.append
    sign = "[" if is_array else "{"
    pairs: Json = enumerate(value) if is_array else value.items()
    fuel.step(1 + len(value) // 4)
    for key, item in pairs:
        add(sign)
        sign = ","
        if not is_array:
            size += len(key)
            add(encode(key) + ":")
        kind = item.__class__
        if kind is str:
            size += 2 * len(item)
            add(encode(item))
        elif kind is list or kind is dict:
            _write(fuel, item, parts, level + 1)
        else:
            add(_scalar(fuel, item))
        if size > _PORTION:
            fuel.grow(size)
            size = 0
    fuel.grow(size)
    if is_array:
        add("]" if value else "[]")
    else:
        add("}" if value else "{}")


def _scalar(fuel: Fuel, value: Json) -> str:
    """The JSON text of a number, a boolean or null."""
    if value is None:
        return "null"
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is int and value.bit_length() > 1_000:
        fuel.step(value.bit_length() >> 6)
    return number_text(value)


def to_json(fuel: Fuel, value: Json) -> str:
    """`tojson`: compact, keys as they stand, integers exact."""
    if value.__class__ is str:
        fuel.grow(text_size(value))
        return quoted(value)
    if value.__class__ is not list and value.__class__ is not dict:
        return _scalar(fuel, value)
    parts: list[str] = []
    _write(fuel, value, parts, 0)
    return "".join(parts).replace("\x7f", "\\u007f")


def to_text(fuel: Fuel, value: Json) -> str:
    """`tostring`: a text as it is, anything else as JSON."""
    if value.__class__ is str:
        return value
    return to_json(fuel, value)


def parse_number(fuel: Fuel, text: str) -> float | None:
    """The number that `text` is, as a whole; None if it is none."""
    if not _NUMBER.fullmatch(text):
        word = _WORDS.fullmatch(text)
        if word is None:
            return None
        fuel.wild = True
        return float(text)
    digits = text.lstrip("+-")
    if not digits.isdigit():
        return max(min(float(text), 1.7976931348623157e308), -1.7976931348623157e308)
    if len(digits) > _MAX_DIGITS:
        return to_float(float(text))
    fuel.step(len(digits) >> 5)
    return int(text)


def to_number(fuel: Fuel, value: Json) -> Json:
    """`tonumber`"""
    if value.__class__ is int or value.__class__ is float:
        return value
    number = parse_number(fuel, value) if value.__class__ is str else None
    if number is None:
        raise Raised(f"{described(value)} cannot be parsed as a number")
    return number


def to_boolean(_fuel: Fuel, value: Json) -> Json:
    """`toboolean`"""
    if value.__class__ is bool:
        return value
    if value.__class__ is str and value in ("true", "false"):
        return value == "true"
    raise Raised(f"{described(value)} cannot be parsed as a boolean")


def _whole_pairs(text: str) -> str:
    """`text` with every second half of a surrogate pair replaced. Raises Raised for a first half, as jq does."""
    half = _HALVES.search(text)
    if half is None:
        return text
    if half.group() < "\udc00":
        raise Raised("Invalid \\uXXXX\\uXXXX surrogate pair escape")
    return _HALVES.sub("\ufffd", text)


def _mend(fuel: Fuel, value: Json, level: int = 0) -> Json:
    if level > MAX_LEVELS:
        raise too_deep()
    if value.__class__ is str:
        return _whole_pairs(value)
    if value.__class__ is list:
        fuel.step(1 + len(value))
        return [_mend(fuel, item, level + 1) for item in value]
    if value.__class__ is dict:
        fuel.step(1 + len(value))
        return {_whole_pairs(key): _mend(fuel, item, level + 1) for key, item in value.items()}
    return value


def from_json(fuel: Fuel, value: Json) -> Json:
    """`fromjson`"""
    if value.__class__ is not str:
        raise Raised(f"{described(value)} only strings can be parsed")
    number = parse_number(fuel, value.strip(" \t\r\n"))
    if number is not None:
        return number
    fuel.step(1 + (len(value) >> 6))
    holders = value.count("[") + value.count("{") + value.count(":")
    fuel.grow(2 * len(value) + ENTRY * holders + 30 * value.count('"') + 3 * ITEM * value.count(","))
    try:
        found = json.loads(value)
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:
        reason = str(error).split(":", maxsplit=1)[0]
        raise Raised(f"{reason} (while parsing '{value[:60]}')") from None
    if "NaN" in value or "Infinity" in value or "e" in value or "E" in value:
        fuel.wild = True
    return _mend(fuel, found) if _HALF.search(value) else found
