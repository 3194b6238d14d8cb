"""Runs that a step of another started: begun with it, counted down as they end, released as others make room.

The step is woken by the last of them, or by the one with which enough completed, in the transaction in which that one
ends. Locks are taken from below: a run's own row, the brood's, the parent's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection as here
from psycopg import AsyncConnection

from automations.engine.machine.apart import Blobs, lighten, parts, whole
from automations.engine.machine.moves import Brood
from automations.engine.store import blobs

_ANY: Final = 2**30
_BEGIN: Final = """
insert into "{schema}".engine_brood (id, run_id, total, remaining, cap, enough, next, shared)
select t.id, t.run_id, t.total, t.total, t.cap, t.enough, least(t.cap, t.total), t.shared
from unnest(%b::uuid[], %b::uuid[], %b::int[], %b::int[], %b::int[], %b::bytea[])
  as t(id, run_id, total, cap, enough, shared)
on conflict do nothing
"""
_MEMBERS: Final = """
with given as (
  select * from unnest(
    %b::uuid[], %b::uuid[], %b::uuid[], %b::int[], %b::int[], %b::text[], %b::text[], %b::text[], %b::bytea[],
    %b::float8[])
  as t(id, brood, parent, position, cap, name, version, tasks, input, at)),
made as (
  insert into "{schema}".engine_run (
    id, workflow_id, definition_id, status, cause, parent_id, brood_id, position, tasks, business_key, currency, hops,
    input, step, started_at)
  select g.id, coalesce(w.id, p.workflow_id), coalesce(d.id, p.definition_id), 'pending', 'parent', p.id, g.brood,
    g.position, g.tasks, p.business_key, p.currency, p.hops + 1, g.input, '', to_timestamp(g.at)
  from given g
  join "{schema}".engine_run p on p.id = g.parent
  left join "{schema}".engine_definition d on g.name <> '' and d.name = g.name and d.version = g.version
  left join lateral (
    -- the settings and connections of the workflow that the definition is put to work as, else the parent's
    select w.id from "{schema}".engine_workflow w join "{schema}".engine_definition e on e.id = w.definition_id
    where g.name <> '' and e.name = g.name order by e.version = g.version desc, w.created_at limit 1) w on true
  where g.name = '' or d.id is not null
  on conflict do nothing returning id, definition_id)
insert into public.ledger_queue (run_id, tenant_id, definition_id, ready_at, epoch, signal, wakes, claims)
select m.id, %b, m.definition_id, case when g.position < g.cap then to_timestamp(g.at) else 'infinity' end, 0, 0, 0, 0
from made m join given g on g.id = m.id
"""
_RECKON: Final = """
with found as (
  update "{schema}".engine_brood b set over_at = to_timestamp(%s), remaining = (
    select count(*) from "{schema}".engine_run r
    where r.brood_id = b.id and r.status not in ('completed', 'faulted', 'cancelled')), completed = (
    select count(*) from "{schema}".engine_run r where r.brood_id = b.id and r.status = 'completed')
  where b.id = any(%s) returning b.run_id, b.remaining, b.enough, b.completed)
update public.ledger_queue q set wakes = q.wakes + 1,
  ready_at = case when q.owner is null then to_timestamp(%s) else q.ready_at end
from found f where (f.remaining = 0 or f.enough > 0 and f.completed >= f.enough) and q.run_id = f.run_id
"""
_STEP: Final = """
with moved as (
  select t.brood, count(*) filter (where t.over)::int as done, count(*) filter (where t.good)::int as good,
    count(*)::int as freed, max(t.at) as at
  from unnest(%s::uuid[], %s::bool[], %s::bool[], %s::float8[]) as t(brood, over, good, at) group by t.brood),
held as (
  select b.id, b.next from "{schema}".engine_brood b
  where b.id in (select brood from moved) order by b.id for update),
counted as (
  update "{schema}".engine_brood b set remaining = b.remaining - m.done, completed = b.completed + m.good,
    next = least(b.next + m.freed, b.total), over_at = greatest(b.over_at, to_timestamp(m.at))
  from moved m join held h on h.id = m.brood where b.id = m.brood
  returning b.id, b.run_id, b.remaining = 0 or b.enough > 0 and b.completed >= b.enough as through,
    b.next as upto, h.next as since, b.over_at, to_timestamp(m.at) as at),
released as (
  update public.ledger_queue q set ready_at = c.at
  from counted c join "{schema}".engine_run r
    on r.brood_id = c.id and r.position >= c.since and r.position < c.upto
  where q.run_id = r.id and q.owner is null and q.ready_at = 'infinity'
  returning 1)
update public.ledger_queue q set wakes = q.wakes + 1,
  ready_at = case when q.owner is null then least(q.ready_at, c.over_at) else q.ready_at end
from counted c where c.through and q.run_id = c.run_id
"""
_DROP: Final = """
with gone as (delete from "{schema}".engine_brood where id = any(%s))
update public.ledger_queue q set signal = q.signal | 1,
  ready_at = case when q.owner is null then '-infinity' else q.ready_at end
from "{schema}".engine_run r where r.brood_id = any(%s) and q.run_id = r.id
"""
_OVER: Final = """
select b.run_id, b.id, extract(epoch from b.over_at)::float8
from "{schema}".engine_brood b
where b.run_id = any(%s) and (b.remaining = 0 or b.enough > 0 and b.completed >= b.enough)
"""
_RESULTS: Final = """
select r.brood_id, r.id, r.status, r.output, r.error
from "{schema}".engine_run r where r.brood_id = any(%s) order by r.brood_id, r.position
"""


@dataclass(slots=True)
class Moved:
    """A member that ended, or that waits for a person and makes room for another; `at` is when."""

    brood: UUID
    over: bool
    at: float
    good: bool = False
    """It completed."""


async def begin(
    connection: AsyncConnection[Any],
    schema: str,
    tenant_id: UUID,
    broods: Sequence[tuple[UUID, Brood, float]],
) -> None:
    """Start the members of broods, each with its parent and the instant; those that exist stay as they are."""
    large: list[tuple[UUID, Blobs]] = []
    awaited = [(parent, brood) for parent, brood, _ in broods if brood.wait]
    if awaited:
        await connection.execute(
            _BEGIN.format(schema=schema),
            [
                [brood.id for _, brood in awaited],
                [parent for parent, _ in awaited],
                [len(brood.members) for _, brood in awaited],
                [brood.cap for _, brood in awaited],
                [brood.enough for _, brood in awaited],
                [_light(parent, brood.shared, large) for parent, brood in awaited],
            ],
        )
    rows = [(parent, brood, at, member) for parent, brood, at in broods for member in brood.members]
    await connection.execute(
        _MEMBERS.format(schema=schema),
        [
            [member.id for _, _, _, member in rows],
            [brood.id if brood.wait else None for _, brood, _, _ in rows],
            [parent for parent, _, _, _ in rows],
            [member.position for _, _, _, member in rows],
            [brood.cap for _, brood, _, _ in rows],
            [brood.workflow for _, brood, _, _ in rows],
            [brood.version for _, brood, _, _ in rows],
            [brood.tasks for _, brood, _, _ in rows],
            [_light(member.id, member.given, large) for _, _, _, member in rows],
            [at for _, _, at, _ in rows],
            tenant_id,
        ],
    )
    if large:
        await blobs.keep(connection, schema, large)
    for parent_at in {at for _, brood, at in broods if brood.wait}:
        keys = [brood.id for _, brood, at in broods if brood.wait and at == parent_at]
        await connection.execute(_RECKON.format(schema=schema), [parent_at, keys, parent_at])


def _light(run_id: UUID, value: Any, large: list[tuple[UUID, Blobs]]) -> bytes:
    """`value` packed for a row; what is too large for one is added to what is to be kept of the run."""
    packed, found = lighten(value, most=_ANY)  # what the run itself may hold was seen to before
    if found:
        large.append((run_id, found))
    return packed


async def step(connection: AsyncConnection[Any], schema: str, moved: Sequence[Moved]) -> None:
    """Count members down; let as many of those that wait begin, and wake the parents whose last one ended."""
    await connection.execute(_STEP.format(schema=schema), _columns(moved))


def step_here(schema: str, moved: Sequence[Moved]) -> None:
    """The same in the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute(_STEP.format(schema=schema), _columns(moved))


def _columns(moved: Sequence[Moved]) -> list[Any]:
    return [
        [one.brood for one in moved],
        [one.over for one in moved],
        [one.good for one in moved],
        [one.at for one in moved],
    ]


async def drop(connection: AsyncConnection[Any], schema: str, broods: list[UUID]) -> None:
    """Nobody waits for these any more: their members are to be cancelled."""
    await connection.execute(_DROP.format(schema=schema), [broods, broods])


def drop_here(schema: str, broods: list[UUID]) -> None:
    """The same in the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute(_DROP.format(schema=schema), [broods, broods])


async def taken(connection: AsyncConnection[Any], schema: str, broods: list[UUID]) -> None:
    """The parents know what came of these."""
    await connection.execute(f'delete from "{schema}".engine_brood where id = any(%s)', [broods])


async def forget(connection: AsyncConnection[Any], schema: str, runs: list[UUID]) -> None:
    """These parents are over."""
    await connection.execute(f'delete from "{schema}".engine_brood where run_id = any(%s)', [runs])


async def over(
    connection: AsyncConnection[Any], schema: str, runs: list[UUID]
) -> list[tuple[UUID, UUID, float, list[dict[str, Any]]]]:
    """Broods of these parents of which all members are over, or enough: parent, brood, when, what came of each."""
    cursor = await connection.execute(_OVER.format(schema=schema), [runs])
    found = await cursor.fetchall()
    if not found:
        return []
    members: dict[UUID, list[dict[str, Any]]] = {brood: [] for _, brood, _ in found}
    cursor = await connection.execute(_RESULTS.format(schema=schema), [list(members)])
    results = await cursor.fetchall()
    apart = await _apart(connection, schema, [(key, output) for _, key, _, output, _ in results])
    for brood, key, status, output, error in results:
        result = None if output is None else whole(output, apart.get(key, {}))
        members[brood].append({"id": str(key), "status": status, "output": result, "error": error})
    return [(parent, brood, at, members[brood]) for parent, brood, at in found]


async def shared(connection: AsyncConnection[Any], schema: str, broods: list[UUID]) -> dict[UUID, Any]:
    """What members of these broods begin with."""
    cursor = await connection.execute(
        f'select id, run_id, shared from "{schema}".engine_brood where id = any(%s)', [broods]
    )
    rows = await cursor.fetchall()
    apart = await _apart(connection, schema, [(parent, packed) for _, parent, packed in rows])
    return {key: whole(packed, apart.get(parent, {})) for key, parent, packed in rows}


async def _apart(
    connection: AsyncConnection[Any], schema: str, packed: Sequence[tuple[UUID, Any]]
) -> dict[UUID, dict[str, bytes]]:
    """What is kept apart of values of runs, by run."""
    wanted = {(run, part.digest) for run, value in packed for part in parts(value)}
    return await blobs.fetch(connection, schema, list(wanted)) if wanted else {}
