"""Forgetting the keys of events that no listener can come late for any more."""

from datetime import datetime
from typing import Final

from django.db import connection

_UNTIL: Final = """
select s.schema_name, coalesce(s.virtual_now, clock_timestamp()) - case when busy.waits then %s::interval
  else %s::interval end
from public.ledger_slot s cross join lateral (
  select exists (
    select from public.ledger_intake i where i.tenant_id = s.tenant_id
  ) or exists (
    select from public.ledger_queue q where q.tenant_id = s.tenant_id
      and (q.owner is not null or q.ready_at <= coalesce(s.virtual_now, clock_timestamp()))
  ) as waits) busy
where s.open and to_regclass(format('%%I.engine_event_key', s.schema_name)) is not null
  -- on a clock of its own a year may pass while a worker that died still holds a run
  and not (s.virtual_now is not null and busy.waits)
order by random()
"""
_FORGET: Final = """
delete from "{schema}".engine_event_key where ctid = any (array(
  select ctid from "{schema}".engine_event_key where received_at < %s order by received_at limit %s))
"""


def kept_since(idle: str, busy: str) -> list[tuple[str, datetime]]:
    """(schema, instant) for each open tenant: older keys may go. Intervals for tenants that are idle, and others.

    A tenant on a clock of its own that is not idle is left out: no interval of that clock is long enough.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UNTIL, [busy, idle])
        return list(cursor.fetchall())


def forget(schema: str, before: datetime, most: int) -> int:
    """Delete up to `most` keys of events that came in before that instant; how many those were."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET.format(schema=schema), [before, most])
        return int(cursor.rowcount)
