"""A partner sets a third client up, installs a template there by the wizard, and sees its first order go through."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine.models import Run
from automations.events.models import Event
from deploy.estate.catalogue import CATALOGUE
from kernel import clock
from templates_lib.models import Installation
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, queries
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.queries import TenantRef
from tests.browser.conftest import Visit
from tests.support import make
from tests.support.cast import PASSWORD, Cast
from tests.support.estate import KEY, Estate


def order(number: str) -> dict[str, Any]:
    price = CATALOGUE["RAIN-01"].prices["GBP"]
    return make.order(
        order_id=number,
        number=number,
        lines=[{"line_id": "1", "sku": "RAIN-01", "title": "Jacket", "quantity": 1, "price_minor": price}],
        total_minor=price,
        shipping_minor=0,
        placed_at=clock.rfc3339(clock.now()),
    )


def comes_in(host: str, door: make.Door, number: str) -> None:
    """The client's shop sends an order by a signed webhook."""
    event = make.cloudevent(data=order(number), subject=number, time=clock.rfc3339(clock.now()))
    body = make.body(event)
    sent = make.signed(body, door.secret, at=clock.now(), key=f"msg_{number}")
    answer = Client(HTTP_HOST=host).post(
        door.path, body, content_type="application/cloudevents+json",
        headers={name: value for name, value in sent.items() if name != "Content-Type"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.content


def set_up(page: Any) -> TenantRef:
    """The five steps of a new client, and its progress until it stands."""
    page.click("text=New client")
    page.fill("[name=name]", "Nova Küche")
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/address/")
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/people/")
    page.fill("[name=people-0-email]", "nina@nova.test")
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/blueprint/")
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/review/")
    page.click("text=Set up the client")
    page.wait_for_url("**/setup/")
    job = ProvisioningJob.objects.get(tenant__slug="nova-kuche")
    actions.provision(job_id=job.id, now=clock.now())
    page.wait_for_selector("text=It stands")
    return queries.ref_of(Tenant.objects.get(slug="nova-kuche"))


@pytest.mark.timeout(300)
def test_a_partner_sets_up_a_client_installs_a_template_and_sees_its_first_run(
    committed: Any,
    cast: Cast,
    estate: Estate,
    aside: Callable[..., Any],
    worker: Callable[..., int],
    visit: Callable[..., Visit],
) -> None:
    cast.partner_admin.set_password(PASSWORD)
    cast.partner_admin.save()
    seen = visit(None, cast.partner_host)
    page = seen.page
    seen.go("/clients/")
    page.fill("[name=email]", cast.partner_admin.email)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/clients/")
    nova = set_up(page)

    host = "nova-kuche.meridian.localhost"
    with context.enter(nova):
        door = make.endpoint(now=clock.now())
    for number in ("20001", "20002"):
        comes_in(host, door, number)
    worker(seconds=10, idle=1)  # nothing is installed yet: they are taken in, and start nothing

    # the wizard: a wrong input first, at its field
    seen.go("/templates/")
    page.click("h2 a:has-text('Order to ERP')")
    page.click(".acts a:has-text('Install')")
    page.click("a:has-text('Choose Nova Küche')")
    page.wait_for_url("**/settings/")
    page.fill("[name=hold_above]", "0")
    page.click("main button:has-text('Go on')")
    page.wait_for_selector("#id_hold_above_error:has-text('greater than or equal to 0.01')")
    assert page.input_value("[name=hold_above]") == "0"
    page.fill("[name=hold_above]", "9000")
    page.keyboard.press("Enter")
    page.wait_for_url("**/connections/")

    # the ERP's connection is made and tested right there
    page.fill("[name=new-name]", "ERP of Nova")
    page.fill("[name=new-base_url]", estate.address)
    page.fill("[name=new-secret]", KEY)
    page.click("text=Add and test")
    page.wait_for_selector(".pick :text('ERP orders answered')")
    assert page.is_checked("[name=use-erp]")
    asked = aside(lambda: estate.requests)
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/try/")

    # the dry run: what would have happened to the two orders that came in, and nothing leaves
    told = page.inner_text("main")
    assert "POST /erp/orders/20002/reserve" in told
    assert [one.inner_text() for one in page.locator(".kpi .v").all()] == ["2", "6", "0", "0"]
    page.click("main button:has-text('Go on')")
    page.wait_for_url("**/review/")
    assert "9,000.00" in page.inner_text("main")
    assert aside(lambda: estate.requests) == asked
    with context.enter(nova):
        assert (Event.objects.count(), Run.objects.count()) == (2, 0)

    page.click("main button:has-text('Install')")
    page.wait_for_selector("text=Order to ERP works at Nova Küche.")
    one = Installation.objects.get(tenant_id=nova.id)
    assert one.public_id in page.url
    with context.enter(nova):
        event = AuditEvent.objects.get(action="templates.install")
        assert (event.actor_label, event.after["template"]) == ("Paula Partner", str(one.version))
    page.go_back()  # sent again by the Back button it stays one installation
    page.wait_for_url(re.compile(f"{one.public_id}|review"))
    seen.go(f"/templates/order-to-erp/install/{Tenant.objects.get(pk=nova.id).public_id}/review/")
    page.wait_for_url(f"**/{one.public_id}/")
    assert Installation.objects.filter(tenant_id=nova.id).count() == 1

    # a signed webhook becomes a run that books the order
    comes_in(host, door, "20003")
    worker(seconds=20, idle=3)
    with context.enter(nova):
        run = Run.objects.get(business_key="20003")
        assert run.status == "completed"
    state = aside(estate.state)
    assert (state["orders"], state["effects"]["applied_twice"]) == (1, [])

    # the partner sees it: in the fleet, and in the client's own portal
    seen.go("/clients/")
    row = page.locator("tr:has-text('Nova Küche')")
    assert "Healthy" in row.inner_text()
    row.locator("button:has-text('runs today')").click()
    # a client lets its partner in for a reason and for a time
    page.wait_for_selector("text=What for")
    page.fill("[name=reason]", "The first run of the new template")
    page.click(".formfoot button:has-text('Go in')")
    page.wait_for_url(re.compile(r"//nova-kuche\.meridian\.localhost:\d+/runs/"))
    page.wait_for_selector("text=20003")
    assert [one for one in seen.complaints if "nova-kuche" not in one] == []
    assert "Order to ERP" in page.inner_text("main")
