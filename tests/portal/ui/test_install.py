"""The install wizard: typed inputs with their errors, connections, a dry run that sends nothing, one installation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.models import Run, Workflow
from automations.events import actions as events
from kernel import http
from portal.ui.kit.schemaform import SchemaForm
from templates_lib.models import Installation, TemplateVersion
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.support import make
from tests.support.cast import NOW, Cast

SETTINGS = {"check_stock": "on", "channels": ["web", "pos"], "hold_above": ""}
CONNECTION = {
    "add": "erp",
    "new-name": "ERP, Leeds",
    "new-base_url": "https://erp.example.com",
    "new-secret": "s3cret-of-leeds",
}


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have left the process; systems that are tested answer 200."""
    asked: list[str] = []

    def fetch(method: str, url: str, *_: Any, **__: Any) -> http.Answer:
        asked.append(f"{method} {url}")
        return http.Answer(200, {}, b"{}")

    monkeypatch.setattr(connectors.http, "fetch", fetch)
    return asked


def path_of(cast: Cast, step: str, slug: str = "order-to-erp") -> str:
    return f"/templates/{slug}/install/{Tenant.objects.get(pk=cast.tenant.id).public_id}/{step}/"


def erp(cast: Cast, **more: Any) -> str:
    with context.enter(cast.tenant):
        return str(make.connection(**more).id)


def orders(cast: Cast, *totals: int) -> None:
    with context.enter(cast.tenant):
        for number, total in enumerate(totals, 1):
            events.publish(
                type="order.placed",
                subject=str(number),
                data=make.order(order_id=str(number), number=str(number), total_minor=total),
                source="/shop",
                time=NOW,
            )


def test_the_console_asks_for_the_client_first_and_says_who_cannot_be_chosen(
    cast: Cast, console: Client
) -> None:
    Tenant.objects.filter(pk=cast.tenant.id).update(state="suspended")
    page = console.get("/templates/order-to-erp/install/").content.decode()
    assert "Hollis Home" in page
    assert "is suspended" in page
    assert path_of(cast, "settings") not in page
    Tenant.objects.filter(pk=cast.tenant.id).update(state="active")
    page = console.get("/templates/order-to-erp/install/").content.decode()
    assert path_of(cast, "settings") in page
    assert "Arbor" not in page
    assert "No client has this name" in console.get("/templates/order-to-erp/install/?q=zzz").content.decode()


def test_a_client_s_own_host_begins_with_the_settings(cast: Cast, portal: Client) -> None:
    answer = portal.get("/templates/library/order-watch/install/")
    assert answer["Location"] == "/templates/library/order-watch/install/settings/"
    page = portal.get(answer["Location"]).content.decode()
    assert 'value="24"' in page
    assert "Hours after an order was placed." in page


def test_a_wrong_input_is_said_at_its_field_and_nothing_typed_is_lost(cast: Cast, console: Client) -> None:
    path = path_of(cast, "settings")
    refused = console.post(path, {"channels": ["web"], "hold_above": "0"})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "greater than or equal to 0.01" in page
    assert 'value="0"' in page
    assert 'name="check_stock"' in page
    assert "checked" not in page.split('name="check_stock"')[1].split(">")[0]
    assert "This field is required" in console.post(path, {"hold_above": "100"}).content.decode()
    kept = console.get(path).content.decode()
    assert 'value="100"' in kept
    assert console.get(path_of(cast, "try"))["Location"] == path
    assert console.post(path_of(cast, "review"))["Location"] == path


def test_it_is_installed_by_four_steps_and_said_who_did_it(
    cast: Cast, console: Client, silent: list[str]
) -> None:
    key = erp(cast, name="ERP of Leeds")
    orders(cast, 4_000, 900_000)
    assert console.post(path_of(cast, "settings"), {**SETTINGS, "hold_above": "1000"})["Location"] == path_of(
        cast, "connections"
    )
    assert "ERP of Leeds" in console.get(path_of(cast, "connections")).content.decode()
    assert console.post(path_of(cast, "connections"), {"use-erp": key})["Location"] == path_of(cast, "try")
    tried = console.get(path_of(cast, "try")).content.decode()
    assert "POST /erp/orders/1/reserve" in tried
    assert "POST /erp/orders/2" not in tried
    assert "Look the stock up" in tried
    assert console.post(path_of(cast, "try"))["Location"] == path_of(cast, "review")
    review = console.get(path_of(cast, "review")).content.decode()
    for words in ("Hollis Home", "Web shop, Stores", "1,000.00", "ERP of Leeds", "2 events"):
        assert words in review, words
    assert silent == []
    with context.enter(cast.tenant):
        assert Run.objects.count() == 0
        assert Workflow.objects.count() == 0
    done = console.post(path_of(cast, "review"), {"activate": "1"}, follow=True)
    one = Installation.objects.get(tenant_id=cast.tenant.id)
    assert done.redirect_chain[0][0].endswith(f"/{one.public_id}/")
    assert "Order to ERP works at Hollis Home." in done.content.decode()
    assert (one.config, one.connections) == (
        {"check_stock": True, "channels": ["web", "pos"], "hold_above": 100_000}, {"erp": key}
    )  # fmt: skip
    with context.enter(cast.tenant):
        assert Workflow.objects.get().state == "active"
        assert AuditEvent.objects.get(action="templates.install").actor_label == "Paula Partner"
    assert "installing" not in console.session or console.session["installing"] == {}


def walked(cast: Cast, console: Client, slug: str = "order-watch") -> None:
    given = {
        "approval_hours": "24",
        "handover_grace_hours": "0",
        "delivery_grace_hours": "0",
        "severity": "high",
    }
    assert console.post(path_of(cast, "settings", slug), given)["Location"] == path_of(cast, "try", slug)
    assert console.get(path_of(cast, "try", slug)).status_code == 200
    console.post(path_of(cast, "try", slug))


def test_posted_twice_it_is_installed_once(cast: Cast, console: Client) -> None:
    walked(cast, console)
    first = console.post(path_of(cast, "review", "order-watch"), {"activate": "1"})
    second = console.post(path_of(cast, "review", "order-watch"), {"activate": "1"}, follow=True)
    assert second.redirect_chain[0][0] == first["Location"]
    assert "Order watch is installed at Hollis Home." in second.content.decode()
    assert Installation.objects.filter(tenant_id=cast.tenant.id).count() == 1
    with context.enter(cast.tenant):
        assert AuditEvent.objects.filter(action="templates.install").count() == 1


def test_installed_meanwhile_by_somebody_else_is_said(cast: Cast, console: Client, portal: Client) -> None:
    walked(cast, console)
    portal.post("/templates/library/order-watch/install/settings/", {
        "approval_hours": "99", "handover_grace_hours": "0", "delivery_grace_hours": "0", "severity": "high"
    })  # fmt: skip
    portal.post("/templates/library/order-watch/install/try/")
    portal.post("/templates/library/order-watch/install/review/", {"activate": "1"})
    late = console.post(
        path_of(cast, "review", "order-watch"), {"activate": "1"}, follow=True
    ).content.decode()
    assert "by Orla Owner meanwhile, with other settings" in late
    assert Installation.objects.get(tenant_id=cast.tenant.id).config["approval_hours"] == 99


def test_it_can_be_installed_switched_off(cast: Cast, portal: Client) -> None:
    base = "/templates/library/order-watch/install/"
    portal.post(
        f"{base}settings/", {"approval_hours": "24", "handover_grace_hours": "0", "delivery_grace_hours": "0"}
    )
    portal.post(f"{base}try/")
    page = portal.post(f"{base}review/", {}, follow=True).content.decode()
    assert "and switched off" in page
    with context.enter(cast.tenant):
        assert Workflow.objects.get().state == "off"


def test_without_events_the_dry_run_says_so_and_lets_one_go_on(cast: Cast, console: Client) -> None:
    walked(cast, console)
    page = console.get(path_of(cast, "try", "order-watch")).content.decode()
    assert "No event to try it on yet" in page
    assert (
        "there was no event to try it on"
        in console.get(path_of(cast, "review", "order-watch")).content.decode()
    )


def test_a_connection_is_added_and_tested_right_there(cast: Cast, console: Client, silent: list[str]) -> None:
    console.post(path_of(cast, "settings"), SETTINGS)
    path = path_of(cast, "connections")
    page = console.get(path).content.decode()
    assert "New connection: ERP orders" in page
    assert console.post(path, {}).status_code == 422
    refused = console.post(path, {**CONNECTION, "new-base_url": "http://10.0.0.1"})
    assert refused.status_code == 422
    assert 'value="http://10.0.0.1"' in refused.content.decode()
    assert "s3cret" not in refused.content.decode()
    assert console.post(path, {**CONNECTION, "new-secret": ""}).status_code == 422
    with context.enter(cast.tenant):
        assert not Connection.objects.exists()
    made = console.post(path, CONNECTION).content.decode()
    with context.enter(cast.tenant):
        row = Connection.objects.get()
        assert (row.name, row.state, row.secret_hint) == ("ERP, Leeds", "healthy", "eeds")
        assert AuditEvent.objects.filter(action="connectors.set_secret").count() == 1
    assert "answered 200" in made
    assert "checked" in made.split(str(row.id))[1].split(">")[0]
    assert silent == ["GET https://erp.example.com/erp/stock/connection-test"]
    assert "s3cret" not in made
    assert console.post(path, {**CONNECTION}).status_code == 422  # the name is taken
    assert console.post(path, {"use-erp": str(row.id)})["Location"] == path_of(cast, "try")


def test_a_connection_is_tested_before_it_is_chosen(cast: Cast, console: Client, silent: list[str]) -> None:
    key = erp(cast, secret="a long secret")
    console.post(path_of(cast, "settings"), SETTINGS)
    page = console.post(path_of(cast, "connections"), {"use-erp": key, "test": key}).content.decode()
    assert "ERP orders answered 200." in page
    assert len(silent) == 1
    assert console.post(path_of(cast, "connections"), {"test": "nonsense"}).status_code == 404


def test_a_connection_of_another_client_is_not_there(cast: Cast, console: Client, silent: list[str]) -> None:
    with context.enter(cast.other_tenant):
        foreign = str(make.connection(name="Foreign books").id)
    erp(cast)
    console.post(path_of(cast, "settings"), SETTINGS)
    assert "Foreign books" not in console.get(path_of(cast, "connections")).content.decode()
    assert console.post(path_of(cast, "connections"), {"use-erp": foreign}).status_code == 422
    assert console.post(path_of(cast, "connections"), {"test": foreign}).status_code == 404
    assert silent == []


def test_going_back_keeps_what_was_typed_also_with_a_mistake(cast: Cast, console: Client) -> None:
    key = erp(cast)
    console.post(path_of(cast, "settings"), SETTINGS)
    back = console.post(path_of(cast, "connections"), {"use-erp": key, "to": "settings"})
    assert back["Location"] == path_of(cast, "settings")
    assert key in console.get(path_of(cast, "connections")).content.decode().split("checked")[0]
    jump = console.post(path_of(cast, "settings"), {**SETTINGS, "to": "try"})
    assert jump["Location"] == path_of(cast, "try")
    page = console.get(path_of(cast, "settings")).content.decode()
    assert page.count("checked") == 3  # stock, web, pos


def test_a_version_that_was_recalled_meanwhile_is_not_installed(cast: Cast, console: Client) -> None:
    walked(cast, console)
    TemplateVersion.objects.filter(slug="order-watch").update(recalled_at=NOW)
    page = console.post(
        path_of(cast, "review", "order-watch"), {"activate": "1"}, follow=True
    ).content.decode()
    assert "recalled" in page
    assert not Installation.objects.exists()


def test_a_connection_that_is_gone_meanwhile_leads_back_to_its_step(cast: Cast, console: Client) -> None:
    key = erp(cast)
    console.post(path_of(cast, "settings"), SETTINGS)
    console.post(path_of(cast, "connections"), {"use-erp": key})
    console.post(path_of(cast, "try"))
    with context.enter(cast.tenant):
        Connection.objects.all().delete()
    answer = console.post(path_of(cast, "review"), {"activate": "1"}, follow=True)
    assert answer.redirect_chain[0][0] == path_of(cast, "connections")
    assert "Choose again" in answer.content.decode()
    assert not Installation.objects.exists()


def test_whoever_may_not_install_may_not_begin(cast: Cast, client_for: Callable[..., Client]) -> None:
    for who in ("manager", "analyst", "reviewer"):
        browser = client_for(getattr(cast, who), cast.host)
        for step in ("settings", "try", "review"):
            path = f"/templates/library/order-watch/install/{step}/"
            assert browser.get(path).status_code == 403
            assert browser.post(path, {"activate": "1"}).status_code == 403
    assert not Installation.objects.exists()


def test_an_engineer_installs_from_the_console(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.partner_engineer, cast.partner_host)
    walked(cast, browser)
    browser.post(path_of(cast, "review", "order-watch"), {"activate": "1"})
    assert Installation.objects.get().installed_by == "Emil Engineer"


def test_a_step_that_is_none_is_no_address(cast: Cast, console: Client) -> None:
    assert console.get(path_of(cast, "nonsense")).status_code == 404
    assert console.get(path_of(cast, "connections", "order-watch")).status_code == 404


def test_a_number_that_may_be_empty_is_still_a_number() -> None:
    schema = {"type": "object", "properties": {"most": {"type": ["integer", "null"], "minimum": 1}}}
    form = SchemaForm(schema, {"most": "12"})
    assert form.is_valid()
    assert form.value == {"most": 12}
    empty = SchemaForm(schema, {"most": ""})
    assert empty.is_valid()
    assert empty.value == {}
    assert not SchemaForm(schema, {"most": "twelve"}).is_valid()


def test_inputs_stand_in_the_order_of_their_author(cast: Cast, console: Client) -> None:
    page = console.get(path_of(cast, "settings")).content.decode()
    places = [page.index(f'name="{name}"') for name in ("check_stock", "channels", "hold_above")]
    assert places == sorted(places)
