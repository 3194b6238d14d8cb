"""Events that wait for others to start a run together. Whoever looks at a key holds its lock until it commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

Mark = tuple[UUID, int]
_LOCK: Final = "select pg_advisory_xact_lock(k) from unnest(%s::bigint[]) as k"
_HELD: Final = """
select g.workflow_id, g.key, g.place, g.event_id, g.received_at
from unnest(%s::uuid[], %s::bigint[]) as t(workflow_id, key)
join engine_gathered g on g.workflow_id = t.workflow_id and g.key = t.key
order by g.received_at, g.event_id
"""
_KEEP: Final = """
insert into engine_gathered (workflow_id, key, event_id, place, received_at)
select %s, %s, t.* from unnest(%s::uuid[], %s::smallint[], %s::timestamptz[]) as t(event_id, place, received_at)
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event in its place."""

    place: int
    event_id: UUID
    received_at: datetime


def held(marks: Iterable[Mark]) -> dict[Mark, list[Waiting]]:
    """What waits under each (workflow, key), the oldest first."""
    wanted = list(marks)
    found: dict[Mark, list[Waiting]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted({key for _, key in wanted})])
        columns: list[Any] = [[workflow for workflow, _ in wanted], [key for _, key in wanted]]
        cursor.execute(_HELD, columns)
        for workflow, key, place, event, at in cursor.fetchall():
            found.setdefault((workflow, key), []).append(Waiting(place, event, at))
    return found


def keep(mark: Mark, rows: Sequence[Waiting]) -> None:
    """Let these wait."""
    if not rows:
        return
    columns: list[Any] = [
        [row.event_id for row in rows],
        [row.place for row in rows],
        [row.received_at for row in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [*mark, *columns])


def take(mark: Mark, events: Sequence[UUID]) -> None:
    """These wait no more."""
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from engine_gathered where workflow_id = %s and key = %s and event_id = any(%s)",
            [*mark, list(events)],
        )
