"""What a tenant used, and what that comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Sum

from billing.models import MeterDay, Plan, Subscription
from kernel.money import Money


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


def month(tenant_id: UUID, first: date) -> Month | None:
    """The use of the month that begins at `first`; None for a tenant without a plan."""
    subscription = Subscription.objects.select_related("plan").filter(tenant_id=tenant_id).first()
    if subscription is None:
        return None
    days = list(
        MeterDay.objects.filter(
            tenant_id=tenant_id, day_date__year=first.year, day_date__month=first.month
        ).order_by("day_date")
    )
    return Month(
        first_date=first,
        plan=subscription.plan,
        runs=sum(day.runs for day in days),
        events=sum(day.events for day in days),
        cases=sum(day.cases for day in days),
        days=days,
    )


def totals(partner_id: UUID, first: date) -> dict[UUID, tuple[int, int, int]]:
    """Runs, events and cases of a month for each of a partner's tenants."""
    rows = (
        MeterDay.objects.filter(
            tenant__partner_id=partner_id, day_date__year=first.year, day_date__month=first.month
        )
        .values_list("tenant_id")
        .annotate(runs=Sum("runs"), events=Sum("events"), cases=Sum("cases"))
        .order_by()
    )
    return {tenant_id: (runs, events, cases) for tenant_id, runs, events, cases in rows}


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
