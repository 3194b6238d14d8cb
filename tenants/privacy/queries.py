"""Reads of requests, the ledger, holds, terms and purges."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from tenants.privacy.enums import Keeps, Level, SubjectState
from tenants.privacy.models import Erasure, LegalHold, Purge, SubjectRequest, Term
from tenants.tenancy import context
from tenants.tenancy.enums import CLOSED
from tenants.tenancy.models import Tenant

_WORK: Final = (SubjectState.FINDING, SubjectState.ERASING)


def requests() -> Any:
    """Requests of the present tenant, the newest first."""
    return SubjectRequest.objects.filter(tenant_id=context.current().id)


def unfinished() -> Any:
    """(request, tenant) of every request that a job has something to do for."""
    return SubjectRequest.objects.filter(state__in=_WORK).values_list("id", "tenant_id")


def ledger_of(tenant_id: UUID) -> list[Erasure]:
    """Lines of the ledger of a tenant that still say who it was, in their order."""
    return list(Erasure.objects.filter(tenant_id=tenant_id, terms__isnull=False).order_by("at", "id"))


def unnamed_since(tenant_id: UUID, since: datetime) -> bool:
    """Whether somebody was erased of a tenant since then of whom the ledger no longer knows who it was."""
    return bool(Erasure.objects.filter(tenant_id=tenant_id, terms__isnull=True, at__gt=since).exists())


def waiting() -> list[UUID]:
    """Tenants with rows that the last replay of their ledger left for later."""
    return list(Erasure.objects.filter(waits=True).order_by().values_list("tenant_id", flat=True).distinct())


def forgettable(now: Any) -> list[UUID]:
    """Tenants with lines that may forget who it was."""
    rows = Erasure.objects.filter(forget_at__lte=now, terms__isnull=False).order_by()
    return list(rows.values_list("tenant_id", flat=True).distinct())


def holds(*, lifted: bool = False) -> Any:
    """Legal holds of the present tenant that are in force; with `lifted`, those that were lifted."""
    return LegalHold.objects.filter(tenant_id=context.current().id, lifted_at__isnull=not lifted)


def purges() -> Any:
    """What was deleted of the present tenant because it was kept long enough, the newest first."""
    return Purge.objects.filter(tenant_id=context.current().id)


@dataclass(frozen=True, slots=True)
class Standing:
    """How long a class is kept, who said so, and what each level says."""

    what: Keeps
    days: int
    level: Level
    said: tuple[tuple[Level, int], ...]


def standing(*, partner_id: UUID | None, tenant_id: UUID | None) -> list[Standing]:
    """The terms that hold for a tenant, for all of a partner's, or for everybody: the nearest one counts."""
    rows = list(Term.objects.filter(tenant__isnull=True, partner__isnull=True))
    if partner_id:
        rows += Term.objects.filter(tenant__isnull=True, partner_id=partner_id)
    if tenant_id:
        rows += Term.objects.filter(tenant_id=tenant_id)
    found = []
    for what in Keeps:
        said = [(Level.SYSTEM, _of_system(what))]
        said += [(_level(row), row.days) for row in rows if row.what == what]
        level, days = said[-1]
        found.append(Standing(what, days, level, tuple(said)))
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """How many clients a partner's term reaches, and how many say their own."""

    follow: int
    own: int


def reach(partner_id: UUID) -> dict[Keeps, Reach]:
    """What a change of a partner's terms would touch, by class; clients that are put away do not count."""
    clients = Tenant.objects.of(partner_id).exclude(state__in=CLOSED).count()
    rows = Term.objects.filter(tenant__partner_id=partner_id).exclude(tenant__state__in=CLOSED)
    own = dict(rows.order_by().values_list("what").annotate(Count("tenant")))
    return {what: Reach(clients - own.get(what, 0), own.get(what, 0)) for what in Keeps}


def _level(row: Term) -> Level:
    if row.tenant_id:
        return Level.TENANT
    return Level.PARTNER if row.partner_id else Level.PLATFORM


def _of_system(what: Keeps) -> int:
    days = {Keeps.RUN_DATA: settings.ENV.keep_data_days, Keeps.RUNS: settings.ENV.keep_runs_days}
    return int(days.get(what, 0))


def days_kept(what: Keeps) -> int:
    """For how many days the present tenant keeps a class; 0: without end."""
    here = context.current()
    found = standing(partner_id=here.partner_id, tenant_id=here.id)
    return next(one.days for one in found if one.what == what)


def held_keys() -> tuple[bool, list[str]]:
    """(whether a hold covers everything, business keys that holds cover) in the present tenant."""
    rows = list(holds())
    keys = {str(key) for row in rows for key in row.keys}
    return any(row.everything for row in rows), sorted(keys)
