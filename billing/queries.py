"""What a tenant used, and what that comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from billing.models import MeterDay, Plan, Subscription
from kernel.money import Money
from tenants.tenancy import queries as tenancy
from tenants.tenancy.queries import TenantRef


@dataclass(frozen=True, slots=True)
class Month:
    """A month's use against the plan; `due` is the price plus every started 1,000 runs beyond what is included."""

    first_date: date
    plan: Plan
    runs: int
    events: int
    cases: int
    days: Sequence[MeterDay]

    @property
    def extra_runs(self) -> int:
        """Runs beyond what the plan includes."""
        return max(self.runs - self.plan.included_runs, 0)

    @property
    def due(self) -> Money:
        """What the month comes to so far."""
        thousands = -(-self.extra_runs // 1_000)
        return Money(self.plan.price_minor + thousands * self.plan.overage_minor, self.plan.currency)

    @property
    def share(self) -> float:
        """How much of the included runs is used, as a fraction; above 1 when it is more."""
        return self.runs / self.plan.included_runs if self.plan.included_runs else 0.0


_TODAY: Final = """
select
  (select count(*) from {schema}.engine_run where started_at >= %s and cause <> 'test' and tasks = ''),
  (select count(*) from {schema}.events_event where received_at >= %s and not internal),
  (select count(*) from {schema}.inbox_case where opened_at >= %s)
"""


def today(tenants: Sequence[TenantRef], now: datetime) -> dict[UUID, MeterDay]:
    """What each tenant used of its present day, as it is at this instant; none of it is stored."""
    days = {key: present.astimezone(UTC).date() for key, present in tenancy.presents(tenants, now).items()}

    def since(tenant: TenantRef) -> list[datetime]:
        return [datetime.combine(days[tenant.id], time.min, UTC)] * 3

    return {
        key: MeterDay(
            tenant_id=key,
            day_date=days[key],
            runs=runs,
            events=events,
            cases=cases,
            counted_at=now,
            final=False,
        )
        for key, (runs, events, cases) in tenancy.over_tenants(tenants, _TODAY, since).items()
    }


def month(tenant_id: UUID, first: date, *, present: MeterDay | None = None) -> Month | None:
    """The use of the month that begins at `first`; None for a tenant without a plan.

    `present` is today's use as it is now: it stands for what was counted of today some minutes ago.
    """
    subscription = Subscription.objects.select_related("plan").filter(tenant_id=tenant_id).first()
    if subscription is None:
        return None
    days = list(
        MeterDay.objects.filter(
            tenant_id=tenant_id, day_date__year=first.year, day_date__month=first.month
        ).order_by("day_date")
    )
    if present is not None and present.day_date.replace(day=1) == first:
        days = [day for day in days if day.day_date != present.day_date]
        if present.runs or present.events or present.cases:
            days.append(present)
    return Month(
        first_date=first,
        plan=subscription.plan,
        runs=sum(day.runs for day in days),
        events=sum(day.events for day in days),
        cases=sum(day.cases for day in days),
        days=days,
    )


def totals(
    partner_id: UUID, first: date, *, present: Mapping[UUID, MeterDay] | None = None
) -> dict[UUID, tuple[int, int, int]]:
    """Runs, events and cases of a month for each of a partner's tenants; `present` stands for today, as in `month`."""
    live = {key: day for key, day in (present or {}).items() if day.day_date.replace(day=1) == first}
    rows = (
        MeterDay.objects.filter(
            tenant__partner_id=partner_id, day_date__year=first.year, day_date__month=first.month
        )
        .exclude(_any_of(live))
        .values_list("tenant_id")
        .annotate(runs=Sum("runs"), events=Sum("events"), cases=Sum("cases"))
        .order_by()
    )
    found = {tenant_id: (runs, events, cases) for tenant_id, runs, events, cases in rows}
    for key, day in live.items():
        runs, events, cases = found.get(key, (0, 0, 0))
        found[key] = (runs + day.runs, events + day.events, cases + day.cases)
    return found


def _any_of(days: Mapping[UUID, MeterDay]) -> Q:
    """Rows of these days of these tenants; of those that share a day in one condition."""
    by_date: dict[date, list[UUID]] = {}
    for key, day in days.items():
        by_date.setdefault(day.day_date, []).append(key)
    found = Q(pk__in=[])
    for day_date, keys in by_date.items():
        found |= Q(day_date=day_date, tenant_id__in=keys)
    return found


def plans_of(partner_id: UUID) -> dict[UUID, Plan]:
    """The plan of each of a partner's tenants that has one."""
    rows = Subscription.objects.filter(tenant__partner_id=partner_id).select_related("plan")
    return {row.tenant_id: row.plan for row in rows}


def daily_runs(tenant_ids: Sequence[UUID], since: date) -> dict[UUID, dict[date, int]]:
    """Runs a day since then, for each of several tenants; days that were not counted are left out."""
    found: dict[UUID, dict[date, int]] = {}
    rows = MeterDay.objects.filter(tenant_id__in=tenant_ids, day_date__gte=since)
    for tenant_id, day, runs in rows.values_list("tenant_id", "day_date", "runs"):
        found.setdefault(tenant_id, {})[day] = runs
    return found
