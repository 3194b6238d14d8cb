#!/usr/bin/env python3
"""Verify an export of the audit log: this one file, no database, no network, nothing but Python 3.11.

    python proof.py audit.jsonl --key 'portal.example/audit+1a2b3c4d+AbC…' --head last-seen.txt --complete

The export holds one JSON object a line: a header, events, `skip` (the hash of events that are not shown) and
`checkpoint` (a signed note over everything before it). Each event is a leaf of the Merkle tree of RFC 9162; a
checkpoint is a signed note as C2SP writes it: origin, number of events, root. Personal data stand beside the leaf,
under a salted commitment, so that they can be erased and the leaf still verifies.
"""

import argparse
import base64
import binascii
import csv
import hashlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
ERASE: Final = "audit.erase"
"""The act that says which event's personal data are gone; without it, their absence is a finding."""
COLUMNS: Final = (
    "seq", "at", "action", "actor_kind", "actor", "object_type", "object_id", "object", "reason", "address",
    "request_id", "before", "after", "leaf",
)  # fmt: skip
_EVENT, _PRIVATE = b'{"event":', b',"private":'
_TAIL: Final = 117  # ,"salt":"<32>","leaf":"<64>"}
_MOST: Final = 50


class Malformed(ValueError):
    """A note, a key or a line that is not what it should be."""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162, 2.1.1: the hash of one entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1: the hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def commitment(salt: bytes, private: bytes) -> str:
    """What a leaf says of the personal data beside it; without the salt nobody can try guesses."""
    return hashlib.sha256(salt + private).hexdigest()


class Tree:
    """A growing Merkle tree, of which only the roots of its complete subtrees are kept, the largest first."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        """`peaks` are (level, hash) of the complete subtrees, from left to right."""
        self.peaks = list(peaks)
        self.size = sum(1 << level for level, _ in self.peaks)

    def append(self, found: bytes, level: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """Add a leaf, or a whole subtree of 2**level leaves; gives (level, index, hash) of each node that it completes.

        Raises Malformed where a subtree of that size cannot stand here.
        """
        if self.size & ((1 << level) - 1):
            raise Malformed(f"a subtree of {1 << level} events cannot begin at event {self.size}")
        self.size += 1 << level
        yield level, (self.size >> level) - 1, found
        while self.peaks and self.peaks[-1][0] == level:
            found = node_hash(self.peaks.pop()[1], found)
            level += 1
            yield level, (self.size >> level) - 1, found
        self.peaks.append((level, found))

    def add(self, found: bytes, level: int = 0) -> None:
        """Add a leaf or a subtree, whatever it completes. Raises Malformed as `append` does."""
        if level:
            list(self.append(found, level))
            return
        self.size += 1
        peaks = self.peaks
        while peaks and peaks[-1][0] == level:
            found = node_hash(peaks.pop()[1], found)
            level += 1
        peaks.append((level, found))

    def root(self) -> bytes:
        """RFC 9162, 2.1.1: the hash of the whole tree."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        found = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            found = node_hash(left, found)
        return found


@dataclass(frozen=True)
class Key:
    """A verifying key as C2SP writes it: `name+id+base64(0x01, public key)`."""

    name: str
    id: bytes
    public: bytes

    @classmethod
    def of(cls, name: str, public: bytes) -> "Key":
        """The key `public` (32 bytes, Ed25519) under `name`."""
        return cls(name, hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4], public)

    @classmethod
    def read(cls, text: str) -> "Key":
        """The key that `str` wrote. Raises Malformed."""
        try:
            name, number, body = text.strip().split("+", 2)
            raw = base64.b64decode(body, validate=True)
        except (ValueError, binascii.Error):
            raise Malformed(f"{text[:60]!r} is no verifying key") from None
        found = cls.of(name, raw[1:])
        if raw[:1] != b"\x01" or len(raw) != 33 or found.id.hex() != number:
            raise Malformed(f"{text[:60]!r} is no Ed25519 key, or its id is not its own")
        return found

    def __str__(self) -> str:
        body = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{body}"


@dataclass(frozen=True)
class Checkpoint:
    """What a signed note says: of which log, over how many events, with which root, made when."""

    origin: str
    size: int
    root: bytes
    at: str

    def body(self) -> bytes:
        """The signed bytes."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nat {self.at}\n".encode()


def read_note(text: str, keys: Iterable[Key]) -> Checkpoint:
    """The checkpoint in a signed note, if one of `keys` signed it. Raises Malformed."""
    return _checkpoint(read_text(text, keys))


def read_text(text: str, keys: Iterable[Key]) -> str:
    """What a signed note says, if one of `keys` signed it. Raises Malformed."""
    body, blank, signatures = text.partition("\n\n")
    body += "\n"
    known = {(key.name, key.id): key for key in keys}
    for line in signatures.splitlines() if blank else []:
        try:
            dash, name, packed = line.split(" ", 2)
            raw = base64.b64decode(packed, validate=True)
        except (ValueError, binascii.Error):
            raise Malformed("a signature line is not in its form") from None
        key = known.get((name, raw[:4]))
        if dash == "\u2014" and key is not None and signed_by(key.public, raw[4:], body.encode()):
            return body
    raise Malformed("no known key has signed this")


def _checkpoint(body: str) -> Checkpoint:
    try:
        origin, size, root, at = body.splitlines()
        found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True), at.removeprefix("at "))
    except (ValueError, binascii.Error):
        raise Malformed("a checkpoint does not say origin, size, root and time") from None
    if found.body() != body.encode():
        raise Malformed("a checkpoint is written in another form than its own")
    return found


@dataclass
class Report:
    """What was found: `first_bad` is the number of the first event that does not stand as it was sealed."""

    ok: bool = True
    origin: str = ""
    size: int = 0
    events: int = 0
    hidden: int = 0
    erased: int = 0
    checkpoints: int = 0
    last: str = ""
    first_bad: int | None = None
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def found(self, row: int, words: str) -> None:
        """Note what is wrong with event `row`, or with what follows from there on."""
        self.ok = False
        self.first_bad = row if self.first_bad is None else min(row, self.first_bad)
        if len(self.findings) < _MOST:
            self.findings.append(f"event {row}: {words}")


class _Stop(Exception):
    """What follows can no longer be told."""


class Verifier:
    """Reads an export line by line; `report` says what stood in it."""

    def __init__(
        self, keys: Iterable[Key], *, heads: Iterable[Checkpoint] = (), complete: bool = False
    ) -> None:
        """`heads` are checkpoints that one has seen before; `complete` takes no export that leaves events out."""
        self.keys, self.complete = list(keys), complete
        self.heads = {head.size: head for head in heads}
        self._agreed = 0
        self.report = Report()
        self.tree = Tree()
        self._worked_out: Tree | None = (
            None  # once content and leaf differ: either of them may be what was sealed
        )
        self.proved: Checkpoint | None = None
        self._erased: dict[str, int] = {}
        self._excused: set[str] = set()
        self._changed = self._met = False

    def run(self, lines: Iterable[bytes]) -> Report:
        """Read all lines."""
        began = time.perf_counter()
        try:
            self._read(iter(lines))
            self._finish()
        except _Stop:
            pass
        self.report.size = self.tree.size
        self.report.seconds = round(time.perf_counter() - began, 3)
        return self.report

    def _read(self, lines: Iterator[bytes]) -> None:
        self._head(next(lines, b""))
        event = self._event
        for line in lines:
            line = line.rstrip(b"\n")
            if line.startswith(_EVENT):
                event(line)
            elif line:
                self._other(line)

    def _stop(self, words: str) -> None:
        self.report.found(self.tree.size, words)
        raise _Stop

    def _head(self, line: bytes) -> None:
        try:
            head = json.loads(line)
            self.report.origin = str(head["origin"])
            known = head["audit_export"] == FORMAT
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            self._stop("the first line is no header of an audit export")
        for seen in self.heads.values():
            if seen.origin != self.report.origin:
                self._stop(f"the checkpoint that you have seen is of {seen.origin}, not of this log")

    def _event(self, line: bytes) -> None:
        cut = line.find(_PRIVATE)
        tail = line[-_TAIL:]
        if cut < 0 or not (tail[:9] == b',"salt":"' and tail[41:51] == b'","leaf":"' and tail[-2:] == b'"}'):
            self._stop("a line is not an event in its form")
        canon, private = line[9:cut], line[cut + 11 : -_TAIL]
        row, leaf = self.tree.size, leaf_hash(canon)
        try:
            said = json.loads(canon)
            seq, committed, given = said["seq"], said["commitment"], bytes.fromhex(tail[51:-2].decode())
            salt = bytes.fromhex(tail[9:41].decode())
        except (ValueError, KeyError, TypeError):
            self._stop("a line is not an event in its form")
        if seq != row:
            self._stop(f"here stands event {seq}: one is missing, added or moved")
        if leaf != given:
            self.report.found(row, "its content is not what was sealed")
            self._worked_out = self._worked_out or Tree(self.tree.peaks)
        if private == b"null":
            self._erased[str(said["id"])] = row
        elif commitment(salt, private) != committed:
            self.report.found(row, "names, reason or changed values are not what was sealed")
        if said["action"] == ERASE:
            self._excused.add(str(said["object_id"]))
        self.report.events += 1
        self._add(given, leaf)

    def _other(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if "checkpoint" in said:
                self._checkpoint(read_note(said["checkpoint"], self.keys))
            else:
                start, level, found = said["skip"]
                self._skip(int(start), int(level), bytes.fromhex(found))
        except Malformed as error:
            self._at_proof(str(error))
        except (ValueError, KeyError, TypeError):
            self._stop("a line is neither event, skip nor checkpoint")

    def _skip(self, start: int, level: int, found: bytes) -> None:
        if self.complete:
            self._stop("events are left out of an export that should be complete")
        if start != self.tree.size or not 0 <= level < 60 or len(found) != 32:
            self._stop("what is left out here is not what the line says")
        self.report.hidden += 1 << level
        self._add(found, found, level)

    def _add(self, given: bytes, leaf: bytes, level: int = 0) -> None:
        self.tree.add(given, level)
        if self._worked_out:
            self._worked_out.add(leaf, level)
        if self.heads:
            self._at_head()

    def _is(self, root: bytes) -> bool:
        return root == self.tree.root() or (self._worked_out is not None and root == self._worked_out.root())

    def _checkpoint(self, point: Checkpoint) -> None:
        self.report.checkpoints += 1
        if point.origin != self.report.origin:
            self._at_proof(f"a checkpoint is of another log, {point.origin}")
        elif self.proved and point.at < self.proved.at:
            self._at_proof(f"a checkpoint of {point.at} stands behind one of {self.proved.at}")
        elif point.size != self.tree.size:
            self._at_proof(f"a checkpoint over {point.size} events stands behind {self.tree.size}")
        elif not self._is(point.root):
            self._at_proof(f"events up to {point.size - 1} are not those that were signed at {point.at}")
        else:
            self.proved, self.report.last = point, point.at

    def _at_proof(self, words: str) -> None:
        """Something is wrong with the proof: the first event that it does not reach is the first that is doubtful."""
        self._changed = True
        self.report.found(self.proved.size if self.proved else 0, words)

    def _at_head(self) -> None:
        """Compare with what one has seen: where that differs, what was signed since the last agreement is no proof."""
        head = self.heads.get(self.tree.size)
        if head is None:
            return
        self._met = True
        if self._is(head.root):
            self._agreed = head.size
        else:
            self._changed = True
            self.report.found(
                self._agreed, f"this is another history than the one that you saw signed at {head.at}"
            )

    def _finish(self) -> None:
        size, last = self.tree.size, max(self.heads, default=0)
        if not self._changed and (self.proved.size if self.proved else 0) != size:
            self._at_proof("from here on no checkpoint proves the events")
        if last > size:
            self.report.found(
                size, f"you have seen {last} events signed at {self.heads[last].at}; here are {size}"
            )
        elif last and not self._met:
            self.report.found(
                0, "this export leaves too much out to be compared with the checkpoint that you have"
            )
        for key, row in self._erased.items():
            if key not in self._excused:
                self.report.found(row, "its personal data are gone, and no event says that they were erased")
        self.report.erased = len(self._erased)


def verify(
    lines: Iterable[bytes],
    keys: Iterable[Key],
    *,
    heads: Iterable[Checkpoint] = (),
    complete: bool = False,
) -> Report:
    """What stands in an export, and whether it is what was signed."""
    return Verifier(keys, heads=heads, complete=complete).run(lines)


def csv_row(line: bytes) -> list[str]:
    """An event's line as cells of a table, in the order of `COLUMNS`; no cell begins as a formula does."""
    found = json.loads(line)
    event, private, leaf = found["event"], found["private"] or {}, found["leaf"]
    cells = {
        **{name: event.get(name) for name in COLUMNS},
        "actor": private.get("actor_label", ""),
        "object": private.get("object_label", ""),
        "reason": private.get("reason", ""),
        "address": private.get("address", ""),
        "before": _json(private.get("before")),
        "after": _json(private.get("after")),
        "leaf": leaf,
    }
    return [_harmless(str(cells[name] if cells[name] is not None else "")) for name in COLUMNS]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _harmless(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text[:1] in "=+-@\t\n\uff1d\uff0b\uff0d\uff20" and text else text


def check_table(table: Iterable[str], lines: Iterable[bytes], report: Report) -> None:
    """Hold a CSV export against the lines that were proved; what differs goes into `report`."""
    rows = csv.reader(table)
    if next(rows, None) != list(COLUMNS):
        report.found(0, "the table does not begin with the columns of an audit export")
        return
    for line in lines:
        if line.startswith(_EVENT):
            wanted = csv_row(line)
            if next(rows, None) != wanted:
                report.found(int(wanted[0]), "the table says something else here than the proved event")
                return
    if next(rows, None) is not None:
        report.found(report.size, "the table has a row that no proved event stands behind")


# Ed25519 as RFC 8032 has it, for machines without the package `cryptography`; it holds no secret, so time may vary
_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_Point = tuple[int, int, int, int]


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` over `message` is that of the Ed25519 key `public`."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return signed_by_hand(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_by_hand(public: bytes, signature: bytes, message: bytes) -> bool:
    """`signed_by` in Python alone (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, point = _point(public), _point(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or point is None or number >= _L:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    base = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert base is not None
    left, right = _times(number, base), _plus(point, _times(digest, key))
    return (
        (left[0] * right[2] - right[0] * left[2]) % _P == 0 == (left[1] * right[2] - right[1] * left[2]) % _P
    )


def _point(packed: bytes) -> _Point | None:
    y = int.from_bytes(packed, "little")
    odd, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    x = _P - x if x & 1 != odd else x
    return x, y, 1, x * y % _P


def _plus(one: _Point, two: _Point) -> _Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % _P, (one[1] + one[0]) * (two[1] + two[0]) % _P
    c, d = 2 * one[3] * two[3] * _D % _P, 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    found: _Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _plus(found, point)
        point, number = _plus(point, point), number >> 1
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if all is as it was signed, 1 if not, 2 if it could not be read."""
    parser = argparse.ArgumentParser(description="Verify an export of the audit log, offline.")
    parser.add_argument(
        "export", type=Path, help="the export, one JSON object a line; or a signed certificate"
    )
    parser.add_argument("--key", action="append", required=True, help="a verifying key, or a file of such")
    parser.add_argument(
        "--head", type=Path, action="append", default=[], help="a checkpoint that you have seen before"
    )
    parser.add_argument("--csv", type=Path, help="a table of the same events, to be held against them")
    parser.add_argument("--complete", action="store_true", help="take no export that leaves events out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(arguments)
    try:
        keys = [Key.read(line) for text in asked.key for line in _key_lines(text)]
        heads = [read_note(path.read_text(), keys) for path in asked.head]
        if asked.export.read_bytes()[:1] != b"{":
            sys.stdout.write(f"{read_text(asked.export.read_text(), keys)}as it was signed\n")
            return 0
        with asked.export.open("rb") as lines:
            report = verify(lines, keys, heads=heads, complete=asked.complete)
        if asked.csv:
            with asked.csv.open(newline="", encoding="utf-8-sig") as table, asked.export.open("rb") as lines:
                check_table(table, (line.rstrip(b"\n") for line in lines), report)
    except (OSError, Malformed) as error:
        sys.stderr.write(f"cannot verify: {error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(report)) + "\n" if asked.json else told(report))
    return 0 if report.ok else 1


def _key_lines(text: str) -> list[str]:
    if "+" not in text or Path(text).exists():
        text = Path(text).read_text()
    return [line for line in text.splitlines() if line.strip()]


def told(report: Report) -> str:
    """A report in words."""
    lines = [
        f"log: {report.origin}",
        f"events: {report.events} shown, {report.hidden} left out, {report.erased} with personal data erased",
        f"checkpoints: {report.checkpoints}, the last of {report.last or 'none'}",
        *report.findings,
        "as it was signed" if report.ok else f"NOT as it was signed; first bad event: {report.first_bad}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
