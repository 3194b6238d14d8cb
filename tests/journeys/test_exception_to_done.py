"""An order that the ERP cannot take becomes a case; a reviewer corrects it in the browser; everything comes right.

The ERP is away first (503, tried again by the template's rule), then refuses the order for want of a postcode (422).
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.engine.models import Run
from automations.inbox import tasks
from automations.inbox.actions import pending
from automations.inbox.models import Case, Intent
from automations.insights import queries as insights
from deploy.estate.catalogue import CATALOGUE
from kernel import clock
from templates_lib import queries as templates
from templates_lib.actions import installing
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.browser.conftest import Visit
from tests.house.world import BY
from tests.support import make
from tests.support.cast import Cast
from tests.support.estate import Estate

FIRST_ERP_AWAY = {"status": 503, "match": {"method": "POST", "path": "/erp/orders"}, "times": 1}


@pytest.fixture
def booking(tenant: TenantRef, estate: Estate) -> None:
    """The template that books orders, at work with the simulated ERP."""
    from templates_lib.actions import publishing
    from templates_lib.models import TemplateVersion

    now = clock.now()
    publishing.publish_catalog(actor=BY, now=now)
    version = TemplateVersion.objects.filter(slug="order-to-erp").latest("published_at")
    erp = connectors.create_connection(
        name="ERP", connector="erp", settings={"base_url": estate.address}, auth="bearer", actor=BY, now=now
    )
    connectors.set_secret(connection=erp, secret="estate-demo-key", actor=BY, now=now)
    installing.install(
        version=version,
        tenant=tenant,
        config=templates.defaults(version.input_schema),
        connections={"erp": str(erp.id)},
        actor=BY,
        now=now,
    )


def order_without_postcode() -> dict[str, Any]:
    price = CATALOGUE["RAIN-01"].prices["GBP"]
    order = make.order(
        lines=[{"line_id": "1", "sku": "RAIN-01", "title": "Jacket", "quantity": 1, "price_minor": price}],
        total_minor=price,
        shipping_minor=0,
        placed_at=clock.rfc3339(clock.now()),
    )
    order["shipping_address"] = {**order["shipping_address"], "postcode": None}
    return {
        **order,
        "shipping_address": {k: v for k, v in order["shipping_address"].items() if v is not None},
    }


def comes_in(cast: Cast) -> None:
    """The shop sends the order by a signed webhook."""
    door = make.endpoint(now=clock.now())
    body = make.body(make.cloudevent(data=order_without_postcode(), time=clock.rfc3339(clock.now())))
    sent = make.signed(body, door.secret, at=clock.now())
    answer = Client(HTTP_HOST=cast.host).post(
        door.path, body, content_type="application/cloudevents+json",
        headers={name: value for name, value in sent.items() if name != "Content-Type"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.content


def asked(state: dict[str, Any], route: str) -> int:
    """How often the ERP was asked for something."""
    found: dict[str, int] = state["requests"]
    return found.get(route, 0)


def carried_out(tenant: TenantRef) -> None:
    """What the job does once a decision can no longer be undone."""
    with context.enter(tenant):
        tasks.carry_out(key=str(Intent.objects.get().id))


@pytest.mark.timeout(240)
def test_a_reviewer_corrects_the_postcode_and_the_run_goes_on_from_the_step_that_failed(
    committed: Any,
    cast: Cast,
    booking: None,
    estate: Estate,
    aside: Callable[..., Any],
    worker: Callable[..., int],
    visit: Callable[..., Visit],
) -> None:
    aside(estate.faults, FIRST_ERP_AWAY)
    comes_in(cast)
    worker(seconds=25, idle=4)
    run = Run.objects.get()
    assert run.status == "suspended"
    before = aside(estate.state)
    assert (asked(before, "GET /erp/stock/{sku}"), asked(before, "POST /erp/orders")) == (1, 2)

    seen = visit(cast.reviewer, cast.host)
    page, keys = seen.page, seen.page.keyboard
    seen.go("/inbox/")
    detail = page.inner_text("#detail")
    for said in (
        "postcode is missing",
        "A postcode is required for United Kingdom",
        "10045",
        "in 8 hr",
        "failed: 503",
    ):
        assert said in detail, said
    case = Case.objects.get()
    assert page.inner_text("#detail .facts dd") == f"£{case.value_minor / 100:,.2f}"

    keys.press("e")
    page.wait_for_url("**/correct*")
    seen.until("document.activeElement.name === 'at/shipping_address/postcode'")
    keys.type("BS1 4DB")
    keys.press("Enter")
    page.wait_for_selector("text=What changes")
    assert page.inner_text(".diff ins") == "BS1 4DB"
    page.fill("[name=reason]", "The customer gave it by phone")
    page.click("text=Send it on with this")
    page.wait_for_url(f"**/inbox/{case.public_id}/")
    page.wait_for_selector("button:has-text('Undo')")
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(pending.UNDO.total_seconds() * 1000)
    aside(carried_out, cast.tenant)
    page.wait_for_selector("text=The run is on its way")

    worker(seconds=20, idle=3)
    page.wait_for_selector("text=Rosa Reviewer closed it")
    assert page.evaluate("window.stayed") is True
    run.refresh_from_db()
    case.refresh_from_db()
    assert (run.status, case.state, case.closed_how) == ("completed", "resolved", "person")
    after = aside(estate.state)
    assert asked(after, "GET /erp/stock/{sku}") == asked(before, "GET /erp/stock/{sku}")
    assert asked(after, "POST /erp/orders") == asked(before, "POST /erp/orders") + 1
    assert (after["orders"], after["effects"]["applied_twice"]) == (1, [])

    row = AuditEvent.objects.get(action="inbox.decide")
    assert (row.actor_label, row.reason) == ("Rosa Reviewer", "The customer gave it by phone")
    assert row.before["data"]["shipping_address"]["postcode"] is None
    assert row.after["data"]["shipping_address"]["postcode"] == "BS1 4DB"

    entries = insights.timeline("10045", now=clock.now()).entries
    assert [one.at for one in entries] == sorted(one.at for one in entries)
    told = [f"{one.title}" for one in entries]
    in_order = [
        "Order placed", "Order to ERP started", "try 1 failed", "waits for a person", "opened", "Correct and try again",
        "sent on by Rosa Reviewer", "Book the order in the ERP done", "closed", "Order to ERP completed",
    ]  # fmt: skip
    places = [next(number for number, title in enumerate(told) if words in title) for words in in_order]
    assert places == sorted(places), told
    page.click("text=Timeline of the order")
    page.wait_for_url("**/orders/10045/")
    shown = page.inner_text("main")
    assert "waits for a person" in shown
    assert "Rosa Reviewer" in shown
    assert seen.complaints == []
