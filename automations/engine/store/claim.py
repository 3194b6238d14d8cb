"""Claiming: the tenant whose turn it is, some of its due runs, and what is needed to go on with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import namedtuple_row

from automations.engine.machine.apart import parts
from automations.engine.store import blobs, broods

LEASE_SECONDS: Final = 30
"""A run belongs to a worker that long without a word from it."""

_CLAIM: Final = """
with recursive fair as (select vtime from ledger_fair_clock),
earliest as (
  -- the first run of each tenant that has one, from leap to leap in the index, however many wait behind it
  (select q.tenant_id, q.ready_at from ledger_queue q where q.owner is null and not q.held
   order by q.tenant_id, q.ready_at limit 1)
  union all
  select n.tenant_id, n.ready_at from earliest e cross join lateral (
    select q.tenant_id, q.ready_at from ledger_queue q
    where q.owner is null and not q.held and q.tenant_id > e.tenant_id
    order by q.tenant_id, q.ready_at limit 1) n),
turn as (
  select s.tenant_id, s.schema_name, s.weight, greatest(s.vtime, fair.vtime) as at, known.now,
         s.virtual_now is not null as virtual, s.halts, s.max_running
  from earliest e join ledger_slot s on s.tenant_id = e.tenant_id cross join fair cross join lateral (
    -- an event that is not dispatched yet may be what a run waits for: time has come only as far as the first of them
    select least(coalesce(s.virtual_now, clock_timestamp()), (
      select i.received_at from ledger_intake i where i.tenant_id = s.tenant_id order by i.seq limit 1)) as now) known
  where s.open and s.tenant_id <> all(%(full)s) and e.ready_at <= known.now
    and (s.max_running is null or ledger_in_hand(s.tenant_id) < s.max_running)
  order by at limit 1 for update of s),
due as (
  -- one tenant and one instant: in the order of the index, as far as the limit
  select q.run_id from ledger_queue q
  where q.tenant_id = (select tenant_id from turn) and q.owner is null and not q.held
    and q.ready_at <= (select now from turn)
  order by q.ready_at limit %(most)s for update of q skip locked),
mine as (
  -- where the tenant has a limit, counted anew now that nobody else claims of it; the planner must know the limit above
  select run_id from due limit (
    select greatest(t.max_running - ledger_in_hand(t.tenant_id), 0) from turn t where t.max_running is not null)),
claimed as (
  update ledger_queue q
  set owner = %(worker)s, epoch = q.epoch + 1, claims = q.claims + 1,
      lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
  from mine where q.run_id = mine.run_id
  returning q.run_id, q.definition_id, q.epoch, q.ready_at, q.wakes, q.claims, q.signal),
charge as (
  update ledger_slot s set vtime = turn.at + (select count(*) from claimed) / turn.weight
  from turn where s.tenant_id = turn.tenant_id),
pace as (
  update ledger_fair_clock f set vtime = turn.at from turn where f.vtime < turn.at)
select turn.tenant_id, turn.schema_name, turn.virtual, extract(epoch from turn.now)::float8,
       c.run_id, c.definition_id, c.epoch, c.wakes, c.claims, c.signal,
       extract(epoch from greatest(c.ready_at, 'epoch'))::float8, turn.halts
from claimed c, turn
"""

_LOAD: Final = """
select r.id, r.workflow_id, r.brood_id, r.position, r.tasks, r.status, r.step, r.hops, r.business_key, r.input,
       extract(epoch from r.started_at)::float8 as started_at, r.event_id, s.snapshot
from unnest(%b::uuid[]) as want(id)
join "{schema}".engine_run r on r.id = want.id
left join "{schema}".engine_state s on s.run_id = r.id
"""

_ARRIVALS: Final = """
select d.run_id, d.no, d.event_id, extract(epoch from d.received_at)::float8 as at,
       e.source, e.event_id as id, e.type, e.subject, e.time, e.data, e.extensions
from "{schema}".engine_delivery d join "{schema}".events_event e on e.id = d.event_id
where d.run_id = any(%b::uuid[])
order by d.received_at, d.event_id
"""


@dataclass(slots=True)
class Claimed:
    """A run that is ours until the lease ends; the fields stand in the order of `_CLAIM`."""

    tenant_id: UUID
    schema: str
    virtual: bool
    now: float
    run_id: UUID
    definition_id: UUID
    epoch: int
    wakes: int
    claims: int
    signal: int
    ready_at: float
    halts: int
    row: Any = None
    arrivals: list[Any] | None = None
    broods: list[Any] = field(default_factory=list)
    shared: Any = None
    apart: dict[str, bytes] = field(default_factory=dict)


async def claim(
    connection: AsyncConnection[Any], worker: UUID, most: int, *, full: Sequence[UUID] = ()
) -> list[Claimed]:
    """Take up to `most` due runs of the tenant whose turn it is, with their inputs, snapshots and deliveries.

    Tenants of `full` are passed over: this worker has enough of theirs.
    """
    cursor = await connection.execute(
        _CLAIM, {"worker": worker, "most": most, "lease": LEASE_SECONDS, "full": list(full)}
    )
    found = [Claimed(*row) for row in await cursor.fetchall()]
    if found:
        await _load(connection.cursor(row_factory=namedtuple_row), found)
        await _load_broods(connection, found)
        await _load_blobs(connection, found)
    return found


async def _load(cursor: Any, found: list[Claimed]) -> None:
    schema = found[0].schema
    by_run = {claimed.run_id: claimed for claimed in found}
    await cursor.execute(_LOAD.format(schema=schema), [list(by_run)], binary=True)
    for row in await cursor.fetchall():
        by_run[row.id].row = row
    woken = [claimed.run_id for claimed in found if claimed.wakes and claimed.row is not None]
    if woken:
        await cursor.execute(_ARRIVALS.format(schema=schema), [woken])
        for row in await cursor.fetchall():
            claimed = by_run[row.run_id]
            claimed.arrivals = [*(claimed.arrivals or ()), row]


async def _load_broods(connection: AsyncConnection[Any], found: list[Claimed]) -> None:
    """What members of broods begin with, and what came of broods whose parents were woken."""
    schema = found[0].schema
    fresh = [one for one in found if one.row is not None and one.row.tasks and one.row.snapshot is None]
    if fresh:
        known = await broods.shared(connection, schema, list({one.row.brood_id for one in fresh}))
        for one in fresh:
            one.shared = known.get(one.row.brood_id)
    woken = {one.run_id: one for one in found if one.wakes}
    if woken:
        for parent, brood, at, members in await broods.over(connection, schema, list(woken)):
            woken[parent].broods.append((brood, at, members))


async def _load_blobs(connection: AsyncConnection[Any], found: list[Claimed]) -> None:
    """What of inputs and snapshots is kept apart."""
    wanted = [
        (one.run_id, part.digest)
        for one in found
        if one.row is not None
        for packed in (one.row.input, one.row.snapshot)
        for part in parts(packed)
    ]
    if wanted:
        kept = await blobs.fetch(connection, found[0].schema, list(set(wanted)))
        for one in found:
            one.apart = kept.get(one.run_id, one.apart)


async def renew(connection: AsyncConnection[Any], worker: UUID, held: list[tuple[UUID, int]]) -> set[UUID]:
    """Extend the leases of runs that are still ours; the runs of `held` that are."""
    cursor = await connection.execute(
        """
        with held as (select * from unnest(%b::uuid[], %b::int[]) as h(id, epoch))
        update ledger_queue q set lease_until = clock_timestamp() + make_interval(secs => %s)
        from held where q.run_id = held.id and q.epoch = held.epoch and q.owner = %s returning q.run_id
        """,
        [[run for run, _ in held], [epoch for _, epoch in held], LEASE_SECONDS, worker],
    )
    return {row[0] for row in await cursor.fetchall()}


async def release(connection: AsyncConnection[Any], worker: UUID, *, but: Sequence[UUID] = ()) -> int:
    """Give back every run that this worker holds, but some. Nothing is lost but the time since the checkpoint."""
    cursor = await connection.execute(
        """
        update ledger_queue set owner = null, lease_until = null, claims = greatest(claims - 1, 0)
        where owner = %s and run_id <> all(%s)
        """,
        [worker, list(but)],
    )
    return cursor.rowcount


async def give_back(connection: AsyncConnection[Any], worker: UUID, claimed: list[Claimed]) -> None:
    """Let go of runs that were not touched: it is as if they had not been claimed."""
    await connection.execute(
        """
        update ledger_queue q set owner = null, lease_until = null, claims = greatest(q.claims - 1, 0)
        from unnest(%b::uuid[], %b::int[]) as t(id, epoch)
        where q.run_id = t.id and q.epoch = t.epoch and q.owner = %b
        """,
        [[one.run_id for one in claimed], [one.epoch for one in claimed], worker],
    )


async def beat(
    connection: AsyncConnection[Any], worker: UUID, host: str, pid: int, running: int, *, claimed: bool
) -> None:
    """Say that this worker is alive, and whether it took work since it last said so."""
    await connection.execute(
        """
        insert into ledger_worker (id, host, pid, started_at, heartbeat_at, last_claim_at, running)
        values (%(id)s, %(host)s, %(pid)s, clock_timestamp(), clock_timestamp(),
                case when %(claimed)s then clock_timestamp() end, %(running)s)
        on conflict (id) do update set heartbeat_at = clock_timestamp(), running = excluded.running,
          last_claim_at = case when %(claimed)s then clock_timestamp() else ledger_worker.last_claim_at end
        """,
        {"id": worker, "host": host, "pid": pid, "running": running, "claimed": claimed},
    )


async def leave(connection: AsyncConnection[Any], worker: UUID) -> None:
    """Say that this worker is gone."""
    await connection.execute("delete from ledger_worker where id = %s", [worker])
