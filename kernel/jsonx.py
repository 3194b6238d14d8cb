"""JSON at the edge and at rest: strict when it comes in, exact for big integers, compressed when it is kept."""

import json
import re
import threading
from typing import Any, Final

import orjson
import zstandard

from kernel.errors import Invalid, TooLarge

Json = Any
"""A JSON value: None, bool, int, float, str, list of Json, or dict of str to Json."""

_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_BIG_NUMBER: Final = 19
"""From so many digits on a number may need more than 64 bits."""
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
_RAW, _ZSTD, _ZSTD_PLAIN = b"\x00", b"\x01", b"\x03"
_COMPRESS_FROM: Final = 200
_local = threading.local()  # a zstd context that two threads share writes garbage


def dumps(value: Json) -> bytes:
    """`value` as compact UTF-8 JSON; integers of any size stay exact."""
    return _dumps(value)[0]


def _dumps(value: Json) -> tuple[bytes, bool]:
    """`value` as JSON, and whether every number in it is one that a fast reader keeps exact."""
    try:
        return orjson.dumps(value, option=_OPTIONS), True
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode(), False


def text(value: Json, *, indent: bool = False) -> str:
    """`value` as JSON text for people; with `indent`, two spaces a level."""
    if indent:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return dumps(value).decode()


def loads(raw: bytes | str) -> Json:
    """The value of JSON that we wrote ourselves; integers of any size stay exact. Raises ValueError."""
    if _digits_in_a_row(raw if isinstance(raw, bytes) else raw.encode(), _BIG_NUMBER):
        return json.loads(raw)
    return orjson.loads(raw)


def _digits_in_a_row(raw: bytes, count: int) -> bool:
    """Whether so many digits stand side by side; twelve times as fast as looking for them by pattern."""
    return b"0" * count in raw.translate(_DIGITS)


def _no_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_no_twins, parse_constant=_no_constant)


def loads_strict(
    raw: bytes, *, max_bytes: int = 1_048_576, max_depth: int = 64, max_digits: int = 400
) -> Json:
    """The value of foreign JSON.

    Refuses what two readers could read differently or what could exhaust us: a key twice in one object, NaN and
    infinities, lone surrogates, more than `max_depth` levels, numbers of more than `max_digits` digits.
    Raises TooLarge or Invalid, with a sentence for the sender.
    """
    if len(raw) > max_bytes:
        raise TooLarge(f"the body has {len(raw)} bytes; at most {max_bytes} are taken")
    if _depth(raw, max_depth) > max_depth:
        raise Invalid(f"the body nests deeper than {max_depth} levels")
    if _digits_in_a_row(raw, max_digits + 1):
        raise Invalid(f"the body holds a number of more than {max_digits} digits")
    try:
        orjson.loads(raw)  # refuses lone surrogates and bad UTF-8, which json lets through
        return _STRICT.decode(raw.decode())
    except ValueError as error:
        raise Invalid(f"the body is not valid JSON: {error}") from None


def _depth(raw: bytes, enough: int) -> int:
    """The nesting of `raw`, counted without parsing it; stops counting past `enough`."""
    if raw.count(b"{") + raw.count(b"[") <= enough:
        return 0
    level = deepest = 0
    for mark in re.finditer(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', raw):
        if mark.group() in (b"{", b"["):
            level += 1
            if level > deepest:
                deepest = level
                if deepest > enough:
                    break
        elif mark.group() in (b"}", b"]"):
            level -= 1
    return deepest


def pack(value: Json) -> bytes:
    """`value` for a bytea column: JSON, compressed by zstd from 200 bytes on, behind one byte that says which."""
    raw, plain = _dumps(value)
    if len(raw) < _COMPRESS_FROM:
        return _RAW + raw
    compressor = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1, write_content_size=True)
    packed: bytes = compressor.compress(raw)
    return (_ZSTD_PLAIN if plain else _ZSTD) + packed


def unpack(packed: bytes | memoryview) -> Json:
    """The value that `pack` wrote. Raises ValueError for anything else."""
    head, body = bytes(packed[:1]), bytes(packed[1:])
    if head in (_ZSTD, _ZSTD_PLAIN):
        decompressor = getattr(_local, "decompressor", None)
        if decompressor is None:
            decompressor = _local.decompressor = zstandard.ZstdDecompressor()
        try:
            body = decompressor.decompress(body)
        except zstandard.ZstdError as error:
            raise ValueError(f"a packed value is damaged: {error}") from None
    elif head != _RAW:
        raise ValueError("not a packed value")
    # looking for large numbers takes longer than all the rest: a writer that knows says so
    return orjson.loads(body) if head == _ZSTD_PLAIN else loads(body)
