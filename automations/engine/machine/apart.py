"""Values that are too large for a row: taken apart, and put together again.

A packed value is a row's own as long as it has at most `INLINE` bytes. Of a larger one, the parts that make it large
are taken out, to be kept under the hash of their content; the row keeps the rest, and of each part its place, its hash
and its size. A place is a path from the outside, so that nothing that a value holds can be taken for such a part.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.engine.dsl.limits import MAX_VALUE, MEGABYTE
from automations.engine.errors import LimitReached
from kernel import jsonx

Json = Any
INLINE: Final = 64 * 1024 - 1
"""Bytes of a packed value in a row."""
_SPLIT: Final = b"\x02"
LINES: Final = 512
"""Lines of a journal in one row at most; a page of it reads few rows."""
_MANY: Final = 32
"""From so many lines on, a row is packed in two parts."""
_TWO: Final = b"\x04"
DATA: Final = ("o", "i", "q", "was", "now")
"""Members of a journal's line that are data; the others say what happened."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part that is kept apart: where it belongs, the hash of its JSON, and how many bytes that has."""

    path: tuple[str | int, ...]
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Blob:
    """A part about to be kept: packed, and its size as JSON."""

    size: int
    content: bytes


Blobs = dict[str, Blob]


def lighten(value: Json, *, most: int = MAX_VALUE) -> tuple[bytes, Blobs]:
    """`value` packed for a row, and by hash what is to be kept apart.

    Raises LimitReached where one part alone has more than `most` bytes.
    """
    packed = jsonx.pack(value)
    if len(packed) <= INLINE:
        return packed, {}
    blobs: Blobs = {}
    kept: list[Kept] = []
    rest = _without_parts(value, (), blobs, kept)
    heaviest = max(one.size for one in kept)
    if heaviest > most:
        raise LimitReached(
            "value", f"a value has {heaviest // MEGABYTE} MB; at most {most // MEGABYTE} are taken"
        )
    light = _SPLIT + jsonx.pack({"v": rest, "p": [[list(one.path), one.digest, one.size] for one in kept]})
    if len(light) > INLINE:  # very many parts, and their places alone are too much for a row
        one = _keep(value, (), blobs)
        kept, light = [one], _SPLIT + jsonx.pack({"v": None, "p": [[[], one.digest, one.size]]})
    used = {one.digest for one in kept}
    return light, {digest: blob for digest, blob in blobs.items() if digest in used}


def _without_parts(value: Json, path: tuple[str | int, ...], blobs: Blobs, kept: list[Kept]) -> Json:
    """A large `value` without its large parts; without anything, where it is large by many small ones."""
    before = len(kept)
    if isinstance(value, (dict, list)):
        places: Iterable[tuple[Any, Json]] = (
            ((str(key), inner) for key, inner in value.items())
            if isinstance(value, dict)
            else enumerate(value)
        )
        rest = {
            place: _without_parts(inner, (*path, place), blobs, kept)
            if len(jsonx.dumps(inner)) > INLINE
            else inner
            for place, inner in places
        }
        if len(kept) > before and len(jsonx.dumps(list(rest.items()))) <= INLINE:
            return rest if isinstance(value, dict) else list(rest.values())
        del kept[before:]
    kept.append(_keep(value, path, blobs))
    return None


def _keep(value: Json, path: tuple[str | int, ...], blobs: Blobs) -> Kept:
    raw = jsonx.dumps(value)
    digest = hashlib.sha256(raw).hexdigest()
    if digest not in blobs:
        blobs[digest] = Blob(len(raw), jsonx.pack(value))
    return Kept(path, digest, len(raw))


def parts(packed: bytes | memoryview | None) -> list[Kept]:
    """What of a packed value is kept apart."""
    if packed is None or bytes(packed[:1]) != _SPLIT:
        return []
    return [Kept(tuple(path), digest, size) for path, digest, size in jsonx.unpack(bytes(packed[1:]))["p"]]


def whole(packed: bytes | memoryview, contents: Mapping[str, bytes]) -> Json:
    """The value that was packed, with what was kept apart (`contents` by hash). Raises ValueError without it."""
    if bytes(packed[:1]) != _SPLIT:
        return lines(packed) if bytes(packed[:1]) == _TWO else jsonx.unpack(packed)
    known: dict[str, Json] = {}
    found = jsonx.unpack(bytes(packed[1:]))
    value = found["v"]
    for path, digest, _size in found["p"]:
        if digest not in known:
            if digest not in contents:
                raise ValueError(f"a part of the value is gone ({digest[:12]})")
            known[digest] = jsonx.unpack(contents[digest])
        value = _put(value, path, known[digest])
    return value


def outline(packed: bytes | memoryview) -> tuple[Json, list[Kept]]:
    """The value that was packed with a note in the place of each part that is kept apart, and those parts."""
    if bytes(packed[:1]) != _SPLIT:
        return (lines(packed) if bytes(packed[:1]) == _TWO else jsonx.unpack(packed)), []
    found = jsonx.unpack(bytes(packed[1:]))
    value, kept = found["v"], []
    for path, digest, size in found["p"]:
        kept.append(Kept(tuple(path), digest, size))
        value = _put(value, path, {"keptApart": {"sha256": digest, "bytes": size}})
    return value, kept


def repacked(packed: bytes | memoryview, value: Json) -> bytes:
    """`value`, an `outline` of what was packed that was changed, in the form of before; what is kept apart stays so."""
    if bytes(packed[:1]) == _SPLIT:
        kept = parts(packed)
        for one in kept:
            value = _put(value, one.path, None)
        return _SPLIT + jsonx.pack(
            {"v": value, "p": [[list(one.path), one.digest, one.size] for one in kept]}
        )
    return pack_lines(value) if bytes(packed[:1]) == _TWO else jsonx.pack(value)


def _put(value: Json, path: Sequence[str | int], part: Json) -> Json:
    if not path:
        return part
    holder = value
    for place in path[:-1]:
        holder = holder[place]
    holder[path[-1]] = part
    return value


def pack_lines(lines: Sequence[Mapping[str, Json]]) -> bytes:
    """Lines of a journal, packed so that what happened can be read without the data."""
    light = [{name: value for name, value in line.items() if name not in DATA} for line in lines]
    heavy = [{name: line[name] for name in DATA if name in line} for line in lines]
    first = jsonx.pack(light)
    return _TWO + len(first).to_bytes(4, "big") + first + jsonx.pack(heavy)


def happenings(packed: bytes | memoryview) -> list[dict[str, Json]] | None:
    """What happened in lines that `pack_lines` packed, without their data; None where others packed them."""
    if bytes(packed[:1]) != _TWO:
        return None
    found: list[dict[str, Json]] = jsonx.unpack(packed[5 : 5 + int.from_bytes(packed[1:5], "big")])
    return found


def lines(packed: bytes | memoryview) -> list[dict[str, Json]]:
    """Lines of a journal with their data, however they were packed; of what is kept apart a note."""
    light = happenings(packed)
    if light is None:
        found: list[dict[str, Json]] = outline(packed)[0]
        return found
    heavy = jsonx.unpack(packed[5 + int.from_bytes(packed[1:5], "big") :])
    return [{**line, **data} for line, data in zip(light, heavy, strict=True)]


def journal_rows(
    lines: Sequence[Mapping[str, Json]], blobs: Blobs, *, most: int = MAX_VALUE
) -> Iterator[tuple[int, bytes]]:
    """Rows for lines of a journal, each with the number of its first; what is to be kept apart is added to `blobs`.

    Raises LimitReached.
    """
    if not lines:
        return
    if len(lines) <= LINES:
        packed = jsonx.pack(lines) if len(lines) < _MANY else pack_lines(lines)
        if len(packed) <= INLINE:
            yield lines[0]["n"], packed
            return
        if len(lines) == 1:
            packed, parts_ = lighten(lines, most=most)
            blobs.update(parts_)
            yield lines[0]["n"], packed
            return
    middle = len(lines) // 2
    yield from journal_rows(lines[:middle], blobs, most=most)
    yield from journal_rows(lines[middle:], blobs, most=most)
