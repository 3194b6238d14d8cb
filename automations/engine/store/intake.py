"""What the dispatcher of events writes for the engine: runs that start, and events handed to runs that wait.

Runs inside the transaction of the dispatch, on Django's connection, in the tenant's schema.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from automations.engine.machine.apart import Blobs
from automations.engine.store import blobs

_START: Final = """
insert into engine_run (id, workflow_id, definition_id, status, cause, event_id, parent_id, business_key, value_minor,
                        currency, hops, input, step, started_at)
select id, workflow_id, definition_id, 'pending', cause, event_id, parent_id, business_key, value_minor,
       currency, hops, input, '', started_at
from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[],
            %s::text[], %s::smallint[], %s::bytea[], %s::timestamptz[])
  as t(id, workflow_id, definition_id, cause, event_id, parent_id, business_key, value_minor, currency, hops, input,
       started_at)
"""
_QUEUE: Final = """
insert into public.ledger_queue (run_id, tenant_id, definition_id, ready_at, epoch, signal, wakes, claims)
select id, %s, definition_id, ready_at, 0, 0, 0, 0
from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) as t(id, definition_id, ready_at)
"""
_LOCK: Final = "select pg_advisory_xact_lock(k) from unnest(%s::bigint[]) as k"
_REMEMBER: Final = """
insert into engine_event_key (key, event_id, received_at)
select * from unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) on conflict do nothing
"""
_DELIVER: Final = """
with found as (
  insert into engine_delivery (run_id, no, event_id, received_at, taken)
  select s.run_id, s.no, e.event_id, e.received_at, false
  from unnest(%s::bigint[], %s::uuid[], %s::timestamptz[], %s::text[]) as e(key, event_id, received_at, type)
  join engine_subscription s on s.key = e.key and s.type = e.type
  on conflict do nothing returning run_id, received_at),
first as (select run_id, min(received_at) as at from found group by run_id)
update public.ledger_queue q set wakes = q.wakes + 1,
  ready_at = case when q.owner is null then least(q.ready_at, first.at) else q.ready_at end
from first where q.run_id = first.run_id
"""


@dataclass(slots=True)
class NewRun:
    """A run that starts: what goes in, what it is about, and what caused it."""

    id: UUID
    workflow_id: UUID
    definition_id: UUID
    cause: str
    event_id: UUID | None
    parent_id: UUID | None
    business_key: str
    value_minor: int | None
    currency: str
    hops: int
    input: bytes
    started_at: datetime
    blobs: Blobs = field(default_factory=dict)
    given: Any = None  # what `input` holds, as long as it is at hand


@dataclass(slots=True)
class Key:
    """A correlation key of an event."""

    key: int
    event_id: UUID
    received_at: datetime
    type: str


def start(tenant_id: UUID, runs: Sequence[NewRun]) -> None:
    """Insert runs and queue them, due at once."""
    if not runs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _START,
            [
                [run.id for run in runs],
                [run.workflow_id for run in runs],
                [run.definition_id for run in runs],
                [run.cause for run in runs],
                [run.event_id for run in runs],
                [run.parent_id for run in runs],
                [run.business_key for run in runs],
                [run.value_minor for run in runs],
                [run.currency for run in runs],
                [run.hops for run in runs],
                [run.input for run in runs],
                [run.started_at for run in runs],
            ],
        )
        queue(cursor, tenant_id, [(run.id, run.definition_id, run.started_at) for run in runs])
    large = [(run.id, run.blobs) for run in runs if run.blobs]
    if large:
        blobs.keep_here(large)


def queue(cursor: Any, tenant_id: UUID, rows: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Queue runs: (run, definition, due)."""
    cursor.execute(
        _QUEUE, [tenant_id, [r for r, _, _ in rows], [d for _, d, _ in rows], [t for _, _, t in rows]]
    )


def deliver(keys: Sequence[Key]) -> None:
    """Hand events to the runs that wait for their keys, and keep the keys for runs that come later.

    Takes the lock of each key first, as a run does that begins to listen: whoever comes second sees the other.
    """
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted({key.key for key in keys})])
        numbers = [key.key for key in keys]
        ids = [key.event_id for key in keys]
        times = [key.received_at for key in keys]
        cursor.execute(_REMEMBER, [numbers, ids, times])
        cursor.execute(_DELIVER, [numbers, ids, times, [key.type for key in keys]])
