"""Figures about cases for dashboards, the fleet, billing and replays."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from automations.inbox.enums import CaseState, ClosedHow, IntentState, Severity
from automations.inbox.models import Case, Decision
from automations.inbox.queries.listing import decided
from kernel import clock
from tenants.tenancy import queries as tenancy
from tenants.tenancy.queries import TenantRef

_FLEET: Final = """
select count(*), count(*) filter (where due_at < %s), count(*) filter (where severity = %s)
from {schema}.inbox_case where closed_at is null
"""


@dataclass(frozen=True, slots=True)
class TenantFigures:
    """A tenant in the partner's fleet: open cases, those past due, and the critical ones."""

    open: int
    past_due: int
    critical: int


@dataclass(frozen=True, slots=True)
class KindCount:
    """Cases of one kind that opened in a period: all, still open, closed by themselves, by people, by their run."""

    kind: str
    of_run: bool
    opened: int
    still_open: int
    closed_auto: int
    closed_person: int
    closed_run: int


def tenant_figures(tenants: Iterable[TenantRef], now: datetime | None = None) -> dict[UUID, TenantFigures]:
    """Figures of several tenants, for a page of the fleet: one statement for a hundred of them.

    Due times are compared with each tenant's own present.
    """
    known = list(tenants)
    presents = tenancy.presents(known, now or clock.now())
    rows = tenancy.over_tenants(known, _FLEET, lambda tenant: [presents[tenant.id], Severity.CRITICAL])
    return {key: TenantFigures(*row) for key, row in rows.items()}


def open_count(now: datetime) -> int:
    """Cases that are open and awake: the number beside the sidebar's entry."""
    found = Case.objects.open().filter(~decided(IntentState.WAITING), state=CaseState.OPEN)
    return int(found.awake(now).count())


def kind_counts(
    *, since: datetime | None = None, until: datetime | None = None, open_at: datetime | None = None
) -> list[KindCount]:
    """Cases that opened in the period (or were open at an instant), by kind as the catalogue names it."""
    cases = _opened(since, until)
    counted = (
        (cases.open_at(open_at) if open_at else cases)
        .order_by("kind", "error_class")
        .values_list("kind", "error_class")
        .annotate(
            of_run=BoolOr("of_run"),
            opened=Count("id"),
            still=Count("id", filter=Q(closed_at__isnull=True)),
            auto=Count("id", filter=Q(closed_how=ClosedHow.AUTO)),
            person=Count("id", filter=Q(closed_how=ClosedHow.PERSON)),
            run=Count("id", filter=Q(closed_how=ClosedHow.RUN)),
        )
    )
    return [KindCount(f"{kind}.{error}" if error else kind, *numbers) for kind, error, *numbers in counted]


def counts_by_kind(*, since: datetime | None = None, until: datetime | None = None) -> list[tuple[str, int]]:
    """(kind, number) of cases that opened in the period, by kind."""
    return [(one.kind, one.opened) for one in kind_counts(since=since, until=until)]


def by_day(*, since: datetime, until: datetime, zone: Any) -> list[tuple[Any, str, int]]:
    """(day in `zone`, kind, number) of cases that opened in the period."""
    found = (
        _opened(since, until)
        .annotate(day=TruncDate("opened_at", tzinfo=zone))
        .order_by("day", "kind")
        .values_list("day", "kind")
        .annotate(n=Count("id"))
    )
    return list(found)


def decided_runs(*, since: datetime | None = None) -> set[UUID]:
    """Runs behind whose failures somebody decided since then: they did not come through by themselves."""
    found = Decision.objects.exclude(actor_kind="system").filter(case__of_run=True)
    if since:
        found = found.filter(at__gte=since)
    return {run for run in found.values_list("case__run_id", flat=True) if run is not None}


def has_decided(user_id: UUID) -> bool:
    """Whether a person has done anything about a case yet."""
    return Decision.objects.filter(actor_id=user_id).exists()


def _opened(since: datetime | None, until: datetime | None) -> Any:
    found = Case.objects.all()
    if since:
        found = found.filter(opened_at__gte=since)
    if until:
        found = found.filter(opened_at__lt=until)
    return found
