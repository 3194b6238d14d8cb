"""Plans and usage: what was counted, for a client and for its partner; changing a plan; nobody else's figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.engine.models import Run
from automations.inbox.models import Case
from billing import actions
from billing.models import MeterDay, Plan, Subscription
from portal.ui import figures
from tenants.audit.models import AuditEvent
from tenants.tenancy import context, queries
from tenants.tenancy.models import Tenant
from tests.house import world
from tests.support.cast import NOW, Cast

LATER = NOW.date() + timedelta(days=1)
"""Not today: that is counted anew whenever somebody looks."""


@pytest.fixture
def used(cast: Cast, now: Any) -> None:
    """Two days of one client, one of another partner's."""
    standard = actions.ensure_plans()[0]
    for ref in (cast.tenant, cast.other_tenant):
        Subscription.objects.update_or_create(
            tenant_id=ref.id, defaults={"plan": standard, "since_date": NOW.date()}
        )
    first = NOW.date().replace(day=1)
    rows = [(cast.tenant.id, first, 51_500, 7, 2, True), (cast.tenant.id, LATER, 11, 3, 1, False)]
    for tenant, day, runs, events, cases, final in [
        *rows,
        (cast.other_tenant.id, first, 987_654, 1, 1, True),
    ]:
        MeterDay.objects.create(
            tenant_id=tenant, day_date=day, runs=runs, events=events, cases=cases, final=final, counted_at=NOW
        )


def test_a_client_sees_its_month_what_it_comes_to_and_what_opens_it(used: None, portal: Client) -> None:
    text = portal.get("/usage/").content.decode()
    # 51,511 runs are 1,511 beyond the plan's 50,000: two further thousands at €5
    assert "51,511" in text
    assert "€309.00" in text
    assert f"/runs/?since={NOW:%Y-%m}-01" in text
    assert "987,654" not in text


def test_a_month_without_use_and_one_that_is_none_are_pages_too(used: None, portal: Client) -> None:
    assert "Nothing was counted in this month" in portal.get("/usage/?month=2019-02").content.decode()
    assert "51,511" in portal.get("/usage/?month=yesterday").content.decode()
    assert "51,511" in portal.get("/usage/?month=9999-12").content.decode()


def test_the_days_are_a_file(used: None, portal: Client) -> None:
    lines = b"".join(portal.get("/usage/days.csv").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1:] == [f"{NOW:%Y-%m}-01,51500,7,2,True", f"{LATER:%Y-%m-%d},11,3,1,False"]


def test_a_client_without_a_plan_is_told_so(cast: Cast, portal: Client) -> None:
    Subscription.objects.filter(tenant_id=cast.tenant.id).delete()
    assert "No plan yet" in portal.get("/usage/").content.decode()
    assert portal.get("/usage/days.csv").status_code == 404


def test_a_partner_sees_its_own_clients_alone(used: None, console: Client) -> None:
    text = console.get("/usage/").content.decode()
    assert "51,511" in text
    assert "987,654" not in text
    rows = b"".join(console.get("/usage/clients.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "51511" in rows
    assert "987654" not in rows


def test_a_plan_is_changed_with_its_trace(used: None, cast: Cast, console: Client) -> None:
    tenant = Tenant.objects.get(pk=cast.tenant.id)
    asked = console.get(f"/usage/{tenant.public_id}/plan").content.decode()
    assert "Standard: €299.00 a month, 50,000 runs" in asked
    assert console.post(f"/usage/{tenant.public_id}/plan", {"plan": "plus"}).status_code == 302
    assert Subscription.objects.get(tenant=tenant).plan.code == "plus"
    trace = AuditEvent.objects.get(action="billing.subscribe")
    assert (trace.before, trace.after) == (
        {"plan": "standard"},
        {"plan": "plus", "since": NOW.date().isoformat()},
    )


def test_a_plan_that_is_none_changes_nothing(used: None, cast: Cast, console: Client) -> None:
    tenant = Tenant.objects.get(pk=cast.tenant.id)
    assert console.post(f"/usage/{tenant.public_id}/plan", {"plan": "gold"}).status_code == 422
    assert Subscription.objects.get(tenant=tenant).plan == Plan.objects.get(code="standard")


def test_nobody_puts_another_partner_s_client_on_a_plan(used: None, cast: Cast, console: Client) -> None:
    foreign = Tenant.objects.get(pk=cast.other_tenant.id)
    assert console.post(f"/usage/{foreign.public_id}/plan", {"plan": "plus"}).status_code == 404
    assert Subscription.objects.get(tenant=foreign).plan.code == "standard"


def test_today_is_what_the_client_has_now_on_every_page(
    used: None, cast: Cast, portal: Client, console: Client
) -> None:
    world.of_tenant(cast.tenant, "here", times=3)
    MeterDay.objects.update_or_create(
        tenant_id=cast.tenant.id,
        day_date=NOW.date(),
        defaults={"runs": 0, "events": 0, "cases": 0, "final": False, "counted_at": NOW},
    )  # as it was counted some minutes ago
    with context.enter(cast.tenant):
        runs = Run.objects.filter(tasks="").exclude(cause="test").count()
        cases = Case.objects.count()
    assert runs >= 3
    assert cases >= 3
    cards = {str(card["label"]): card["value"] for card in portal.get("/usage/").context["cards"]}
    assert (cards["Runs"], cards["Cases"]) == (51_500 + 11 + runs, 2 + 1 + cases)
    told = portal.get("/api/v1/usage").json()
    assert told["runs"] == 51_511 + runs
    one = next(row for row in console.get("/usage/").context["used"] if row.tenant.id == cast.tenant.id)
    assert (one.runs, one.cases) == (51_511 + runs, 3 + cases)
    fleet = figures.of([queries.ref_of(Tenant.objects.get(pk=cast.tenant.id))])[cast.tenant.id]
    assert fleet.runs_today == runs
    assert (
        MeterDay.objects.get(tenant_id=cast.tenant.id, day_date=NOW.date()).runs == 0
    )  # looking writes nothing
