"""Firing schedules: the runs of an instant begin in the transaction that moves the schedule on, once an instant.

A schedule's key stands in the queue like a run's, so it is claimed, fenced and held back like one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection as here
from psycopg import AsyncConnection

from automations.engine.store.claim import Claimed
from automations.engine.store.intake import NewRun
from kernel import jsonx

_LOAD: Final = """
select s.workflow_id, w.definition_id, s.anchor_at, s.done_at, s.next_at
from "{schema}".engine_schedule s join "{schema}".engine_workflow w on w.id = s.workflow_id
where s.id = %s and w.state = 'active'
"""
_PARK: Final = """
update public.ledger_queue q set owner = null, lease_until = null, claims = 0,
  ready_at = case when q.wakes <> %(seen)s then '-infinity' else %(ready)s::timestamptz end
where q.run_id = %(id)s and q.epoch = %(epoch)s and q.owner = %(worker)s returning 1
"""
_INSTANTS: Final = """
insert into public.ledger_schedule_fire (schedule_id, fire_at, tenant_id)
select %s, t.at, %s from unnest(%s::timestamptz[]) as t(at) on conflict do nothing returning fire_at
"""
_FORGET: Final = """
delete from public.ledger_schedule_fire where schedule_id = %s and fire_at < %s::timestamptz - interval '35 days'
"""
_START: Final = """
with made as (
  insert into "{schema}".engine_run (
    id, workflow_id, definition_id, status, cause, parent_id, brood_id, business_key, currency, hops, input, step,
    started_at)
  values (%(id)s, %(workflow)s, %(definition)s, 'pending', 'schedule', %(schedule)s, %(brood)s, %(key)s, '', 0,
    %(input)s, '', %(at)s)
  returning id)
insert into public.ledger_queue (run_id, tenant_id, definition_id, ready_at, epoch, signal, wakes, claims)
select id, %(tenant)s, %(definition)s, %(at)s, 0, 0, 0, 0 from made
"""
_WAIT: Final = """
insert into "{schema}".engine_brood (id, run_id, total, remaining, cap, next, shared) values (%s, %s, 1, 1, 1, 1, %s)
"""
_MOVE: Final = """
update "{schema}".engine_schedule
set done_at = %s, next_at = %s, fired = fired + %s, missed = missed + %s where id = %s
"""
_ARM: Final = """
insert into public.ledger_queue (run_id, tenant_id, definition_id, ready_at, epoch, signal, wakes, claims)
values (%s, %s, %s, %s, 0, 0, 0, 0)
on conflict (run_id) do update set ready_at = excluded.ready_at, definition_id = excluded.definition_id,
  wakes = ledger_queue.wakes + 1
"""


@dataclass(slots=True)
class Due:
    """A schedule as it was found: which workflow it starts, and how far it has come."""

    workflow_id: UUID
    definition_id: UUID
    anchor_at: datetime
    done_at: datetime
    next_at: datetime | None


@dataclass(slots=True)
class Fired:
    """What a schedule does: the instants it fires, how far it has come, when it is looked at again."""

    instants: Sequence[datetime]
    done_at: datetime
    next_at: datetime | None
    look_at: datetime | None
    missed: int
    wait_for: bool = False
    over: Sequence[UUID] = ()


async def load(connection: AsyncConnection[Any], schema: str, schedule: UUID) -> Due | None:
    """The schedule behind a queue row, None if there is none, or its workflow is not active."""
    cursor = await connection.execute(_LOAD.format(schema=schema), [schedule])
    row = await cursor.fetchone()
    return Due(*row) if row else None


async def fire(
    connection: AsyncConnection[Any],
    worker: UUID,
    claimed: Claimed,
    fired: Fired,
    runs: Mapping[datetime, NewRun],
) -> int:
    """Start the runs whose instants were not fired yet, and park the schedule; how many, 0 if it was taken over."""
    schema, schedule = claimed.schema, claimed.run_id
    async with connection.transaction():
        cursor = await connection.execute(
            _PARK,
            {
                "seen": claimed.wakes,
                "ready": fired.look_at or "infinity",
                "id": schedule,
                "epoch": claimed.epoch,
                "worker": worker,
            },
        )
        if await cursor.fetchone() is None:
            return 0
        begun = await _begin(connection, claimed, fired, runs)
        if fired.over:
            await connection.execute(
                f'delete from "{schema}".engine_brood where id = any(%s)', [list(fired.over)]
            )
        await connection.execute(
            _MOVE.format(schema=schema), [fired.done_at, fired.next_at, begun, fired.missed, schedule]
        )
    return begun


async def _begin(
    connection: AsyncConnection[Any], claimed: Claimed, fired: Fired, runs: Mapping[datetime, NewRun]
) -> int:
    schema, schedule = claimed.schema, claimed.run_id
    if not runs:
        return 0
    cursor = await connection.execute(_INSTANTS, [schedule, claimed.tenant_id, list(runs)])
    fresh = {row[0] for row in await cursor.fetchall()}
    await connection.execute(_FORGET, [schedule, fired.done_at])
    for at, run in runs.items():
        if at not in fresh:
            continue
        brood = run.id if fired.wait_for else None
        if brood is not None:
            await connection.execute(_WAIT.format(schema=schema), [brood, schedule, jsonx.pack({})])
        await connection.execute(
            _START.format(schema=schema),
            {
                "id": run.id,
                "workflow": run.workflow_id,
                "definition": run.definition_id,
                "schedule": schedule,
                "brood": brood,
                "key": run.business_key,
                "input": run.input,
                "at": run.started_at,
                "tenant": claimed.tenant_id,
            },
        )
    return len(fresh)


async def drop(connection: AsyncConnection[Any], worker: UUID, claimed: Claimed) -> None:
    """Take out a queue row that stands for nothing any more."""
    await connection.execute(
        "delete from public.ledger_queue where run_id = %s and epoch = %s and owner = %s",
        [claimed.run_id, claimed.epoch, worker],
    )


def arm(schedule: UUID, tenant: UUID, definition: UUID, at: datetime | None) -> None:
    """Let the schedule be looked at at `at` by the tenant's clock; in the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute(_ARM, [schedule, tenant, definition, at or "infinity"])


def disarm(schedule: UUID) -> None:
    """Let the schedule be looked at no more; in the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute("delete from public.ledger_queue where run_id = %s", [schedule])
        cursor.execute("delete from engine_brood where run_id = %s", [schedule])
