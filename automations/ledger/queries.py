"""Reads of the ledger: what is due, what is late, who works."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tenants.tenancy import queries as tenancy
from tenants.tenancy.queries import TenantRef


def tenants_with_intake() -> list[TenantRef]:
    """Open tenants that have events which are not dispatched, the one least served first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select s.tenant_id from public.ledger_slot s
            where s.open and exists (select from public.ledger_intake i where i.tenant_id = s.tenant_id)
            order by s.vtime
            """
        )
        keys = [row[0] for row in cursor.fetchall()]
    return [tenancy.tenant_ref(key) for key in keys]


@dataclass(frozen=True, slots=True)
class Load:
    """The work that waits: due runs, events, the age of the oldest in seconds, and leases that ran out."""

    due: int
    intake: int
    oldest: float
    held: int
    expired: int


def load() -> Load:
    """How much work waits in all open tenants."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select
              (select count(*) from public.ledger_queue q join public.ledger_slot s using (tenant_id)
                where s.open and q.owner is null and q.ready_at <= coalesce(s.virtual_now, clock_timestamp())),
              (select count(*) from public.ledger_intake i join public.ledger_slot s using (tenant_id) where s.open),
              (select coalesce(max(extract(epoch from clock_timestamp() - greatest(q.ready_at, 'epoch'))), 0)::float8
                from public.ledger_queue q join public.ledger_slot s using (tenant_id)
                where s.open and s.virtual_now is null and q.owner is null
                  and q.ready_at between 'epoch' and clock_timestamp()),
              (select count(*) from public.ledger_queue where owner is not null),
              (select count(*) from public.ledger_queue where owner is not null and lease_until < clock_timestamp())
            """
        )
        row: Any = cursor.fetchone()
    return Load(*row)


def busy(tenant_id: Any) -> bool:
    """Whether anything of one tenant is due, held, or not dispatched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select exists (select from public.ledger_intake where tenant_id = %(t)s) or exists (
              select from public.ledger_queue q join public.ledger_slot s using (tenant_id)
              where q.tenant_id = %(t)s
                and (q.owner is not null or q.ready_at <= coalesce(s.virtual_now, clock_timestamp())))
            """,
            {"t": tenant_id},
        )
        row: Any = cursor.fetchone()
    return bool(row[0])


def tallies(prefix: str) -> dict[str, int]:
    """What was counted under names that begin like this, without that beginning."""
    from automations.ledger.models import Tally

    found = Tally.objects.filter(name__startswith=prefix).values_list("name", "count")
    return {name.removeprefix(prefix): count for name, count in found}


def workers(since: datetime) -> list[dict[str, Any]]:
    """Workers that were heard of since then."""
    from automations.ledger.models import Worker

    return [dict(row) for row in Worker.objects.filter(heartbeat_at__gte=since).values()]


def errands(job: str) -> Iterator[Mapping[str, object]]:
    """The errands of a job in tenants that may work, as arguments to send it with."""
    from automations.ledger.models import Errand, Slot

    open_ = Slot.objects.filter(open=True).values("tenant_id")
    for key, tenant_id in Errand.objects.filter(job=job, tenant_id__in=open_).values_list("id", "tenant_id"):
        yield {"tenant": tenant_id, "key": key}
