"""Bulk acts: what may be done next, at which pace, and what became of the runs that were sent on.

Whether a run is next is asked of the rows each time, so that it makes no difference who asks, or how often work on it
was broken off.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from automations.engine.models import Bulk, BulkItem

_BEHIND: Final = """
exists (
  -- another act that is under way has an earlier run of this order, or has sent one on that is not through
  select from engine_bulk b
  join engine_bulk_item o on o.bulk_id = b.id and o.business_key = i.business_key and o.business_key <> ''
  join engine_run theirs on theirs.id = o.run_id
  join engine_run ours on ours.id = i.run_id
  where b.over_at is null and b.id <> i.bulk_id and o.run_id <> i.run_id and (
    o.state = 'sent' or o.state = 'waiting' and b.state = 'running'
      and (theirs.started_at, theirs.id) < (ours.started_at, ours.id)))
"""
_NEXT: Final = f"""
select i.position, i.run_id from engine_bulk_item i
where i.bulk_id = %s and i.state = 'waiting' and (i.business_key = '' or not exists (
  select from engine_bulk_item e
  where e.bulk_id = i.bulk_id and e.business_key = i.business_key and e.business_key <> ''
    and e.position < i.position and e.state in ('waiting', 'sent')) and not {_BEHIND})
order by i.position limit %s
"""
_ANY_BEHIND: Final = f"""
select exists (
  select from engine_bulk_item i where i.bulk_id = %s and i.state = 'waiting' and i.business_key <> '' and {_BEHIND})
"""
_FOLLOW: Final = """
with seen as (
  select i.position, r.status, r.error,
    case
      when r.status in ('completed', 'cancelled') then 'done'
      when r.status in ('suspended', 'faulted') then 'failed'
      when r.status = 'waiting' and r.step <> i.step then 'done'
    end as state
  from engine_bulk_item i join engine_run r on r.id = i.run_id where i.bulk_id = %s and i.state = 'sent')
update engine_bulk_item i
set state = seen.state, at = clock_timestamp(),
  why = case when seen.state = 'failed' then left(coalesce(seen.error->>'detail', seen.error->>'title', ''), 500)
        else '' end
from seen where i.bulk_id = %s and i.position = seen.position and seen.state is not null
"""
_HOLD: Final = """
with broken as (
  select business_key, min(position) as position from engine_bulk_item
  where bulk_id = %s and state = 'failed' and business_key <> '' group by business_key)
update engine_bulk_item i set state = 'held', why = %s, at = clock_timestamp() from broken
where i.bulk_id = %s and i.business_key = broken.business_key and i.business_key <> ''
  and i.position > broken.position and i.state = 'waiting'
"""


def fill(bulk: Bulk, rows: list[tuple[UUID, str, str]]) -> None:
    """Fix which runs the act is done to: (run, business key, step) in their order."""
    BulkItem.objects.bulk_create(
        [
            BulkItem(bulk_id=bulk.id, position=number, run_id=run, business_key=key, step=step)
            for number, (run, key, step) in enumerate(rows)
        ],
        batch_size=1_000,
    )


def database_now() -> Any:
    """The instant by the database's clock, which is one for all workers."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        return cursor.fetchone()[0]


def take(key: UUID) -> Bulk | None:
    """The act, held to the end of the transaction; None if another works on it, or it is over."""
    found: Bulk | None = (
        Bulk.objects.select_for_update(skip_locked=True).filter(pk=key, over_at__isnull=True).first()
    )
    return found


def follow(key: UUID, why_held: str) -> int:
    """See what became of runs that were sent on, and leave those alone whose order failed again; how many changed."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [key, key])
        changed: int = cursor.rowcount
        cursor.execute(_HOLD, [key, why_held, key])
        return changed + int(cursor.rowcount)


def next_items(key: UUID, most: int) -> list[tuple[int, UUID]]:
    """(position, run) of up to `most` runs whose turn it is; of each order only the first that is not through.

    Runs of the order in other acts that are under way count as well: whoever began first, the oldest run goes first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [key, most])
        return [(position, run) for position, run in cursor.fetchall()]


def behind_others(key: UUID) -> bool:
    """Whether runs of the act wait for those of another act."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY_BEHIND, [key])
        row: Any = cursor.fetchone()
    return bool(row[0])


def forget(before: datetime, most: int) -> int:
    """Delete acts that were over before then, with what they say of each run; how many acts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with old as ("
            "  select id from engine_bulk where over_at < %s order by over_at limit %s for update skip locked),"
            " items as (delete from engine_bulk_item where bulk_id in (select id from old))"
            " delete from engine_bulk where id in (select id from old)",
            [before, most],
        )
        return int(cursor.rowcount)


def settle(key: UUID, position: int, state: str, why: str = "") -> None:
    """What became of a run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update engine_bulk_item set state = %s, why = %s, at = clock_timestamp()"
            " where bulk_id = %s and position = %s",
            [state, why[:500], key, position],
        )
