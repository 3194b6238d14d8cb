"""Reads of the ledger: what is due, what is late, who works."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from automations.ledger.enums import Level
from automations.ledger.models import Errand, Hold, Pause, Slot
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


def working_tenants() -> list[UUID]:
    """Tenants that are worked for."""
    return list(Slot.objects.filter(open=True).order_by("tenant_id").values_list("tenant_id", flat=True))


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
                where s.open and q.owner is null and not q.held
                  and q.ready_at <= coalesce(s.virtual_now, clock_timestamp())),
              (select count(*) from public.ledger_intake i join public.ledger_slot s using (tenant_id) where s.open),
              (select coalesce(max(extract(epoch from clock_timestamp() - greatest(q.ready_at, 'epoch'))), 0)::float8
                from public.ledger_queue q join public.ledger_slot s using (tenant_id)
                where s.open and s.virtual_now is null and q.owner is null and not q.held
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
                and (q.owner is not null or not q.held and q.ready_at <= coalesce(s.virtual_now, clock_timestamp())))
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
    open_ = Slot.objects.filter(open=True).values("tenant_id")
    for key, tenant_id in Errand.objects.filter(job=job, tenant_id__in=open_).values_list("id", "tenant_id"):
        yield {"tenant": tenant_id, "key": key}


@dataclass(frozen=True, slots=True)
class Standing:
    """A pause that is in force."""

    level: Level
    target: UUID
    label: str
    actor: str
    reason: str
    at: datetime


def shut(tenant_id: UUID, partner_id: UUID) -> bool:
    """Whether a pause keeps workers away from a whole tenant."""
    return _over(tenant_id, partner_id).exists()


def _over(tenant_id: UUID, partner_id: UUID) -> "QuerySet[Pause]":
    own = Q(target=tenant_id, level__in=(Level.TENANT, Level.PLATFORM))
    return Pause.objects.filter(own | Q(target=partner_id, level=Level.PARTNER))


def pauses_over(tenant_id: UUID, partner_id: UUID) -> list[Standing]:
    """Pauses under which a whole tenant stands still."""
    return [_standing(row) for row in _over(tenant_id, partner_id).order_by("at")]


def pause_of(level: Level, target: UUID) -> Standing | None:
    """The pause of one thing, None if it is not paused itself."""
    row = Pause.objects.filter(level=level, target=target).first()
    return None if row is None else _standing(row)


def pauses_in(tenant_id: UUID, level: Level) -> dict[UUID, Standing]:
    """What of a kind is paused in a tenant, by its key."""
    rows = Pause.objects.filter(tenant_id=tenant_id, level=level)
    return {row.target: _standing(row) for row in rows}


def pauses() -> list[Standing]:
    """Everything that is paused, of all tenants, oldest first."""
    return [_standing(row) for row in Pause.objects.order_by("at")]


def shut_tenants(tenant_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these stand still by a pause."""
    return set(Slot.objects.filter(tenant_id__in=tenant_ids, paused=True).values_list("tenant_id", flat=True))


def held_by(target: UUID) -> int:
    """How many runs are held because of one pause or lane."""
    return Hold.objects.filter(target=target).count()


def holds_of(run_id: UUID) -> list[Hold]:
    """Why a run is held."""
    return list(Hold.objects.filter(run_id=run_id))


def _standing(row: Pause) -> Standing:
    return Standing(Level(row.level), row.target, row.label, row.actor, row.reason, row.at)
