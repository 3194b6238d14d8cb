"""Connections by the API: the secret goes in and never comes out."""

from typing import Any

import pytest

from automations.connectors import actions
from automations.connectors.models import Connection
from kernel import http
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast

NEW = {"name": "Books", "connector": "erp", "settings": {"base_url": "https://erp.example.com"}}
SECRET = "the-secret-that-nobody-reads-again"


@pytest.fixture
def made(api: Machine) -> Any:
    answer = api.post("connections", NEW)
    assert answer.status_code == 201
    return answer.json()


def test_the_catalogue_says_what_can_be_connected(api: Machine) -> None:
    names = {one["name"]: one for one in api.get("connectors").json()["items"]}
    assert {"erp", "shopify", "http"} <= set(names)
    assert names["shopify"]["webhooks"] is True
    assert "base_url" in str(names["erp"]["settings_schema"])


def test_a_secret_is_written_and_never_read(cast: Cast, api: Machine, made: Any) -> None:
    path = f"connections/{made['id']}"
    set_ = api("put", f"{path}/secret", {"secret": SECRET})
    assert (set_.json()["has_secret"], set_.json()["secret_hint"]) == (True, "gain")
    for answer in (set_, api.get(path), api.get("connections"), api.get("audit")):
        assert SECRET not in answer.content.decode()
    with context.enter(cast.tenant):
        assert SECRET.encode() not in bytes(Connection.objects.get().secret or b"")
        assert SECRET not in str(list(AuditEvent.objects.values()))
    assert set(api("put", f"{path}/secret", {"secret": "two\nlines"}).json()["fields"]) == {"secret"}


def test_another_host_forgets_the_secret(api: Machine, made: Any) -> None:
    path = f"connections/{made['id']}"
    api("put", f"{path}/secret", {"secret": SECRET})
    assert api("patch", path, {"name": "Book keeping"}).json()["has_secret"] is True
    moved = api("patch", path, {"settings": {"base_url": "https://else.example.com"}}).json()
    assert (moved["has_secret"], moved["name"]) == (False, "Book keeping")


def test_settings_that_do_not_fit_are_named(api: Machine, made: Any) -> None:
    answer = api.post("connections", {**NEW, "name": "B", "settings": {"base_url": "http://10.0.0.1"}})
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"base_url"})
    assert (
        api.post("connections", {**NEW, "name": "C", "connector": "fax"}).json()["code"]
        == "unknown_connector"
    )
    assert api.post("connections", NEW).json()["code"] == "connection_name_taken"


def test_a_test_keeps_what_the_system_said(api: Machine, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"connections/{made['id']}"
    found = api.post(f"{path}/test").json()
    assert found["state"] == "disconnected"
    api("put", f"{path}/secret", {"secret": SECRET})
    monkeypatch.setattr(actions.http, "fetch", lambda *_, **__: http.Answer(200, {}, b""))
    assert api.post(f"{path}/test").json()["state"] == "healthy"
    assert api.get(path).json()["state"] == "healthy"


def test_a_connection_is_removed_unless_something_works_through_it(api: Machine, made: Any) -> None:
    assert api("delete", f"connections/{made['id']}").status_code == 204
    assert api.get(f"connections/{made['id']}").status_code == 404
