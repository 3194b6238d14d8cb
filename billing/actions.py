"""Counting what was used, and putting tenants on plans."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from billing.models import MeterDay, Plan, Subscription
from kernel.actor import Actor
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import provisioning_step

SETTLE: Final = timedelta(hours=6)
"""A day is fixed that long after its end: until then a late event may still belong to it."""
STANDARD: Final = "standard"


def meter(*, tenant: TenantRef, day: date, now: datetime) -> MeterDay:
    """Count runs, events and cases of one day of a tenant from its own tables; a fixed day is left as it is."""
    found = MeterDay.objects.filter(tenant_id=tenant.id, day_date=day).first()
    if found is not None and found.final:
        return found
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with context.enter(tenant):
        counts = _count(start, start + timedelta(days=1))
    values = {**counts, "counted_at": now, "final": now >= start + timedelta(days=1) + SETTLE}
    row, _ = MeterDay.objects.update_or_create(tenant_id=tenant.id, day_date=day, defaults=values)
    return row


def _count(start: datetime, end: datetime) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select
              (select count(*) from engine_run
                where started_at >= %(a)s and started_at < %(b)s and cause <> 'test' and tasks = ''),
              (select count(*) from events_event
                where received_at >= %(a)s and received_at < %(b)s and not internal),
              (select count(*) from inbox_case where opened_at >= %(a)s and opened_at < %(b)s)
            """,
            {"a": start, "b": end},
        )
        runs, events, cases = cursor.fetchone() or (0, 0, 0)
    return {"runs": runs, "events": events, "cases": cases}


def meter_open_days(*, tenant: TenantRef, now: datetime) -> list[MeterDay]:
    """Count every day of a tenant that is not fixed yet, up to today by the tenant's clock; at most 31."""
    with context.enter(tenant):
        today = context.now().date()
    last = MeterDay.objects.filter(tenant_id=tenant.id, final=True).order_by("-day_date").first()
    first = max(
        last.day_date + timedelta(days=1) if last else today - timedelta(days=30), today - timedelta(days=30)
    )
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    return [meter(tenant=tenant, day=day, now=now) for day in days]


def subscribe(*, tenant: Tenant, plan: Plan, since: date, actor: Actor, now: datetime) -> Subscription:
    """Put a tenant on a plan."""
    actor.require("tenancy.lifecycle")
    with transaction.atomic():
        before = Subscription.objects.select_for_update().filter(tenant=tenant).first()
        row, _ = Subscription.objects.update_or_create(
            tenant=tenant, defaults={"plan": plan, "since_date": since}
        )
        record(
            actor=actor,
            action="billing.subscribe",
            obj=row,
            now=now,
            before={"plan": before.plan.code} if before else None,
            after={"plan": plan.code, "since": since.isoformat()},
            partner_id=tenant.partner_id,
        )
    return row


def ensure_plans() -> list[Plan]:
    """The plans that an installation starts with; existing ones are left as they are."""
    wanted: list[dict[str, Any]] = [
        {
            "code": STANDARD,
            "name": "Standard",
            "price_minor": 29_900,
            "included_runs": 50_000,
            "included_events": 250_000,
        },
        {
            "code": "plus",
            "name": "Plus",
            "price_minor": 79_900,
            "included_runs": 250_000,
            "included_events": 1_500_000,
        },
    ]
    return [
        Plan.objects.get_or_create(code=plan["code"], defaults={**plan, "overage_minor": 500})[0]
        for plan in wanted
    ]


@provisioning_step(80, "plan", "Choose the plan")
def start_plan(ref: TenantRef, _: ProvisioningJob, now: datetime) -> str:
    """A new tenant starts on the standard plan."""
    with context.leave():
        plan = next(plan for plan in ensure_plans() if plan.code == STANDARD)
        Subscription.objects.get_or_create(
            tenant_id=ref.id, defaults={"plan": plan, "since_date": now.date()}
        )
    return f"Plan: {plan.name}"
