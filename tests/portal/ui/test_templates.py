"""The template library, what is installed, and changing it: who may, what is refused and said, what is written down."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from kernel.actor import system
from templates_lib import queries
from templates_lib.actions import installing
from templates_lib.models import Installation, TemplateVersion
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.portal.ui.conftest import PART
from tests.support import make
from tests.support.cast import NOW, Cast

BY = system("test")


def newest(slug: str) -> TemplateVersion:
    found = queries.versions_of(slug).first()
    assert found is not None
    return found


def put(tenant: Any, slug: str = "order-watch", **more: Any) -> Installation:
    version = newest(slug)
    config = {**queries.defaults(version.input_schema), **more.pop("config", {})}
    return installing.install(
        version=version, tenant=tenant, config=config, connections=more.pop("connections", {}), actor=BY, now=NOW, **more
    )  # fmt: skip


def later(of: str, version: str = "9.0.0", **changes: Any) -> TemplateVersion:
    """A newer version of a template, published by hand; its workflow carries the version, too."""
    old = newest(of)
    document = {**old.document, "document": {**old.document["document"], "version": version}}
    names = (
        "slug",
        "title",
        "summary",
        "manifest",
        "input_schema",
        "tests",
        "changelog",
        "runbook",
        "digest",
    )
    values = {name: getattr(old, name) for name in names} | {"document": document} | changes
    return TemplateVersion.objects.create(version=version, published_at=NOW, **values)


def public(cast: Cast) -> str:
    return str(Tenant.objects.get(pk=cast.tenant.id).public_id)


def test_the_library_says_what_each_template_takes_and_gives(cast: Cast, console: Client) -> None:
    page = console.get("/templates/").content.decode()
    for words in (
        "Order to ERP",
        "Order watch",
        "ERP orders",
        "order.booked",
        "No connection",
        "at 0 clients",
    ):
        assert words in page, words
    assert "Order watch" not in console.get("/templates/?q=books+every").content.decode().split("<main")[1]
    assert "No template fits" in console.get("/templates/?q=zzz").content.decode()
    part = console.get("/templates/?system=Warehouse", headers=PART).content.decode()
    assert "<html" not in part
    assert "Order watch" in part
    assert "Order to ERP" not in part


def test_the_library_of_a_client_says_what_is_installed_here(cast: Cast, portal: Client) -> None:
    one = put(cast.tenant)
    page = portal.get("/templates/library/").content.decode()
    assert f"/templates/{one.public_id}/" in page
    assert "/templates/library/order-to-erp/install/" in page
    assert "at 0 clients" not in page


@pytest.mark.parametrize("tab", ["", "settings", "tests", "runbook", "versions", "nonsense"])
@pytest.mark.parametrize("slug", ["order-to-erp", "order-watch"])
def test_each_part_of_a_template_is_a_page_on_both_hosts(
    cast: Cast, console: Client, portal: Client, slug: str, tab: str
) -> None:
    for client, path in ((console, "/templates/"), (portal, "/templates/library/")):
        answer = client.get(f"{path}{slug}/?tab={tab}&step=/do/1/ours")
        assert answer.status_code == 200
        assert newest(slug).title in answer.content.decode()


def test_a_template_shows_its_graph_its_needs_and_its_tests_as_they_went_just_now(
    cast: Cast, console: Client
) -> None:
    page = console.get("/templates/order-to-erp/").content.decode()
    assert 'class="dag' in page
    assert "Book the order in the ERP" in page.replace("…", "") or "Book the order i" in page
    assert "The ERP that books orders" in page
    tests = console.get("/templates/order-to-erp/?tab=tests").content.decode()
    assert tests.count("Passed") == len(newest("order-to-erp").tests)
    assert "POST /erp/orders" in tests
    assert "Held" not in tests


def test_a_test_that_fails_today_says_so(cast: Cast, console: Client) -> None:
    old = newest("order-watch")
    broken = {**old.tests[0], "expect": {**old.tests[0]["expect"], "status": "faulted"}}
    later("order-watch", tests=[broken])
    page = console.get("/templates/order-watch/?tab=tests").content.decode()
    assert "not faulted" in page
    assert "Passed" not in page


def test_an_older_or_recalled_version_is_shown_and_said_to_be_one(cast: Cast, console: Client) -> None:
    later("order-watch")
    page = console.get("/templates/order-watch/?version=1.0.0").content.decode()
    assert "There is a newer version: 9.0.0" in page
    TemplateVersion.objects.filter(version="9.0.0").update(recalled_at=NOW)
    assert (
        "This version was recalled" in console.get("/templates/order-watch/?version=9.0.0").content.decode()
    )
    assert console.get("/templates/order-watch/").context["version"].version == "1.0.0"
    assert console.get("/templates/order-watch/?version=3.3.3").status_code == 404
    assert console.get("/templates/nothing/").status_code == 404


def test_the_template_of_another_partner_is_none_here(cast: Cast, console: Client, portal: Client) -> None:
    later("order-watch", slug="secret-sauce", title="Secret sauce", partner_id=cast.other_partner.id)
    assert "Secret sauce" not in console.get("/templates/").content.decode()
    for client, path in ((console, "/templates/secret-sauce/"), (portal, "/templates/library/secret-sauce/")):
        assert client.get(path).status_code == 404
        assert client.get(f"{path}install/").status_code == 404


@pytest.mark.parametrize(
    ("who", "read", "install"),
    [
        ("owner", 200, 302),
        ("manager", 200, 403),
        ("analyst", 200, 403),
        ("reviewer", 403, 403),
        ("staff", 403, 403),
    ],
)
def test_who_may_look_and_who_may_install(
    cast: Cast, client_for: Callable[..., Client], who: str, read: int, install: int
) -> None:
    browser = client_for(getattr(cast, who), cast.host)
    one = put(cast.tenant)
    for path in (
        "/templates/",
        "/templates/library/",
        "/templates/library/order-watch/",
        f"/templates/{one.public_id}/",
    ):
        assert browser.get(path).status_code == read, path
    assert browser.get("/templates/library/order-to-erp/install/").status_code == install
    for path in ("uninstall", "upgrade/"):
        assert (browser.get(f"/templates/{one.public_id}/{path}").status_code == 403) == (install == 403)


# what is installed


def test_one_installation_says_what_works_where_and_how(cast: Cast, portal: Client, console: Client) -> None:
    with context.enter(cast.tenant):
        erp = make.connection(name="Books of Leeds")
    one = put(cast.tenant, "order-to-erp", connections={"erp": str(erp.id)}, config={"channels": ["web"]})
    for browser, path in (
        (portal, f"/templates/{one.public_id}/"),
        (console, f"/templates/installed/{public(cast)}/{one.public_id}/"),
    ):
        page = browser.get(path).content.decode()
        for words in ("Books of Leeds", "Web shop", "Version 1.0.0", "Installed a template", "Active"):
            assert words in page, (path, words)
    for browser, path in ((portal, "/templates/"), (console, "/templates/installed/")):
        assert "Order to ERP" in browser.get(path).content.decode()
    assert "Hollis Home" in console.get("/templates/installed/").content.decode()


def test_what_is_foreign_is_not_found(cast: Cast, portal: Client, console: Client) -> None:
    foreign = put(cast.other_tenant)
    strange = Tenant.objects.get(pk=cast.other_tenant.id).public_id
    paths = [
        f"/templates/{foreign.public_id}/{tail}"
        for tail in ("", "settings/", "upgrade/", "uninstall", "state/paused")
    ]
    for path in paths:
        assert portal.get(path).status_code == 404, path
        assert portal.post(path, {"reason": "x", "typed": "Order watch"}).status_code == 404, path
    for owner in (strange, public(cast)):
        path = f"/templates/installed/{owner}/{foreign.public_id}/"
        assert console.get(path).status_code == 404
        assert console.post(f"{path}uninstall", {"reason": "x", "typed": "Order watch"}).status_code == 404
    assert console.get(f"/templates/order-watch/install/{strange}/settings/").status_code == 404
    assert Installation.objects.filter(pk=foreign.pk).exists()
    assert portal.get("/templates/ins_nonsense/").status_code == 404


def test_an_installation_is_paused_with_a_reason_and_activated_again(cast: Cast, portal: Client) -> None:
    one = put(cast.tenant)
    path = f"/templates/{one.public_id}/state/"
    assert portal.post(f"{path}paused", {}).status_code == 422
    assert portal.post(f"{path}draft", {"reason": "x"}).status_code == 404
    assert (
        portal.post(f"{path}paused", {"reason": "Stocktaking"})["Location"] == f"/templates/{one.public_id}/"
    )
    with context.enter(cast.tenant):
        assert Workflow.objects.get(pk=one.workflow_id).state == WorkflowState.PAUSED
        event = AuditEvent.objects.get(action="engine.set_state")
        assert (event.reason, event.actor_label) == ("Stocktaking", "Orla Owner")
    portal.post(f"{path}active", {"reason": "Done"})
    with context.enter(cast.tenant):
        assert Workflow.objects.get(pk=one.workflow_id).state == WorkflowState.ACTIVE


def test_settings_are_changed_under_the_schema_and_lose_nothing_when_refused(
    cast: Cast, portal: Client
) -> None:
    one = put(cast.tenant)
    path = f"/templates/{one.public_id}/settings/"
    assert 'value="24"' in portal.get(path).content.decode()
    given = {
        "approval_hours": "9999",
        "handover_grace_hours": "7",
        "delivery_grace_hours": "0",
        "severity": "high",
    }
    refused = portal.post(path, given)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert 'value="9999"' in page
    assert 'value="7"' in page
    assert "less than or equal to 720" in page
    assert portal.post(path, {**given, "approval_hours": "48"}).status_code == 302
    one.refresh_from_db()
    assert (one.config["approval_hours"], one.config["handover_grace_hours"]) == (48, 7)
    with context.enter(cast.tenant):
        assert AuditEvent.objects.get(action="engine.set_config").after["config"]["approval_hours"] == 48


def test_a_connection_of_another_kind_or_client_is_refused_in_the_settings(
    cast: Cast, portal: Client
) -> None:
    with context.enter(cast.tenant):
        erp, shop = make.connection(), make.connection("shopify", settings={})
    with context.enter(cast.other_tenant):
        foreign = make.connection()
    one = put(cast.tenant, "order-to-erp", connections={"erp": str(erp.id)})
    path = f"/templates/{one.public_id}/settings/"
    for wrong in (str(shop.id), str(foreign.id), "", "nonsense"):
        given = {"check_stock": "on", "channels": ["web"], "connections-erp": wrong}
        assert portal.post(path, given).status_code == 422, wrong
    one.refresh_from_db()
    assert one.connections == {"erp": str(erp.id)}


def test_a_newer_version_is_offered_compared_and_taken(cast: Cast, portal: Client, console: Client) -> None:
    one = put(cast.tenant, config={"approval_hours": 30})
    path = f"/templates/{one.public_id}/"
    assert portal.get(f"{path}upgrade/")["Location"] == path
    schema = newest("order-watch").input_schema
    more = {"watch_weekends": {"type": "boolean", "title": "Watch at weekends", "default": True}}
    new = later(
        "order-watch",
        input_schema={**schema, "properties": {**schema["properties"], **more}},
        changelog="## 9.0.0\n- Weekends.",
    )
    assert "Version 9.0.0 is ready" in portal.get(path).content.decode()
    assert "9.0.0 is ready" in console.get("/templates/installed/?show=behind").content.decode()
    page = portal.get(f"{path}upgrade/").content.decode()
    for words in ("Watch at weekends", "Weekends.", 'value="30"', "Change over to 9.0.0"):
        assert words in page, words
    given = {
        "approval_hours": "30",
        "handover_grace_hours": "0",
        "delivery_grace_hours": "0",
        "severity": "high",
    }
    assert portal.post(f"{path}upgrade/", {**given, "approval_hours": ""}).status_code == 422
    assert portal.post(f"{path}upgrade/", {**given, "watch_weekends": "on"})["Location"] == path
    one.refresh_from_db()
    assert (one.version_id, one.config["watch_weekends"], one.upgraded_at is not None) == (new.id, True, True)
    with context.enter(cast.tenant):
        workflow = Workflow.objects.get(pk=one.workflow_id)
        assert (workflow.template, workflow.definition.version, workflow.state) == (
            "order-watch@9.0.0", "9.0.0", "active"
        )  # fmt: skip
        event = AuditEvent.objects.get(action="templates.upgrade")
        assert (event.before["version"], event.after["version"]) == ("1.0.0", "9.0.0")


def test_uninstalling_asks_for_reason_and_name(cast: Cast, console: Client) -> None:
    one = put(cast.tenant)
    path = f"/templates/installed/{public(cast)}/{one.public_id}/uninstall"
    assert console.post(path, {"reason": "Not wanted"}).status_code == 422
    assert console.post(path, {"reason": "Not wanted", "typed": "Order"}).status_code == 422
    assert Installation.objects.filter(pk=one.pk).exists()
    part = console.get(path, headers=PART).content.decode()
    assert "<html" not in part
    assert console.post(path, {"reason": "Not wanted", "typed": "Order watch"}).status_code == 302
    assert not Installation.objects.filter(pk=one.pk).exists()
    assert console.post(path, {"reason": "Again", "typed": "Order watch"}).status_code == 404
    with context.enter(cast.tenant):
        assert Workflow.objects.get(pk=one.workflow_id).state == WorkflowState.OFF
        event = AuditEvent.objects.get(action="templates.uninstall")
        assert (event.reason, event.actor_label) == ("Not wanted", "Paula Partner")


def test_an_engineer_of_the_partner_works_from_the_console_as_in_the_client(
    cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.partner_engineer, cast.partner_host)
    one = put(cast.tenant)
    path = f"/templates/installed/{public(cast)}/{one.public_id}/"
    assert browser.get(path).status_code == 200
    assert browser.post(f"{path}state/paused", {"reason": "Maintenance"}).status_code == 302
    with context.enter(cast.tenant):
        assert Workflow.objects.get(pk=one.workflow_id).state == WorkflowState.PAUSED


def test_nothing_is_changed_in_a_suspended_client_from_the_console_either(
    cast: Cast, console: Client
) -> None:
    one = put(cast.tenant)
    Tenant.objects.filter(pk=cast.tenant.id).update(state="suspended")
    path = f"/templates/installed/{public(cast)}/{one.public_id}/"
    assert console.get(path).status_code == 200
    assert console.post(f"{path}state/paused", {"reason": "x"}).status_code == 403
    assert console.post(f"{path}uninstall", {"reason": "x", "typed": "Order watch"}).status_code == 403
    assert Installation.objects.filter(pk=one.pk).exists()
    Tenant.objects.filter(pk=cast.tenant.id).update(state="archived")
    assert console.get(path).status_code == 404
