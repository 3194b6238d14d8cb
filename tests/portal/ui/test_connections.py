"""Connections: added by a form that the connector asks for, checked, changed, and removed when nothing needs them."""

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from automations.connectors.models import Connection
from automations.engine.models import Workflow
from tenants.audit.models import AuditEvent
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_figures import text_of
from tests.support import make
from tests.support.cast import Cast

SECRET = "a-key-of-the-ERP-4711"
GIVEN = {"new-name": "ERP, Leeds", "new-base_url": "https://erp.example.com", "new-secret": SECRET}


class System(http.server.BaseHTTPRequestHandler):
    """Answers every request with `status`."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def system() -> Iterator[str]:
    """A system of the client's: its address, which calls may reach."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), System)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    System.status = 200
    with override_settings(EGRESS_ALLOW=(f"127.0.0.1:{server.server_port}",)):
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def add(portal: Client, **changes: str) -> Any:
    """Send the form for a new ERP connection."""
    return portal.post("/connections/new/erp/", {**GIVEN, **changes})


def test_the_form_asks_for_what_the_connector_says(portal: Client, tenant: TenantRef, now: object) -> None:
    told = text_of(portal.get("/connections/new/"))
    assert "ERP orders" in told
    assert "Shopify" in told
    page = portal.get("/connections/new/erp/").content.decode()
    assert 'name="new-base_url"' in page
    assert 'type="password" name="new-secret"' in page
    assert portal.get("/connections/new/nonsense/").status_code == 404


def test_a_connection_is_added_and_its_secret_is_on_no_page(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    answer = add(portal)
    row = Connection.objects.get(name="ERP, Leeds")
    assert answer["Location"] == f"/connections/{row.public_id}/"
    pages = ["", "edit", "secret", "remove"]
    for address in ["/connections/", "/audit/", *(f"/connections/{row.public_id}/{tail}" for tail in pages)]:
        assert SECRET not in portal.get(address).content.decode(), address
    assert "••••4711" in portal.get(f"/connections/{row.public_id}/").content.decode()
    acts = AuditEvent.objects.filter(object_id=row.public_id).values_list("action", "actor_label")
    assert {name for name, _who in acts} == {"connectors.create_connection", "connectors.set_secret"}
    assert {who for _name, who in acts} == {str(cast.owner)}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"new-base_url": "ftp://erp.example.com"}, "base_url"),
        ({"new-base_url": "http://169.254.169.254/latest"}, "base_url"),
        ({"new-base_url": ""}, "base_url"),
        ({"new-name": ""}, "name"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(
    portal: Client, tenant: TenantRef, now: object, changes: dict[str, str], field: str
) -> None:
    answer = add(portal, **changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#id_new-{field}"' in page
    assert "ERP, Leeds" in page or field == "name"
    assert SECRET not in page
    assert not Connection.objects.exists()


def test_a_name_that_is_taken_is_told_and_leaves_no_half_connection(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    make.connection(name="ERP, Leeds")
    assert add(portal).status_code == 422
    assert Connection.objects.count() == 1


def test_a_check_says_what_came_back(portal: Client, tenant: TenantRef, system: str, now: object) -> None:
    row = make.connection(base_url=system, secret=SECRET)
    address = f"/connections/{row.public_id}/"
    for status, state in ((200, "Healthy"), (401, "Disconnected"), (503, "Degraded")):
        System.status = status
        assert portal.post(f"{address}check")["Location"] == address
        told = text_of(portal.get(address))
        assert state in told
        assert str(status) in told
    assert AuditEvent.objects.filter(action="connectors.test_connection").count() == 3
    assert portal.get(f"{address}check").status_code == 405


def test_another_host_forgets_the_secret_and_says_so(portal: Client, tenant: TenantRef, now: object) -> None:
    row = make.connection(secret=SECRET, name="ERP")
    address = f"/connections/{row.public_id}/"
    given = {"edit-name": "ERP", "edit-auth": row.auth, "edit-base_url": "https://other.example.com"}
    assert portal.post(f"{address}edit", given)["Location"] == address
    page = portal.get(address).content.decode()
    assert "its secret was forgotten" in page
    assert "Give it a secret" in page
    done = portal.post(f"{address}secret", {"secret": SECRET + "x"})
    assert done["Location"] == address
    row.refresh_from_db()
    assert row.secret_set_at is not None


def test_a_change_that_is_wrong_keeps_what_was_typed(portal: Client, tenant: TenantRef, now: object) -> None:
    row = make.connection(name="ERP")
    given = {"edit-name": "Renamed", "edit-auth": row.auth, "edit-base_url": "nonsense"}
    answer = portal.post(f"/connections/{row.public_id}/edit", given)
    assert answer.status_code == 422
    assert 'value="Renamed"' in answer.content.decode()
    row.refresh_from_db()
    assert row.name == "ERP"


@pytest.mark.parametrize("secret", ["", "two\nlines"])
def test_a_secret_that_cannot_be_sent_is_refused(
    portal: Client, tenant: TenantRef, now: object, secret: str
) -> None:
    row = make.connection(secret=SECRET)
    answer = portal.post(f"/connections/{row.public_id}/secret", {"secret": secret}, headers=PART)
    assert answer.status_code == 422
    assert "<html" not in answer.content.decode()
    row.refresh_from_db()
    assert row.secret_hint == "4711"


def test_what_is_in_use_is_not_removed_and_says_by_what(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    row = make.connection(name="ERP")
    address = f"/connections/{row.public_id}/"
    _run, workflow = world.failing_run("Booking flow", "10045")
    Workflow.objects.filter(pk=workflow.pk).update(connections={"erp": str(row.id)})
    question = portal.get(f"{address}remove", headers=PART).content.decode()
    assert "Booking flow" in question
    assert "<form" not in question
    refused = portal.post(f"{address}remove")
    assert refused.status_code == 409
    assert "Booking flow still works through ERP" in text_of(refused)
    assert f"/workflows/{workflow.public_id}/" in portal.get(address).content.decode()
    Workflow.objects.filter(pk=workflow.pk).update(connections={})
    assert portal.post(f"{address}remove")["Location"] == "/connections/"
    assert not Connection.objects.filter(pk=row.pk).exists()
    assert AuditEvent.objects.filter(action="connectors.delete_connection").count() == 1


def test_who_may_look_and_who_may_change(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    row = make.connection(name="ERP")
    address = f"/connections/{row.public_id}/"
    changes = ["/connections/new/", "/connections/new/erp/"]
    changes += [f"{address}{tail}" for tail in ("edit", "secret", "remove")]
    manager, auditor = client_for(cast.manager, cast.host), client_for(cast.auditor, cast.host)
    assert "ERP" in manager.get("/connections/").content.decode()
    page = manager.get(address).content.decode()
    assert "Check the connection" not in page
    for one in changes:
        assert manager.get(one).status_code == 403, one
    assert manager.post(f"{address}check").status_code == 403
    assert auditor.get("/connections/").status_code == 403
    assert client_for(cast.partner_engineer, cast.host).get(f"{address}edit").status_code == 200


def test_a_foreign_connection_is_nowhere(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    row = make.connection(name="ERP of Hollis")
    browser = client_for(cast.other_owner, cast.other_host)
    assert "ERP of Hollis" not in browser.get("/connections/").content.decode()
    for tail in ("", "edit", "secret", "remove"):
        assert browser.get(f"/connections/{row.public_id}/{tail}").status_code == 404
    for tail in ("check", "remove", "edit", "secret"):
        assert browser.post(f"/connections/{row.public_id}/{tail}", {"secret": "x"}).status_code == 404
    assert Connection.objects.filter(pk=row.pk).exists()


def test_the_list_is_narrowed_and_asks_as_often_however_long_it_is(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            portal.get("/connections/")
        return len(queries)

    assert "No system is connected yet" in text_of(portal.get("/connections/"))
    make.connection(name="ERP one")
    few = asked()
    for number in range(8):
        make.connection("http", name=f"Other {number}")
    assert asked() <= few + 2  # host and brand are remembered for a second only
    assert len(portal.get("/connections/?connector=erp").context["rows"]) == 1
    assert len(portal.get("/connections/?q=other").context["rows"]) == 8
    assert "No connection fits" in text_of(portal.get("/connections/?q=nonsense"))


def test_the_search_finds_connections_figures_and_what_can_be_added(
    cast: Cast, portal: Client, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    row = make.connection(name="Books of Leeds")
    assert f"/connections/{row.public_id}/" in portal.get("/search/?q=leeds", headers=PART).content.decode()
    assert "/connections/new/" in portal.get("/search/?q=connect", headers=PART).content.decode()
    assert "/figures/approval_lag/" in portal.get("/search/?q=approval", headers=PART).content.decode()
    staff = client_for(cast.staff, cast.host)
    for text in ("leeds", "approval", "connect"):
        page = staff.get(f"/search/?q={text}", headers=PART).content.decode()
        assert "/connections/" not in page
        assert "/figures/" not in page
