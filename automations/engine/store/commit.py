"""Checkpoints: many runs of one tenant in one transaction, each under the fence of its epoch.

A run whose queue row does not have the worker and epoch any more was taken over: nothing of its checkpoint is
written, and the caller drops it.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from automations.engine.machine.apart import Blobs
from automations.engine.machine.kinds.happenings import LOOKBACK
from automations.engine.machine.moves import Brood, Fact, Registration
from automations.engine.machine.waking import BROOD
from automations.engine.store import blobs, broods, holds, lanes
from automations.engine.store.broods import Moved
from automations.engine.store.claim import LEASE_SECONDS
from automations.events import store as events

NEVER: Final = float("inf")

_CHECKPOINT: Final = """
with i as (
  select * from unnest(
    %b::uuid[], %b::int[], %b::int[], %b::bool[], %b::bool[], %b::float8[], %b::text[], %b::bool[], %b::bytea[],
    %b::text[], %b::text[], %b::float8[], %b::int[], %b::bytea[], %b::bytea[], %b::bool[])
  as t(id, epoch, seen, over, keep, ready, status, changed, output, error, step, ended, seq, steps, snapshot,
       had_state)),
gone as (
  delete from ledger_queue q using i
  where i.over and q.run_id = i.id and q.epoch = i.epoch and q.owner = %b returning q.run_id, q.signal),
kept as (
  update ledger_queue q set
    owner = case when i.keep then q.owner end,
    lease_until = case when i.keep then clock_timestamp() + make_interval(secs => %b) end,
    ready_at = case when i.keep then q.ready_at when q.wakes <> i.seen then '-infinity' else to_timestamp(i.ready) end,
    claims = 0
  from i where not i.over and q.run_id = i.id and q.epoch = i.epoch and q.owner = %b returning q.run_id, q.signal),
ok as (select * from gone union all select * from kept),
run as (
  update "{schema}".engine_run r set
    status = i.status, output = nullif(i.output, ''), error = nullif(i.error, '')::jsonb, step = i.step,
    ended_at = case when i.over then to_timestamp(i.ended) end
  from i join ok on ok.run_id = i.id where r.id = i.id and i.changed),
journal as (
  insert into "{schema}".engine_segment (run_id, seq, steps)
  select i.id, i.seq, i.steps from i join ok on ok.run_id = i.id where i.steps <> '' on conflict do nothing),
state as (
  insert into "{schema}".engine_state (run_id, snapshot)
  select i.id, i.snapshot from i join ok on ok.run_id = i.id where not i.over and i.snapshot <> ''
  on conflict (run_id) do update set snapshot = excluded.snapshot),
cleared as (
  delete from "{schema}".engine_state s using i join ok on ok.run_id = i.id
  where i.over and i.had_state and s.run_id = i.id)
select run_id, signal from ok
"""

_SEGMENTS: Final = """
insert into "{schema}".engine_segment (run_id, seq, steps)
select * from unnest(%b::uuid[], %b::int[], %b::bytea[]) on conflict do nothing
"""
_LOCK: Final = "select pg_advisory_xact_lock(k) from unnest(%b::bigint[]) as k"
_LISTEN: Final = """
insert into "{schema}".engine_subscription (run_id, no, type, key, since)
select t.run_id, t.no, t.type, t.key, to_timestamp(t.since)
from unnest(%b::uuid[], %b::int[], %b::text[], %b::bigint[], %b::float8[]) as t(run_id, no, type, key, since)
on conflict do nothing
"""
_EARLY: Final = """
with found as (
  insert into "{schema}".engine_delivery (run_id, no, event_id, received_at, taken)
  select t.run_id, t.no, k.event_id, k.received_at, false
  from unnest(%b::uuid[], %b::int[], %b::bigint[], %b::float8[]) as t(run_id, no, key, since)
  join "{schema}".engine_event_key k on k.key = t.key and k.received_at >= to_timestamp(t.since)
  on conflict do nothing returning run_id, received_at),
first as (select run_id, min(received_at) as at from found group by run_id)
update ledger_queue q set wakes = q.wakes + 1,
  ready_at = case when q.owner is null then least(q.ready_at, first.at) else q.ready_at end
from first where q.run_id = first.run_id
"""
_CLOSE: Final = """
with t as (select * from unnest(%b::uuid[], %b::int[]) as t(run_id, no)),
gone as (
  delete from "{schema}".engine_delivery d using t where d.run_id = t.run_id and d.no = t.no)
delete from "{schema}".engine_subscription s using t where s.run_id = t.run_id and s.no = t.no
"""
_TAKEN: Final = """
delete from "{schema}".engine_delivery d
using unnest(%b::uuid[], %b::int[], %b::uuid[]) as t(run_id, no, event_id)
where d.run_id = t.run_id and d.no = t.no and d.event_id = t.event_id
"""
_FORGET: Final = """
with t as (select * from unnest(%b::uuid[]) as t(run_id)),
gone as (delete from "{schema}".engine_delivery d using t where d.run_id = t.run_id)
delete from "{schema}".engine_subscription s using t where s.run_id = t.run_id
"""


@dataclass(slots=True)
class Checkpoint:
    """What one run wants written. `keep`: it goes on in this worker; else it is parked until `ready`, or `over`."""

    tenant_id: UUID
    schema: str
    run_id: UUID
    epoch: int
    seen: int
    status: str
    changed: bool
    over: bool = False
    keep: bool = False
    ready: float = NEVER
    output: bytes = b""
    error: str = ""
    step: str = ""
    ended: float = 0.0
    seq: int = 0
    steps: bytes = b""
    more_steps: list[tuple[int, bytes]] = field(default_factory=list)
    blobs: Blobs = field(default_factory=dict)
    fold: tuple[int, int] | None = None
    snapshot: bytes = b""
    had_state: bool = False
    listened: bool = False
    business_key: str = ""
    hops: int = 0
    facts: list[Fact] = field(default_factory=list)
    opened: list[Registration] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    taken: list[tuple[int, UUID]] = field(default_factory=list)
    broods: list[Brood] = field(default_factory=list)
    dropped: list[UUID] = field(default_factory=list)
    moved: Moved | None = None
    at: float = 0.0
    holds: list[UUID] = field(default_factory=list)
    left: bool = False
    called: bool = False

    @property
    def plain(self) -> bool:
        """Whether one statement is enough for it."""
        return not (
            self.facts
            or self.more_steps
            or self.blobs
            or self.opened
            or self.closed
            or self.taken
            or self.broods
            or self.dropped
            or self.moved
            or self.holds
            or self.left
            or self.called
            or (self.over and self.listened)
        )


async def commit(
    connection: AsyncConnection[Any], worker: UUID, tenant_id: UUID, schema: str, points: list[Checkpoint]
) -> dict[UUID, int]:
    """Write checkpoints of runs of one tenant; of those that were written, run to signal."""
    if all(point.plain for point in points):
        return await _write(connection, worker, schema, points)
    async with connection.transaction():
        keys = sorted({registration.key for point in points for registration in point.opened})
        if keys:
            await connection.execute(_LOCK, [keys])
        written = await _write(connection, worker, schema, points)
        alive = [point for point in points if point.run_id in written]
        await _keep(connection, schema, alive)
        await _listen(connection, schema, alive)
        await _raise_broods(connection, schema, tenant_id, alive)
        await _publish(connection, schema, tenant_id, alive)
        held = [(point.run_id, target) for point in alive for target in point.holds if target != tenant_id]
        if held:
            await holds.hold(connection, tenant_id, held)
        await lanes.leave(
            connection, [(point.run_id, point.left) for point in alive if point.left or point.called]
        )
    return written


async def _write(
    connection: AsyncConnection[Any], worker: UUID, schema: str, points: list[Checkpoint]
) -> dict[UUID, int]:
    columns: list[list[Any]] = [
        [point.run_id for point in points],
        [point.epoch for point in points],
        [point.seen for point in points],
        [point.over for point in points],
        [point.keep for point in points],
        [point.ready for point in points],
        [point.status for point in points],
        [point.changed for point in points],
        [point.output for point in points],
        [point.error for point in points],
        [point.step for point in points],
        [point.ended for point in points],
        [point.seq for point in points],
        [point.steps for point in points],
        [point.snapshot for point in points],
        [point.had_state for point in points],
    ]
    cursor = await connection.execute(
        _CHECKPOINT.format(schema=schema), [*columns, worker, float(LEASE_SECONDS), worker]
    )
    return dict(await cursor.fetchall())


async def _keep(connection: AsyncConnection[Any], schema: str, points: list[Checkpoint]) -> None:
    """What does not fit into one row of the journal, and values that fit into none."""
    longer = [(point.run_id, seq, steps) for point in points for seq, steps in point.more_steps]
    if longer:
        await connection.execute(
            _SEGMENTS.format(schema=schema), [list(column) for column in zip(*longer, strict=True)]
        )
    large = [(point.run_id, point.blobs) for point in points if point.blobs]
    if large:
        await blobs.keep(connection, schema, large)


async def _listen(connection: AsyncConnection[Any], schema: str, points: list[Checkpoint]) -> None:
    """Close and open subscriptions, and find events that came early. Closing comes first: an id may come back."""
    closed = [(point.run_id, no) for point in points for no in point.closed if not point.over]
    if closed:
        await connection.execute(
            _CLOSE.format(schema=schema), [list(column) for column in zip(*closed, strict=True)]
        )
    taken = [
        (point.run_id, no, event)
        for point in points
        if not point.over
        for no, event in point.taken
        if no != BROOD
    ]
    if taken:
        await connection.execute(
            _TAKEN.format(schema=schema), [list(column) for column in zip(*taken, strict=True)]
        )
    over = [point.run_id for point in points if point.over and point.listened]
    if over:
        await connection.execute(_FORGET.format(schema=schema), [over])
    opened = [(point.run_id, new) for point in points if not point.over for new in point.opened]
    if opened:
        runs = [run for run, _ in opened]
        numbers = [new.no for _, new in opened]
        keys = [new.key for _, new in opened]
        since = [new.since for _, new in opened]
        types = [new.type for _, new in opened]
        await connection.execute(_LISTEN.format(schema=schema), [runs, numbers, types, keys, since])
        early = [at - LOOKBACK for at in since]
        await connection.execute(_EARLY.format(schema=schema), [runs, numbers, keys, early])


async def _raise_broods(
    connection: AsyncConnection[Any], schema: str, tenant_id: UUID, points: list[Checkpoint]
) -> None:
    """Runs that steps started: those that nobody waits for, those that are over, those that begin."""
    dropped = [key for point in points for key in point.dropped]
    if dropped:
        await broods.drop(connection, schema, dropped)
    known = [key for point in points if not point.over for no, key in point.taken if no == BROOD]
    if known:
        await broods.taken(connection, schema, known)
    over = [point.run_id for point in points if point.over and point.listened]
    if over:
        await broods.forget(connection, schema, over)
    begun = [(point.run_id, brood, point.at) for point in points for brood in point.broods]
    if begun:
        await broods.begin(connection, schema, tenant_id, begun)
    moved = [point.moved for point in points if point.moved is not None]
    if moved:
        await broods.step(connection, schema, moved)


async def _publish(
    connection: AsyncConnection[Any], schema: str, tenant_id: UUID, points: list[Checkpoint]
) -> None:
    """Facts and emitted events, in the same transaction as the steps that made them."""
    rows = [
        events.fact_row(
            source=fact.source or "/engine",
            event_id=fact.id,
            type=fact.type,
            subject=fact.subject or point.business_key,
            time=fact.time,
            data=fact.data,
            extensions={**fact.extensions, "portalhops": point.hops + 1},
            internal=fact.type.startswith("portal."),
        )
        for point in points
        for fact in point.facts
    ]
    if rows:
        await events.insert_facts(connection, schema, tenant_id, rows)
