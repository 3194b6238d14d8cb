"""The sealed log on disk: what waits to be sealed, the tree's nodes, erasing. SQL lives here alone.

A trigger writes each new event's key into `public.audit_pending`, in the transaction of the event and without any
lock; one look there says which of all logs have something to seal. Rows that commit late are sealed late: nothing
is passed over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from kernel.proof import node_hash
from tenants.audit.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditNode

TILE: Final = 8
"""Roots of subtrees of 2**8 leaves are kept, and of 2**16, and so on."""
_WIDTH: Final = 1 << TILE


def schema() -> str:
    """The schema that the connection is in: whose log this is."""
    with connection.cursor() as cursor:
        cursor.execute("select current_schema()")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def waiting_logs(*, seconds: float, rows: int) -> list[str]:
    """Schemas with events that wait for `seconds`, or with `rows` of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select schema_name from public.audit_pending group by schema_name
            having min(at) <= clock_timestamp() - make_interval(secs => %s) or count(*) >= %s
            """,
            [seconds, rows],
        )
        return [row[0] for row in cursor.fetchall()]


def waiting(of: str, *, limit: int) -> list[tuple[int, UUID]]:
    """(number of the wait, event) of one log, in the order in which they came."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, event_id from public.audit_pending where schema_name = %s order by id limit %s",
            [of, limit],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def count_waiting(of: str) -> tuple[int, datetime | None]:
    """How many events of one log are not sealed, and since when the first of them waits."""
    with connection.cursor() as cursor:
        cursor.execute("select count(*), min(at) from public.audit_pending where schema_name = %s", [of])
        row = cursor.fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def done_waiting(numbers: list[int]) -> None:
    """These are sealed."""
    with connection.cursor() as cursor:
        cursor.execute("delete from public.audit_pending where id = any(%s)", [numbers])


def forget(of: str) -> None:
    """Nothing of this log waits any more: its schema is gone."""
    with connection.cursor() as cursor:
        cursor.execute("delete from public.audit_pending where schema_name = %s", [of])


def size() -> int:
    """How many events are sealed."""
    last = AuditLeaf.objects.order_by("-seq").values_list("seq", flat=True).first()
    return 0 if last is None else last + 1


def last_checkpoint() -> AuditCheckpoint | None:
    """The newest one."""
    return AuditCheckpoint.objects.order_by("-size").first()


def peaks(count: int) -> list[tuple[int, bytes]]:
    """(level, hash) of the complete subtrees that the first `count` leaves are made of, from left to right."""
    levels = Levels(count)
    return [(level, levels.hash(start, level)) for start, level in blocks(0, count)]


def blocks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """(start, level) of the largest complete subtrees that fill [start, end)."""
    while start < end:
        level = (start & -start).bit_length() - 1 if start else end.bit_length()
        while start + (1 << level) > end:
            level -= 1
        yield start, level
        start += 1 << level


class Levels:
    """Hashes of complete subtrees of the first `count` leaves; reads nodes and tiles of leaves when asked for them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._rows: list[list[bytes]] | None = None
        self._tile: tuple[int, list[list[bytes]]] = (-1, [])

    def hash(self, start: int, level: int) -> bytes:
        """The root over 2**level leaves from `start` on."""
        if level >= TILE:
            return self._upper()[level - TILE][start >> level]
        return self._lower(start >> TILE)[level][(start % _WIDTH) >> level]

    def _upper(self) -> list[list[bytes]]:
        if self._rows is None:
            nodes = AuditNode.objects.filter(level=TILE, index__lt=self._count >> TILE).order_by("index")
            self._rows = _pyramid([bytes(found) for found in nodes.values_list("hash", flat=True)])
        return self._rows

    def _lower(self, tile: int) -> list[list[bytes]]:
        if self._tile[0] != tile:
            first = tile * _WIDTH
            leaves = AuditLeaf.objects.filter(seq__gte=first, seq__lt=min(first + _WIDTH, self._count))
            found = [bytes(one) for one in leaves.order_by("seq").values_list("hash", flat=True)]
            self._tile = (tile, _pyramid(found))
        return self._tile[1]


def _pyramid(lowest: list[bytes]) -> list[list[bytes]]:
    rows = [lowest]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event and its leaf; no event where its row is gone."""

    leaf: AuditLeaf
    event: AuditEvent | None


def sealed_rows(leaves: Iterable[AuditLeaf]) -> list[Sealed]:
    """Leaves with their events."""
    found = list(leaves)
    events = AuditEvent.objects.in_bulk([leaf.event_id for leaf in found])
    return [Sealed(leaf, events.get(leaf.event_id)) for leaf in found]


def all_rows(count: int, *, at_once: int = 2_000) -> Iterator[Sealed]:
    """The first `count` leaves with their events, in order."""
    for start in range(0, count, at_once):
        leaves = AuditLeaf.objects.filter(seq__gte=start, seq__lt=min(start + at_once, count))
        yield from sealed_rows(leaves.order_by("seq"))


def outside(of: str) -> int:
    """How many events are neither sealed nor waiting: rows that came in past the trigger."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select count(*) from audit_auditevent e
            where not exists (select from audit_auditleaf l where l.event_id = e.id)
              and not exists (select from public.audit_pending p where p.schema_name = %s and p.event_id = e.id)
            """,
            [of],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def erase(event_id: UUID) -> int:
    """Empty an event's personal data and destroy the salt; how many rows that were."""
    with connection.cursor() as cursor:
        cursor.execute("update audit_auditleaf set salt = '' where event_id = %s and salt <> ''", [event_id])
        count = int(cursor.rowcount)
        cursor.execute(
            "update audit_auditevent set actor_label = '', object_label = '', before = null, after = null,"
            " reason = '', address = '' where id = %s",
            [event_id],
        )
    return count


def is_sealed(event_id: UUID) -> bool:
    """Whether an event has its leaf."""
    return AuditLeaf.objects.filter(event_id=event_id).exists()


def owe(streams: Iterable[UUID]) -> None:
    """These streams of the present log have something to send; one that waits after a failure goes on to wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into public.audit_owed (stream_id, schema_name, due_at)
            select one, current_schema(), clock_timestamp() from unnest(%s::uuid[]) as one
            on conflict (stream_id) do update set asked = audit_owed.asked + 1
            """,
            [list(streams)],
        )


def owe_later(stream_id: UUID, seconds: float) -> None:
    """Try this stream again after so many seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update public.audit_owed set due_at = clock_timestamp() + make_interval(secs => %s)"
            " where stream_id = %s",
            [seconds, stream_id],
        )


def owe_nothing(stream_id: UUID, asked: int | None = None) -> None:
    """This stream has sent everything, unless it was asked again since it was claimed: then it is due at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from public.audit_owed where stream_id = %s and (%s::bigint is null or asked = %s)",
            [stream_id, asked, asked],
        )
    owe_later(stream_id, 0)


def claim_owed(stream_id: UUID, *, seconds: float) -> int | None:
    """Take a stream that is due, for at most `seconds`; None where it is not due, or somebody has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update public.audit_owed set due_at = clock_timestamp() + make_interval(secs => %s)
            where stream_id = %s and due_at <= clock_timestamp() returning asked
            """,
            [seconds, stream_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def owed() -> list[tuple[str, UUID]]:
    """(schema, stream) of every stream that is due, in all logs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select schema_name, stream_id from public.audit_owed where due_at <= clock_timestamp() order by due_at"
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]
