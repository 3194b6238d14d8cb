"""What a tenant used, counted from its own tables, and what it comes to."""

from datetime import UTC, date, datetime, timedelta

import pytest

from automations.events.models import Event
from billing import actions, queries, tasks
from billing.models import MeterDay, Plan, Subscription
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.support import make

BY = system("test")
TODAY = date(2026, 3, 2)


@pytest.fixture
def used(tenant, now):
    """Three deliveries from outside yesterday, one today; one event of the portal itself, which costs nothing."""
    door = make.endpoint()
    yesterday = now - timedelta(days=1)
    from automations.events import actions as events

    for at, count in ((yesterday, 3), (now, 1)):
        for number in range(count):
            raw = make.body(make.cloudevent(subject=f"{at.day}-{number}"))
            events.receive_webhook(
                token=door.row.token,
                body=raw,
                headers=make.signed(raw, door.secret, at=at, key=f"{at.day}-{number}"),
                now=at,
            )
    Event.objects.filter(subject=f"{yesterday.day}-2").update(internal=True)
    return tenant


def test_a_day_is_counted_from_the_tables(used, now):
    day = actions.meter(tenant=used, day=TODAY - timedelta(days=1), now=now)
    assert (day.events, day.runs, day.cases, day.final) == (2, 0, 0, True)
    today = actions.meter(tenant=used, day=TODAY, now=now)
    assert (today.events, today.final) == (1, False)


def test_counting_twice_is_counting_once(used, now):
    for _ in range(2):
        actions.meter(tenant=used, day=TODAY, now=now)
    assert MeterDay.objects.filter(tenant_id=used.id).count() == 1


def test_a_day_that_is_over_is_fixed(used, now):
    day = TODAY - timedelta(days=1)
    actions.meter(tenant=used, day=day, now=now)
    Event.objects.all().delete()
    assert actions.meter(tenant=used, day=day, now=now + timedelta(hours=1)).events == 2


def test_a_day_stays_open_until_late_events_have_had_their_time(used, now):
    end = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) + timedelta(days=1)
    before = actions.meter(tenant=used, day=TODAY, now=end + actions.SETTLE - timedelta(seconds=1))
    after = actions.meter(tenant=used, day=TODAY, now=end + actions.SETTLE)
    assert (before.final, after.final) == (False, True)


def test_every_open_day_is_counted_at_most_31(used, now):
    days = actions.meter_open_days(tenant=used, now=now)
    assert (len(days), days[-1].day_date) == (31, TODAY)
    again = actions.meter_open_days(tenant=used, now=now)
    assert [day.day_date for day in again] == [TODAY]


def test_a_month_against_the_plan(used, now):
    plan = Plan.objects.get(code=actions.STANDARD)
    MeterDay.objects.create(
        tenant_id=used.id, day_date=date(2026, 3, 1), runs=50_000, counted_at=now, final=True
    )
    month = queries.month(used.id, date(2026, 3, 1))
    assert (month.runs, month.extra_runs, month.due.minor, month.share) == (50_000, 0, plan.price_minor, 1.0)
    MeterDay.objects.create(tenant_id=used.id, day_date=date(2026, 3, 2), runs=1_001, counted_at=now)
    MeterDay.objects.create(tenant_id=used.id, day_date=date(2026, 2, 28), runs=9_999, counted_at=now)
    month = queries.month(used.id, date(2026, 3, 1))
    assert (month.extra_runs, month.due.minor) == (1_001, plan.price_minor + 2 * plan.overage_minor)
    assert [day.day_date.day for day in month.days] == [1, 2]


def test_totals_of_a_partner_hold_its_own_tenants_alone(used, cast, other_tenant, now):
    with context.leave():
        for tenant in (used, other_tenant):
            MeterDay.objects.create(
                tenant_id=tenant.id, day_date=TODAY, runs=7, events=8, cases=9, counted_at=now
            )
        assert queries.totals(cast.partner.id, date(2026, 3, 1)) == {used.id: (7, 8, 9)}


def test_a_new_tenant_is_on_the_standard_plan_and_a_change_is_audited(tenant, now):
    assert Subscription.objects.get(tenant_id=tenant.id).plan.code == actions.STANDARD
    plus = Plan.objects.get(code="plus")
    actions.subscribe(tenant=Tenant.objects.get(pk=tenant.id), plan=plus, since=TODAY, actor=BY, now=now)
    trail = AuditEvent.objects.get(action="billing.subscribe")
    assert (trail.before["plan"], trail.after["plan"]) == ("standard", "plus")


def test_a_tenant_does_not_choose_its_plan(tenant, cast, now):
    with pytest.raises(Forbidden):
        actions.subscribe(
            tenant=Tenant.objects.get(pk=tenant.id),
            plan=Plan.objects.get(code="plus"),
            since=TODAY,
            actor=cast.actor(cast.owner),
            now=now,
        )
    assert Subscription.objects.get(tenant_id=tenant.id).plan.code == actions.STANDARD


def test_tenants_are_counted_every_ten_minutes(cast, other_tenant):
    tenant = cast.tenant
    due = {str(row["tenant_id"]) for row in tasks._not_counted()}
    assert due == {str(tenant.id), str(other_tenant.id)}
    tasks.meter(tenant_id=str(tenant.id))
    assert {str(row["tenant_id"]) for row in tasks._not_counted()} == {str(other_tenant.id)}
    with clock.hold(clock.now() + timedelta(minutes=11)):
        assert str(tenant.id) in {str(row["tenant_id"]) for row in tasks._not_counted()}
