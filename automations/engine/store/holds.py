"""What stands still, as a worker sees it; and runs that may not be claimed, each with the reasons.

A pause is one row. A run is held when a worker comes upon it and finds the pause, in the transaction that lets go of
it, so that to pause costs the same however many runs wait. Whoever lifts a pause deletes its row first: a worker that
holds a run for it has locked that row, or finds it gone and holds nothing.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection as here
from psycopg import AsyncConnection

_STANDING: Final = """
select p.target from ledger_pause p
where p.tenant_id = %(tenant)s
  and (p.level in ('workflow', 'connection') or p.level = 'run' and p.target = any(%(runs)s))
union all
select s.tenant_id from ledger_slot s where s.tenant_id = %(tenant)s and not s.open
"""
_HOLD: Final = """
with wanted as (select * from unnest(%s::uuid[], %s::uuid[]) as t(run_id, target)),
there as (
  select p.target from ledger_pause p where p.target in (select target from wanted)
  and p.level in ('workflow', 'connection', 'run') for share),
new as (
  insert into ledger_hold (run_id, target, tenant_id, kind)
  select w.run_id, w.target, %s, 'pause' from wanted w join there t on t.target = w.target
  on conflict do nothing returning run_id)
update ledger_queue q set held = true from new where q.run_id = new.run_id
"""
_RELEASE: Final = """
update ledger_queue q set owner = null, lease_until = null, claims = greatest(q.claims - 1, 0)
from unnest(%s::uuid[], %s::int[]) as t(id, epoch)
where q.run_id = t.id and q.epoch = t.epoch and q.owner = %s returning q.run_id
"""
_HELD_BY: Final = """
select q.run_id from public.ledger_queue q
where q.run_id in (select run_id from public.ledger_hold where target = %s and kind = 'pause')
order by q.run_id for update
"""
_FREE: Final = """
with gone as (delete from public.ledger_hold where target = %(target)s and run_id = any(%(runs)s))
update public.ledger_queue q set held = false
where q.run_id = any(%(runs)s) and not exists (
  select from public.ledger_hold h where h.run_id = q.run_id and h.target <> %(target)s)
"""


async def standing(connection: AsyncConnection[Any], tenant: UUID, runs: list[UUID]) -> set[UUID]:
    """What is paused in a tenant: workflows, connections, those of `runs`, and the tenant itself where it is shut."""
    cursor = await connection.execute(_STANDING, {"tenant": tenant, "runs": runs})
    return {row[0] for row in await cursor.fetchall()}


async def hold(connection: AsyncConnection[Any], tenant: UUID, held: Sequence[tuple[UUID, UUID]]) -> None:
    """Hold (run, by what) that this transaction has let go of; not by a pause that is lifted meanwhile."""
    await connection.execute(_HOLD, [[run for run, _ in held], [target for _, target in held], tenant])


async def release(
    connection: AsyncConnection[Any], worker: UUID, runs: Sequence[tuple[UUID, int]]
) -> set[UUID]:
    """Let go of claimed (run, epoch) that have not moved; those that were still this worker's."""
    cursor = await connection.execute(
        _RELEASE, [[run for run, _ in runs], [epoch for _, epoch in runs], worker]
    )
    return {row[0] for row in await cursor.fetchall()}


async def give_back(
    connection: AsyncConnection[Any],
    worker: UUID,
    tenant: UUID,
    runs: Sequence[tuple[UUID, int]],
    held: Sequence[tuple[UUID, UUID]],
) -> None:
    """Let go of claimed (run, epoch) that have not moved, and hold them by what stands in their way."""
    async with connection.transaction():
        ours = await release(connection, worker, runs)
        still = [(run, target) for run, target in held if run in ours]
        if still:
            await hold(connection, tenant, still)


def hold_run(run: UUID, tenant: UUID) -> bool:
    """Hold one run by its own pause, also while a worker has it; False if it is over. In the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute("update public.ledger_queue set held = true where run_id = %s", [run])
        if not cursor.rowcount:
            return False
        cursor.execute(
            "insert into public.ledger_hold (run_id, target, tenant_id, kind) values (%s, %s, %s, 'pause')"
            " on conflict do nothing",
            [run, run, tenant],
        )
    return True


def free(target: UUID) -> int:
    """Let go on what was held by a pause that the caller's transaction has struck out; how many runs."""
    with here.cursor() as cursor:
        # locked before it is asked what else holds them: of two who lift, the second sees what the first left
        cursor.execute(_HELD_BY, [target])
        runs = [row[0] for row in cursor.fetchall()]
        if runs:
            cursor.execute(_FREE, {"target": target, "runs": runs})
    return len(runs)


def forget(run: UUID) -> None:
    """The run is over: nothing holds it, and its own pause means nothing. In the caller's transaction."""
    with here.cursor() as cursor:
        cursor.execute("delete from public.ledger_hold where run_id = %s", [run])
        cursor.execute("delete from public.ledger_pause where target = %s and level = 'run'", [run])
