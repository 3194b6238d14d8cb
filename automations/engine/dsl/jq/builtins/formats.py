"""`@text`, `@json`, `@csv` and the like: values written for a purpose, texts read back."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from automations.engine.dsl.jq.builtins.arithmetic import ITEM, text_size
from automations.engine.dsl.jq.builtins.text import to_json, to_text
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described

_HTML: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&apos;"), ('"', "&quot;"))
_TSV: Final = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0"))
_ESCAPE: Final = re.compile(rb"%([0-9a-fA-F]{2})")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*")
_BASE32: Final = re.compile(r"[A-Z2-7]*")


def _row(fuel: Fuel, value: Json, name: str) -> list[Json]:
    if value.__class__ is not list:
        raise Raised(f"{described(value)} cannot be {name}-formatted, only array")
    fuel.step(1 + len(value) // 4)
    found: list[Json] = value
    return found


def _cell(fuel: Fuel, value: Json, write: Callable[[str], str]) -> str:
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    if value.__class__ is str:
        fuel.grow(2 * text_size(value))
        return write(value)
    if value.__class__ is list or value.__class__ is dict:
        raise Raised(f"{described(value)} is not valid in a csv row")
    return to_json(fuel, value)


def _escaped(text: str, signs: tuple[tuple[str, str], ...]) -> str:
    """`text` with each of `signs` replaced; several times as fast as `str.translate` for more than one letter."""
    for sign, escape in signs:
        text = text.replace(sign, escape)
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def csv(fuel: Fuel, value: Json) -> str:
    """`@csv`: one line, texts in quotes."""
    return ",".join([_cell(fuel, item, _quoted) for item in _row(fuel, value, "csv")])


def tsv(fuel: Fuel, value: Json) -> str:
    """`@tsv`: one line, with tabs, line ends and backslashes escaped."""
    row = _row(fuel, value, "tsv")
    return "\t".join([_cell(fuel, item, lambda text: _escaped(text, _TSV)) for item in row])


def html(fuel: Fuel, value: Json) -> str:
    """`@html`"""
    text = to_text(fuel, value)
    fuel.grow(6 * text_size(text))
    fuel.step(len(text) >> 6)
    return _escaped(text, _HTML)


def uri(fuel: Fuel, value: Json) -> str:
    """`@uri`: all but letters, digits and `-_.~` percent-encoded."""
    text = to_text(fuel, value)
    fuel.grow(3 * text_size(text))
    fuel.step(len(text) >> 4)
    return quote(text, safe="", errors="replace")


def urid(fuel: Fuel, value: Json) -> str:
    """`@urid`: percent-encoding read back."""
    text = to_text(fuel, value)
    fuel.grow(3 * text_size(text))
    fuel.step(len(text) >> 4)
    raw = text.encode(errors="replace")
    try:
        if raw.count(b"%") != len(_ESCAPE.findall(raw)):
            raise Raised(f"{described(text)} is not a valid uri encoding")
        return _ESCAPE.sub(lambda found: bytes.fromhex(found.group(1).decode()), raw).decode()
    except UnicodeDecodeError:
        raise Raised(f"{described(text)} is not a valid uri encoding") from None


def to_base64(fuel: Fuel, value: Json) -> str:
    """`@base64`"""
    text = to_text(fuel, value)
    fuel.grow(3 * text_size(text))
    return base64.b64encode(text.encode(errors="replace")).decode()


def to_base32(fuel: Fuel, value: Json) -> str:
    """`@base32`"""
    text = to_text(fuel, value)
    fuel.grow(3 * text_size(text))
    fuel.step(len(text) >> 4)
    return base64.b32encode(text.encode(errors="replace")).decode()


def from_base64(fuel: Fuel, value: Json) -> str:
    """`@base64d`: padding may be missing; bytes that are no text become replacement characters."""
    text = to_text(fuel, value)
    fuel.grow(2 * text_size(text))
    data = text.partition("=")[0]
    if not _BASE64.fullmatch(data):
        raise Raised(f"{described(text)} is not valid base64 data")
    if len(data) % 4 == 1:
        raise Raised(f"{described(text)} trailing base64 byte found")
    return binascii.a2b_base64(data + "=" * (-len(data) % 4)).decode(errors="replace")


def from_base32(fuel: Fuel, value: Json) -> str:
    """`@base32d`"""
    text = to_text(fuel, value)
    fuel.grow(2 * text_size(text))
    fuel.step(len(text) >> 4)
    data = text.partition("=")[0]
    if not _BASE32.fullmatch(data) or len(data) % 8 in (1, 3, 6):
        raise Raised(f"{described(text)} is not valid base32 data")
    return base64.b32decode(data + "=" * (-len(data) % 8)).decode(errors="replace")


FORMATS: Final[dict[str, Callable[[Fuel, Json], str]]] = {
    "text": to_text,
    "json": to_json,
    "csv": csv,
    "tsv": tsv,
    "html": html,
    "uri": uri,
    "urid": urid,
    "base64": to_base64,
    "base64d": from_base64,
    "base32": to_base32,
    "base32d": from_base32,
}
"""Each takes a value and gives a text."""


def format_as(fuel: Fuel, value: Json, name: Json) -> str:
    """`format("csv")`: the same as `@csv`, by a name that is computed."""
    write = FORMATS.get(name) if name.__class__ is str else None
    if write is None:
        raise Raised(f"{name if name.__class__ is str else described(name)} is not a valid format")
    return write(fuel, value)


def write_text(fuel: Fuel, parts: list[str]) -> str:
    """The parts of an interpolated text, joined."""
    fuel.grow(sum(map(text_size, parts)) + ITEM)
    return "".join(parts)
