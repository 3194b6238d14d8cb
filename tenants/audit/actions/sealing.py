"""Sealing: events that wait become leaves of the log's Merkle tree, and a signed checkpoint covers them.

One sealer works on a log at a time; writers of events never wait for it. What is sealed cannot be changed unseen; an
event that still waits can, by whoever administers the database, so the wait is short.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from kernel import locks, notes
from kernel.clock import rfc3339
from kernel.proof import Checkpoint, Key, Tree
from tenants.audit import contract, store
from tenants.audit.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditNode, AuditStream

log = structlog.get_logger(__name__)
BATCH: Final = 1_000
"""A checkpoint covers at most that many new events."""
_KEY_NAME: Final = "portal-audit"
_KEYS: Final = "keys.txt"


def verifying_keys(log_of: str = "") -> list[Key]:
    """The public halves of the keys that sign checkpoints, also where the key itself must not be read.

    With `log_of`, also those by which that log was signed in the portal that it came from. Raises NoAuditKey.
    """
    try:
        ours = notes.verifying_keys(file=settings.AUDIT_KEY_FILE, name=_KEY_NAME)
    except notes.NoAuditKey:
        ours = _read_keys(_KEYS)
        if not ours:
            raise
    return ours + [key for key in (_read_keys(f"{log_of}.keys.txt") if log_of else []) if key not in ours]


def keys_here() -> list[Key]:
    """The keys by which the log of the present schema verifies. Raises NoAuditKey."""
    return verifying_keys(store.schema())


def _read_keys(name: str) -> list[Key]:
    try:
        return [Key.read(line) for line in (settings.AUDIT_HEADS / name).read_text().splitlines()]
    except OSError:
        return []


def adopt(schema: str, keys: Sequence[str], note: str) -> None:
    """Take over a log that another portal signed: its keys and its head are kept outside the database from now on.

    The head is that under which the log came in, so a log that is cut back later is found. Raises Malformed.
    """
    ours = {str(key) for key in verifying_keys()}
    lines = [str(Key.read(key)) for key in keys]

    def keep() -> None:
        settings.AUDIT_HEADS.mkdir(parents=True, exist_ok=True)
        _write(
            settings.AUDIT_HEADS,
            f"{schema}.keys.txt",
            "".join(f"{key}\n" for key in lines if key not in ours),
        )
        if note:
            _witness(schema, note)

    transaction.on_commit(keep)


def certify(text: str) -> str:
    """`text` signed by the audit's key, for whoever has to believe it without us. Raises NoAuditKey."""
    return notes.sign_text(text, file=settings.AUDIT_KEY_FILE, name=_KEY_NAME)


def seal(*, now: datetime) -> int:
    """Seal up to a batch of what waits in the log of the present schema; how many events that were.

    Does nothing while another sealer is at work here. Raises NoAuditKey.
    """
    with transaction.atomic():
        schema = store.schema()
        if not locks.try_lock_until_commit("audit.seal", schema):
            return 0
        wait = store.waiting(schema, limit=BATCH)
        if not wait:
            return 0
        events = AuditEvent.objects.in_bulk([key for _, key in wait])
        size = store.size()
        tree = Tree(store.peaks(size))
        _append(tree, [events[key] for _, key in wait if key in events])
        store.done_waiting([number for number, _ in wait])
        if tree.size == size:  # what waited is gone again, with its schema's rows
            return 0
        point = _checkpoint(tree, schema, now)
        store.owe(AuditStream.objects.filter(active=True).values_list("id", flat=True))
        transaction.on_commit(lambda: _witness(schema, point.note))
    return tree.size - size


def _append(tree: Tree, events: list[AuditEvent]) -> None:
    leaves: list[AuditLeaf] = []
    nodes: list[AuditNode] = []
    for event in events:
        leaf = contract.new_leaf(event, tree.size)
        leaves.append(leaf)
        nodes += [
            AuditNode(level=level, index=index, hash=found)
            for level, index, found in tree.append(bytes(leaf.hash))
            if level and level % store.TILE == 0
        ]
    AuditLeaf.objects.bulk_create(leaves)
    AuditNode.objects.bulk_create(nodes)


def _checkpoint(tree: Tree, schema: str, now: datetime) -> AuditCheckpoint:
    before = store.last_checkpoint()
    origin = before.note.partition("\n")[0] if before else f"{settings.BASE_DOMAIN}/audit/{schema}"
    at = max(now, before.at) if before else now
    point = Checkpoint(origin, tree.size, tree.root(), rfc3339(at))
    note = notes.sign(point, file=settings.AUDIT_KEY_FILE, name=_KEY_NAME)
    return AuditCheckpoint.objects.create(size=point.size, root=point.root, at=at, note=note)


def _witness(schema: str, note: str) -> None:
    """Keep the newest checkpoint outside the database, where rolling the database back does not reach it."""
    folder = settings.AUDIT_HEADS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, _KEYS, "".join(f"{key}\n" for key in verifying_keys()))
        _write(folder, f"{schema}.txt", note)
    except OSError as error:
        log.warning("checkpoint not kept outside the database", error=str(error))


def _write(folder: Path, name: str, text: str) -> None:
    fresh = folder / f".{name}.new"
    fresh.write_text(text)
    fresh.replace(folder / name)
