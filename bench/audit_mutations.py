"""A sealed log in memory, and everything that somebody who owns the database might do to it before an auditor looks."""

import atexit
import copy
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kernel import ids, notes, proof
from kernel.clock import rfc3339
from kernel.proof import Checkpoint, Key, Tree
from tenants.audit import contract
from tenants.audit.models import AuditEvent, AuditLeaf

ORIGIN = "example.test/audit/t_1"
NAME = "portal-audit"
BEGAN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """An event as its line, and the checkpoint behind it, if there is one."""

    line: bytes
    note: bytes = b""

    @property
    def leaf(self) -> bytes:
        """Its leaf hash, as the line has it."""
        return bytes.fromhex(self.line[-67:-3].decode())


@dataclass
class Log:
    """A log with a key of its own; `every` events there is a checkpoint."""

    entries: list[Entry]
    key_file: Path
    every: int

    @property
    def keys(self) -> list[Key]:
        """What an auditor has."""
        return notes.verifying_keys(file=self.key_file, name=NAME)

    @property
    def heads(self) -> list[Checkpoint]:
        """Its checkpoints, as somebody outside who is sent the log has kept them."""
        noted = [json.loads(entry.note)["checkpoint"] for entry in self.entries if entry.note]
        return [proof.read_note(note, self.keys) for note in noted]

    def sizes(self) -> list[int]:
        """How many events each checkpoint covers."""
        return [at + 1 for at, entry in enumerate(self.entries) if entry.note]

    def proved_before(self, row: int) -> int:
        """The first event that no checkpoint before `row` covers."""
        return max((size for size in self.sizes() if size <= row), default=0)


def header(size: int) -> bytes:
    """The first line of a complete export."""
    return contract.other_line(audit_export=1, origin=ORIGIN, size=size, complete=True)


def lines(entries: list[Entry]) -> list[bytes]:
    """An export of these."""
    return [header(len(entries)), *(part for entry in entries for part in (entry.line, entry.note) if part)]


def event(rng: random.Random, at: datetime) -> AuditEvent:
    """An act as the portal writes it."""
    number = rng.randrange(10_000)
    return AuditEvent(
        id=ids.uuid7(),
        at=at,
        actor_kind="user",
        actor_id=ids.uuid7(),
        actor_label=f"Person {number % 50}",
        action=rng.choice(["connectors.set_secret", "inbox.decide_case", "access.set_role"]),
        object_type="con",
        object_id=ids.public_id("con", ids.uuid7()),
        object_label=f"Connection {number}",
        before={"state": "open", "count": number},
        after={"state": "shut", "count": number + 1, "note": "Größe geändert"},
        reason="stock was counted",
        request_id=ids.uuid7().hex,
        address="10.0.0.7",
    )


def _new_key() -> Path:
    """A key in a folder that goes when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="audit-key-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "audit.key"
    notes.make_key(made)
    return made


def sealed(count: int, *, every: int = 50, seed: int = 1, key_file: Path | None = None) -> Log:
    """A log of `count` events."""
    if key_file is None:
        key_file = _new_key()
    log = Log([], key_file, every)
    rng = random.Random(seed)
    events = [event(rng, BEGAN + timedelta(seconds=at)) for at in range(count)]
    log.entries = signed([_line(one, at) for at, one in enumerate(events)], key_file, every)
    return log


def _line(one: AuditEvent, seq: int) -> bytes:
    leaf: AuditLeaf = contract.new_leaf(one, seq)
    return contract.line(one, leaf)


def signed(rows: list[bytes], key_file: Path, every: int) -> list[Entry]:
    """These lines with checkpoints, signed by the key in `key_file`."""
    tree, found = Tree(), []
    for at, row in enumerate(rows):
        entry = Entry(row)
        tree.add(entry.leaf)
        if (at + 1) % every == 0 or at + 1 == len(rows):
            point = Checkpoint(ORIGIN, at + 1, tree.root(), rfc3339(BEGAN + timedelta(seconds=at)))
            entry = replace(
                entry, note=contract.other_line(checkpoint=notes.sign(point, file=key_file, name=NAME))
            )
        found.append(entry)
    return found


def rewritten(line: bytes, *, rehash: bool, **changes: Any) -> bytes:
    """`line` with other members of its leaf; `rehash` works the leaf's hash out anew."""
    found = json.loads(line)
    canon = json.dumps(
        {**found["event"], **changes}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    leaf = proof.leaf_hash(canon.encode()).hex() if rehash else found["leaf"]
    rest = line[line.index(b',"private":') : -68]
    return b'{"event":' + canon.encode() + rest + b'"' + leaf.encode() + b'"}\n'


@dataclass(frozen=True)
class Mutation:
    """What was done: the export's lines, the first event that it touches, and whether that one must be named."""

    kind: str
    lines: list[bytes]
    row: int
    exact: bool


Mutator = Callable[[Log, random.Random], Mutation]


def _edit(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries))
    change = rng.choice(
        [{"action": "test.other"}, {"at": "2020-01-01T00:00:00Z"}, {"actor_id": None}, {"object_id": "con_x"}]
    )
    entries = _with(log, at, rewritten(log.entries[at].line, rehash=False, **change))
    return Mutation("edit", lines(entries), at, exact=True)


def _edit_private(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries))
    old, new = rng.choice([(b"Person", b"Nobody"), (b'"shut"', b'"open"'), (b"10.0.0.7", b"10.0.0.8")])
    return Mutation(
        "edit_private", lines(_with(log, at, log.entries[at].line.replace(old, new))), at, exact=True
    )


def _strip(log: Log, rng: random.Random) -> Mutation:
    """Personal data taken away as if they had been erased."""
    at = rng.randrange(len(log.entries))
    line = log.entries[at].line
    bare = line[: line.index(b',"private":')] + b',"private":null,"salt":"' + b"0" * 32 + line[-78:]
    return Mutation("strip", lines(_with(log, at, bare)), at, exact=True)


def _edit_hashed(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries))
    entries = _with(log, at, rewritten(log.entries[at].line, rehash=True, action="test.other"))
    return Mutation("edit_hashed", lines(entries), at, exact=False)


def _delete(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries) - 1)
    entries = list(log.entries)
    gone = entries.pop(at)
    if gone.note:  # the checkpoint stays: it is another row
        entries[at - 1 if at else 0] = replace(entries[at - 1 if at else 0], note=gone.note)
    return Mutation("delete", lines(entries), at, exact=not gone.note)


def _delete_renumbered(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries) - 1)
    rest = [
        replace(entry, line=rewritten(entry.line, rehash=True, seq=at + number))
        for number, entry in enumerate(log.entries[at + 1 :])
    ]
    return Mutation("delete_renumbered", lines([*log.entries[:at], *rest]), at, exact=False)


def _insert(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(len(log.entries) - 1)
    line = _line(event(rng, BEGAN), at)
    return Mutation("insert", lines([*log.entries[:at], Entry(line), *log.entries[at:]]), at + 1, exact=False)


def _swap(log: Log, rng: random.Random) -> Mutation:
    one, two = sorted(rng.sample(range(len(log.entries)), 2))
    entries = list(log.entries)
    first, second = entries[one], entries[two]
    entries[one], entries[two] = replace(second, note=first.note), replace(first, note=second.note)
    return Mutation("swap", lines(entries), one, exact=True)


def _swap_renumbered(log: Log, rng: random.Random) -> Mutation:
    one, two = sorted(rng.sample(range(len(log.entries)), 2))
    entries = list(log.entries)
    first, second = entries[one], entries[two]
    entries[one] = Entry(rewritten(second.line, rehash=True, seq=one), first.note)
    entries[two] = Entry(rewritten(first.line, rehash=True, seq=two), second.note)
    return Mutation("swap_renumbered", lines(entries), one, exact=False)


def _truncate(log: Log, rng: random.Random) -> Mutation:
    at = rng.randrange(1, len(log.entries))
    return Mutation("truncate", lines(log.entries[:at]), at, exact=False)


def _old_head(log: Log, rng: random.Random) -> Mutation:
    """The log as it was at an earlier checkpoint, which is signed and in order."""
    at = rng.choice(log.sizes()[:-1])
    return Mutation("old_head", lines(log.entries[:at]), at, exact=True)


def _fork(log: Log, rng: random.Random) -> Mutation:
    """Another history from some event on, signed with the right key: a backup that was brought back and lived on."""
    at = rng.randrange(len(log.entries))
    rows = [entry.line for entry in log.entries[:at]]
    more = rng.randrange(len(log.entries) - at, len(log.entries) - at + 100)
    rows += [_line(event(rng, BEGAN), at + number) for number in range(more)]
    return Mutation("fork", lines(signed(rows, log.key_file, log.every)), at, exact=False)


def _wrong_key(log: Log, rng: random.Random) -> Mutation:
    """One event changed, all that follows worked out anew, and every checkpoint signed by another key."""
    at = rng.randrange(len(log.entries))
    rows = [entry.line for entry in log.entries]
    rows[at] = rewritten(rows[at], rehash=True, action="test.other")
    other = _new_key()
    return Mutation("wrong_key", lines(signed(rows, other, log.every)), 0, exact=True)


def _forged_note(log: Log, rng: random.Random) -> Mutation:
    """A checkpoint whose text is changed: another root, size or time under the old signature."""
    sizes = log.sizes()
    at = rng.choice(sizes) - 1
    note = json.loads(log.entries[at].note)["checkpoint"]
    parts = note.split("\n")
    which = rng.choice([1, 2, 3])
    parts[which] = {1: str(at), 2: "A" * 43 + "=", 3: "at 2020-01-01T00:00:00Z"}[which]
    entries = list(log.entries)
    entries[at] = replace(entries[at], note=contract.other_line(checkpoint="\n".join(parts)))
    return Mutation("forged_note", lines(entries), log.proved_before(at), exact=True)


def _hide(log: Log, rng: random.Random) -> Mutation:
    """An event replaced by its hash, as exports of search results have it."""
    at = rng.randrange(len(log.entries))
    skip = contract.other_line(skip=[at, 0, log.entries[at].leaf.hex()])
    return Mutation("hide", lines(_with(log, at, skip)), at, exact=True)


def _with(log: Log, at: int, line: bytes) -> list[Entry]:
    entries = copy.copy(log.entries)
    entries[at] = replace(entries[at], line=line)
    return entries


MUTATORS: tuple[Mutator, ...] = (
    _edit, _edit_private, _strip, _edit_hashed, _delete, _delete_renumbered, _insert, _swap, _swap_renumbered,
    _truncate, _old_head, _fork, _wrong_key, _forged_note, _hide,
)  # fmt: skip


@dataclass
class Outcome:
    """How a verifier with the export, the public key and the last head fared."""

    mutations: int = 0
    found: int = 0
    named: int = 0
    named_by_checkpoint: int = 0
    missed: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)


def mutate(count: int, *, events: int = 400, seed: int = 1) -> Outcome:
    """Make `count` mutations of one log, each by itself, and verify every one.

    It is found by whoever has the export, the public key and the last checkpoint. Whoever has kept the earlier
    checkpoints, too, is told which event is the first bad one: the event itself, or, where somebody worked the hashes
    out anew, so that nothing but the next checkpoint disagrees, the first that no earlier checkpoint covers.
    """
    log, rng = sealed(events, seed=seed), random.Random(seed)
    keys, heads = log.keys, log.heads
    outcome = Outcome()
    assert proof.verify(lines(log.entries), keys, heads=heads, complete=True).ok
    for number in range(count):
        done = MUTATORS[number % len(MUTATORS)](log, rng)
        outcome.found += not proof.verify(done.lines, keys, heads=heads[-1:], complete=True).ok
        report = proof.verify(done.lines, keys, heads=heads, complete=True)
        outcome.mutations += 1
        outcome.kinds[done.kind] = outcome.kinds.get(done.kind, 0) + 1
        # what was put in stands before the row that shows it, maybe on the other side of a checkpoint
        low = log.proved_before(done.row - (done.kind == "insert"))
        if report.first_bad == done.row:
            outcome.named += 1
        elif not done.exact and report.first_bad is not None and low <= report.first_bad <= done.row:
            outcome.named_by_checkpoint += 1
        else:
            outcome.missed.append(f"{done.kind} at {done.row}: {report.first_bad} {report.findings[:1]}")
    return outcome
