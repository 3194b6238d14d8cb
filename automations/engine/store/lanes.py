"""Lanes: so many runs at a time, the oldest first; the others are held until one gives up its place.

A place is the run's, whichever worker has the run: a worker that dies takes none with it. Who enters or leaves locks
the lanes first, in their order, so that what it then sees of them is true until it commits. Locks are taken in one
order: rows of runs that are one's own, lanes, rows of runs that wait in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection as here
from psycopg import AsyncConnection

_LOCK: Final = "select pg_advisory_xact_lock(k) from unnest(%s::bigint[]) as k"
_AFRESH: Final = """
delete from public.ledger_hold h using unnest(%s::uuid[], %s::uuid[]) as t(run_id, lane)
where h.run_id = t.run_id and h.target = t.lane
"""
_ENTER: Final = """
with wanted as (
  select t.*, row_number() over (partition by t.lane order by t.run_id) as nth
  from unnest(%s::uuid[], %s::uuid[], %s::int[]) as t(run_id, lane, places)
  where not exists (select from public.ledger_place p where p.run_id = t.run_id and p.lane = t.lane)),
ranked as (
  select w.*, w.nth <= w.places
    - (select count(*) from public.ledger_place p where p.lane = w.lane)
    - (select count(*) from (
        select from public.ledger_hold h where h.target = w.lane and h.run_id < w.run_id limit w.places) ahead) as fits
  from wanted w),
inside as (
  insert into public.ledger_place (run_id, lane, tenant_id, kind)
  select run_id, lane, %s, %s from ranked where fits on conflict do nothing),
outside as (
  insert into public.ledger_hold (run_id, target, tenant_id, kind, places)
  select run_id, lane, %s, %s, places from ranked where not fits on conflict do nothing returning run_id)
update public.ledger_queue q set held = true from outside o where q.run_id = o.run_id returning q.run_id
"""
_OF: Final = """
select p.lane from public.ledger_place p where p.run_id = any(%(all)s) or p.run_id = any(%(calls)s) and p.kind = 'call'
union
select h.target from public.ledger_hold h
where h.run_id = any(%(all)s) and h.kind <> 'pause' or h.run_id = any(%(calls)s) and h.kind = 'call'
"""
_LEAVE: Final = """
with places as (
  delete from public.ledger_place p where p.run_id = any(%(all)s) or p.run_id = any(%(calls)s) and p.kind = 'call')
delete from public.ledger_hold h
where h.run_id = any(%(all)s) and h.kind <> 'pause' or h.run_id = any(%(calls)s) and h.kind = 'call'
"""
_NEXT: Final = """
select q.run_id, l.lane
from unnest(%s::uuid[]) as l(lane)
cross join lateral (
  select h.places - (select count(*) from public.ledger_place p where p.lane = l.lane) as free
  from public.ledger_hold h where h.target = l.lane order by h.run_id desc limit 1) room
cross join lateral (
  select h.run_id from public.ledger_hold h where h.target = l.lane
  order by h.run_id limit greatest(room.free, 0)) first
join public.ledger_queue q on q.run_id = first.run_id
order by q.run_id for update of q
"""
_GRANT: Final = """
with next as (select * from unnest(%s::uuid[], %s::uuid[]) as t(run_id, lane)),
gone as (
  delete from public.ledger_hold h using next n where h.run_id = n.run_id and h.target = n.lane
  returning h.run_id, h.target, h.tenant_id, h.kind),
new as (
  insert into public.ledger_place (run_id, lane, tenant_id, kind)
  select run_id, target, tenant_id, kind from gone on conflict do nothing)
update public.ledger_queue q set held = false from next n
where q.run_id = n.run_id and not exists (
  select from public.ledger_hold h where h.run_id = q.run_id and h.target <> n.lane)
"""
_BROKEN: Final = """
select p.lane from public.ledger_place p left join public.ledger_queue q on q.run_id = p.run_id
where q.run_id is null or p.kind = 'call' and q.owner is null and (q.held or q.ready_at > clock_timestamp())
union
select h.target from public.ledger_hold h left join public.ledger_queue q on q.run_id = h.run_id
where h.kind <> 'pause' and (q.run_id is null or h.places > (
  select count(*) from public.ledger_place p where p.lane = h.target))
limit 500
"""
_MEND: Final = """
with places as (
  delete from public.ledger_place p where p.lane = any(%(lanes)s) and (
    not exists (select from public.ledger_queue q where q.run_id = p.run_id)
    or p.kind = 'call' and exists (
      select from public.ledger_queue q where q.run_id = p.run_id and q.owner is null
        and (q.held or q.ready_at > clock_timestamp()))))
delete from public.ledger_hold h
where h.target = any(%(lanes)s) and not exists (select from public.ledger_queue q where q.run_id = h.run_id)
"""
_LANES_OF: Final = """
with runs as (
  select id from engine_run where workflow_id = %s and status not in ('completed', 'cancelled'))
select p.lane from public.ledger_place p where p.kind = 'lane' and p.run_id in (select id from runs)
union
select h.target from public.ledger_hold h where h.kind = 'lane' and h.run_id in (select id from runs)
"""
_WAITING: Final = """
select q.run_id from public.ledger_queue q
where q.run_id in (select run_id from public.ledger_hold where target = any(%s)) order by q.run_id for update
"""
_FORGET: Final = """
with holds as (
  delete from public.ledger_hold h
  where h.kind = 'pause' and not exists (select from public.ledger_queue q where q.run_id = h.run_id)),
gone as (
  delete from public.ledger_pause p where p.level = 'run'
    and not exists (select from public.ledger_queue q where q.run_id = p.target)
  returning p.tenant_id)
update public.ledger_slot s set halts = greatest(s.halts - g.n, 0)
from (select tenant_id, count(*)::int as n from gone group by tenant_id) g where s.tenant_id = g.tenant_id
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that wants into a lane of so many places."""

    run: UUID
    lane: UUID
    places: int


def _number(lane: UUID) -> int:
    return int.from_bytes(lane.bytes[:8], "big", signed=True)


def _locks(lanes: Iterable[UUID]) -> list[int]:
    return sorted({_number(lane) for lane in lanes})


def _wanted(tenant: UUID, kind: str, entries: Sequence[Entry]) -> list[Any]:
    columns = [
        [entry.run for entry in entries],
        [entry.lane for entry in entries],
        [entry.places for entry in entries],
    ]
    return [*columns, tenant, kind, tenant, kind]


async def lock(connection: AsyncConnection[Any], worker: UUID, run: UUID, epoch: int) -> bool:
    """Lock the row of a run that this worker holds, before lanes are; False if it is another's meanwhile."""
    cursor = await connection.execute(
        "select 1 from public.ledger_queue where run_id = %s and epoch = %s and owner = %s for update",
        [run, epoch, worker],
    )
    return await cursor.fetchone() is not None


async def rule(connection: AsyncConnection[Any], schema: str, workflow: UUID) -> Any:
    """How many runs of a workflow go at a time, as it is now."""
    cursor = await connection.execute(
        f'select concurrency from "{schema}".engine_workflow where id = %s', [workflow]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def enter(
    connection: AsyncConnection[Any], tenant: UUID, kind: str, entries: Sequence[Entry]
) -> set[UUID]:
    """Let runs into lanes, in the caller's transaction; those for which there is no place, which are held now."""
    await connection.execute(_LOCK, [_locks(entry.lane for entry in entries)])
    given = _wanted(tenant, kind, entries)
    await connection.execute(_AFRESH, given[:2])
    cursor = await connection.execute(_ENTER, given)
    return {row[0] for row in await cursor.fetchall()}


def enter_here(tenant: UUID, kind: str, entries: Sequence[Entry]) -> None:
    """The same for runs that start, in the caller's transaction on Django's connection."""
    if not entries:
        return
    with here.cursor() as cursor:
        cursor.execute(_LOCK, [_locks(entry.lane for entry in entries)])
        cursor.execute(_ENTER, _wanted(tenant, kind, entries))


async def leave(connection: AsyncConnection[Any], runs: Sequence[tuple[UUID, bool]]) -> None:
    """Give up the places of runs, in the caller's transaction: all of a run, or (False) those for its calls."""
    if not runs:
        return
    given = _whose(runs)
    cursor = await connection.execute(_OF, given)
    lanes = [row[0] for row in await cursor.fetchall()]
    if not lanes:
        return
    await connection.execute(_LOCK, [_locks(lanes)])
    await connection.execute(_LEAVE, given)
    cursor = await connection.execute(_NEXT, [lanes])
    following = await cursor.fetchall()
    if following:
        await connection.execute(_GRANT, _columns(following))


def leave_here(run: UUID) -> None:
    """The same for one run that an operator ends."""
    given = _whose([(run, True)])
    with here.cursor() as cursor:
        cursor.execute(_OF, given)
        lanes = [row[0] for row in cursor.fetchall()]
        if lanes:
            cursor.execute(_LOCK, [_locks(lanes)])
            cursor.execute(_LEAVE, given)
            _grant_here(cursor, lanes)


def dissolve(workflow: UUID) -> None:
    """Let all that wait for their turn in a workflow go on to queue anew; in the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute(_LANES_OF, [workflow])
        _dissolve(cursor, [row[0] for row in cursor.fetchall()])


def dissolve_lane(lane: UUID) -> None:
    """The same for one lane."""
    with here.cursor() as cursor:
        _dissolve(cursor, [lane])


def _dissolve(cursor: Any, lanes: list[UUID]) -> None:
    if not lanes:
        return
    cursor.execute(_LOCK, [_locks(lanes)])
    cursor.execute(_WAITING, [lanes])
    runs = [row[0] for row in cursor.fetchall()]
    cursor.execute("delete from public.ledger_place where lane = any(%s)", [lanes])
    cursor.execute("delete from public.ledger_hold where target = any(%s)", [lanes])
    cursor.execute(
        "update public.ledger_queue q set held = false where q.run_id = any(%s)"
        " and not exists (select from public.ledger_hold h where h.run_id = q.run_id)",
        [runs],
    )


def mend() -> int:
    """Take back places of runs that are over or stand still, and let those go on that have room; how many lanes.

    Whoever ends a run gives up its places in the same transaction. This is for what nobody thought of, and for a run
    that was given a place for a call and then did not make it.
    """
    with here.cursor() as cursor:
        cursor.execute(_FORGET)
        cursor.execute(_BROKEN)
        lanes = [row[0] for row in cursor.fetchall()]
        if lanes:
            cursor.execute(_LOCK, [_locks(lanes)])
            cursor.execute(_MEND, {"lanes": lanes})
            _grant_here(cursor, lanes)
    return len(lanes)


def _grant_here(cursor: Any, lanes: list[UUID]) -> None:
    cursor.execute(_NEXT, [lanes])
    following = cursor.fetchall()
    if following:
        cursor.execute(_GRANT, _columns(following))


def _whose(runs: Sequence[tuple[UUID, bool]]) -> dict[str, list[UUID]]:
    return {"all": [run for run, whole in runs if whole], "calls": [run for run, whole in runs if not whole]}


def _columns(rows: Sequence[Any]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
