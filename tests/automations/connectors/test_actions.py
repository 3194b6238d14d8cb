"""Connections: made by those who may, their secret written and used but never read, and gone with the host."""

import http.server
import threading
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from automations.connectors import actions, queries, registry
from automations.connectors.enums import AuthKind, ConnectionState
from automations.connectors.errors import (
    InUse,
    NameTaken,
    SecretMissing,
    SettingsWrong,
    UnknownConnector,
)
from automations.connectors.models import Connection
from automations.connectors.registry import Use
from kernel import ids
from kernel.errors import Forbidden, Invalid, NotFound
from kernel.secrets import SecretUnreadable, opened, redact
from tenants.access import actions as access
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW, Cast

SECRET = "a-key-of-the-ERP-4711"
BASE = "https://erp.example.com"


class TestMaking:
    def test_a_connection_is_made_and_told(self, cast: Cast, tenant: TenantRef) -> None:
        actor = cast.actor(cast.owner)
        row = actions.create_connection(
            name=" ERP ", connector="erp", settings={"base_url": BASE}, actor=actor, now=NOW
        )
        stored = Connection.objects.get()
        assert stored == row
        assert (stored.name, stored.auth, stored.state, stored.secret) == ("ERP", "bearer", "new", None)
        trace = AuditEvent.objects.get(action="connectors.create_connection")
        assert (trace.actor_id, trace.object_id) == (cast.owner.id, row.public_id)
        assert trace.after == {
            "name": " ERP ",
            "connector": "erp",
            "auth": "bearer",
            "settings": {"base_url": BASE},
        }

    @pytest.mark.parametrize(
        ("settings", "field"),
        [
            ({}, "settings"),
            ({"base_url": "nonsense"}, "base_url"),
            ({"base_url": "http://127.0.0.1:8000"}, "base_url"),
            ({"base_url": "http://169.254.169.254/"}, "base_url"),
            ({"base_url": "https://u:p@erp.example.com"}, "base_url"),
            ({"base_url": BASE, "password": "x"}, "settings"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused_by_field(
        self, tenant: TenantRef, settings: Any, field: str
    ) -> None:
        with pytest.raises(SettingsWrong) as caught:
            actions.create_connection(name="x", connector="erp", settings=settings, actor=make.BY, now=NOW)
        assert list(caught.value.fields) == [field]
        assert Connection.objects.count() == 0

    def test_a_private_address_that_operators_opened_is_taken(self, tenant: TenantRef) -> None:
        with override_settings(EGRESS_ALLOW=frozenset({"127.0.0.1:8000"})):
            make.connection(base_url="http://127.0.0.1:8000")
        assert Connection.objects.count() == 1

    def test_what_is_unknown_or_taken_is_said(self, tenant: TenantRef) -> None:
        make.connection(name="ERP")
        with pytest.raises(NameTaken):
            make.connection(name="ERP")
        with pytest.raises(UnknownConnector):
            make.connection("no_such")
        with pytest.raises(SettingsWrong):
            make.connection(auth="basic")
        with pytest.raises(Invalid):
            make.connection(name=" ")
        assert Connection.objects.count() == 1


class TestSecret:
    def test_it_is_sealed_for_its_row_version_and_tenant(
        self, tenant: TenantRef, other_tenant: TenantRef
    ) -> None:
        row = make.connection(secret=SECRET)
        assert (row.secret_version, row.secret_hint, row.secret_set_at) == (1, "4711", NOW)
        sealed = bytes(row.secret or b"")
        assert SECRET.encode() not in sealed
        assert opened(sealed, row=row.id, version=1, purpose="connection").decode() == SECRET
        for key, version, purpose in (
            (row.id, 2, "connection"),
            (ids.uuid7(), 1, "connection"),
            (row.id, 1, "endpoint"),
        ):
            with pytest.raises(SecretUnreadable):
                opened(sealed, row=key, version=version, purpose=purpose)
        with context.enter(other_tenant), pytest.raises(SecretUnreadable):
            opened(sealed, row=row.id, version=1, purpose="connection")

    def test_a_sealed_secret_that_was_moved_to_another_row_does_not_open(self, tenant: TenantRef) -> None:
        row, thief = make.connection(secret=SECRET), make.connection(secret="another one")
        Connection.objects.filter(pk=thief.pk).update(secret=row.secret)
        with pytest.raises(SecretUnreadable):
            actions.open_connection(thief.id)

    def test_a_new_one_replaces_it_and_the_audit_holds_neither(self, tenant: TenantRef) -> None:
        row = make.connection(secret=SECRET)
        row = actions.set_secret(connection=row, secret="the next one, longer", actor=make.BY, now=NOW)
        assert (row.secret_version, row.secret_hint) == (2, "nger")
        assert actions.open_connection(row.id).headers() == {"Authorization": "Bearer the next one, longer"}
        told = AuditEvent.objects.filter(action="connectors.set_secret").order_by("id")
        assert [trace.after for trace in told] == [
            {"version": 1, "secret": "•••"},
            {"version": 2, "secret": "•••"},
        ]
        text = str(list(AuditEvent.objects.values()))
        assert SECRET not in text
        assert "the next one" not in text

    def test_a_short_one_gives_no_hint(self, tenant: TenantRef) -> None:
        assert make.connection(secret="short").secret_hint == ""

    @pytest.mark.parametrize("secret", ["", "two\nlines", "nul\0", "x" * 8_001])
    def test_what_no_header_can_carry_is_refused(self, tenant: TenantRef, secret: str) -> None:
        row = make.connection()
        with pytest.raises(Invalid):
            actions.set_secret(connection=row, secret=secret, actor=make.BY, now=NOW)
        row.refresh_from_db()
        assert (row.secret, row.secret_version) == (None, 0)

    @pytest.mark.parametrize(
        "url", ["https://evil.example.com", "http://erp.example.com", "https://erp.example.com:80"]
    )
    def test_another_host_forgets_it(self, tenant: TenantRef, url: str) -> None:
        row = make.connection(base_url=f"{BASE}/v1", secret=SECRET)
        changed = actions.update_connection(
            connection=row, settings={"base_url": url}, actor=make.BY, now=NOW
        )
        assert (changed.secret, changed.secret_hint, changed.secret_set_at) == (None, "", None)
        assert changed.secret_version == 1
        with pytest.raises(SecretMissing):
            actions.open_connection(row.id).headers()

    def test_another_path_or_name_keeps_it(self, tenant: TenantRef) -> None:
        row = make.connection(base_url=f"{BASE}/v1", secret=SECRET)
        changed = actions.update_connection(
            connection=row, name="Renamed", settings={"base_url": f"{BASE}/v2"}, actor=make.BY, now=NOW
        )
        assert (changed.name, changed.secret_hint) == ("Renamed", "4711")
        trace = AuditEvent.objects.get(action="connectors.update_connection")
        assert trace.after == {"name": "Renamed", "settings": {"base_url": f"{BASE}/v2"}}

    def test_another_way_to_sign_in_forgets_it(self, tenant: TenantRef) -> None:
        row = make.connection("http", auth=AuthKind.BEARER, secret=SECRET)
        changed = actions.update_connection(connection=row, auth=AuthKind.API_KEY, actor=make.BY, now=NOW)
        assert (changed.auth, changed.secret) == ("api_key", None)


class TestOpening:
    def test_an_open_connection_signs_in_and_does_not_print_its_secret(self, tenant: TenantRef) -> None:
        row = make.connection(base_url=f"{BASE}:443/api/", secret=SECRET)
        opened = actions.open_connection(row.id)
        assert (opened.name, opened.connector.name, opened.base_url) == (row.name, "erp", f"{BASE}:443/api")
        assert opened.allowed_host in ("erp.example.com", "erp.example.com:443")
        assert opened.url("/erp/orders") == f"{BASE}:443/api/erp/orders"
        assert SECRET not in repr(opened)
        assert opened.headers() == {"Authorization": f"Bearer {SECRET}"}
        assert redact(f"failed with {SECRET}") == "failed with •••"

    def test_it_asks_no_database_once_it_is_open(
        self, tenant: TenantRef, django_assert_num_queries: Any
    ) -> None:
        opened = actions.open_connection(make.connection(secret=SECRET).id)
        with context.leave(), django_assert_num_queries(0):
            assert opened.headers()["Authorization"].endswith(SECRET)

    def test_its_last_use_is_kept_to_the_minute(self, tenant: TenantRef) -> None:
        row = make.connection()
        for seconds, kept in ((0, 0), (59, 0), (61, 61)):
            actions.open_connection(row.id, now=NOW + timedelta(seconds=seconds))
            row.refresh_from_db()
            assert row.last_used_at == NOW + timedelta(seconds=kept)

    def test_a_connection_of_another_tenant_is_not_found(
        self, tenant: TenantRef, other_tenant: TenantRef
    ) -> None:
        row = make.connection(secret=SECRET)
        with context.enter(other_tenant), pytest.raises(NotFound):
            actions.open_connection(row.id)


@pytest.fixture
def server() -> Iterator[Callable[[int], str]]:
    """`server(status)`: the address of a system that answers everything so, and notes what it was asked."""
    running: list[http.server.ThreadingHTTPServer] = []

    def start(status: int) -> str:
        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Authorization", "")))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        running.append(found)
        threading.Thread(target=found.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{found.server_port}"

    asked: list[tuple[str, str]] = []
    start.asked = asked  # type: ignore[attr-defined]
    yield start
    for found in running:
        found.shutdown()
        found.server_close()


class TestTesting:
    def probed(self, url: str, *, secret: str = SECRET) -> tuple[actions.Tested, Connection]:
        with override_settings(EGRESS_ALLOW=frozenset({url.removeprefix("http://")})):
            row = make.connection(base_url=url, secret=secret)
            found = actions.test_connection(connection=row, actor=make.BY, now=NOW)
        row.refresh_from_db()
        return found, row

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            (200, "healthy"),
            (404, "healthy"),
            (401, "disconnected"),
            (403, "disconnected"),
            (500, "degraded"),
            (503, "degraded"),
        ],
    )
    def test_the_answer_becomes_a_state(
        self, tenant: TenantRef, server: Any, status: int, state: str
    ) -> None:
        found, row = self.probed(server(status))
        assert (found.state, found.status) == (state, status)
        assert (row.state, row.state_detail, row.last_checked_at) == (state, found.detail, NOW)
        assert server.asked == [("/erp/stock/connection-test", f"Bearer {SECRET}")]
        trace = AuditEvent.objects.get(action="connectors.test_connection")
        assert trace.after == {**({"state": state} if state != "new" else {}), "detail": found.detail}

    def test_no_answer_is_disconnected(self, tenant: TenantRef, server: Any) -> None:
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
            found, _ = self.probed(url)
        assert found.state == ConnectionState.DISCONNECTED
        assert "no connection" in found.detail

    def test_no_secret_is_no_call(self, tenant: TenantRef, server: Any) -> None:
        found, _ = self.probed(server(200), secret="")
        assert (found.state, server.asked) == (ConnectionState.DISCONNECTED, [])

    def test_an_address_that_was_closed_meanwhile_is_not_called(self, tenant: TenantRef, server: Any) -> None:
        url = server(200)
        with override_settings(EGRESS_ALLOW=frozenset({url.removeprefix("http://")})):
            row = make.connection(base_url=url, secret=SECRET)
        found = actions.test_connection(connection=row, actor=make.BY, now=NOW)
        assert (found.state, server.asked) == (ConnectionState.DISCONNECTED, [])


class TestRemoving:
    def test_a_connection_is_removed_with_its_secret_and_told(self, tenant: TenantRef) -> None:
        row = make.connection(name="ERP", secret=SECRET)
        actions.delete_connection(connection=row, actor=make.BY, now=NOW)
        assert Connection.objects.count() == 0
        trace = AuditEvent.objects.get(action="connectors.delete_connection")
        assert (trace.object_label, trace.before["secret"]) == ("ERP", "version 1")

    def test_not_while_something_works_through_it(
        self, tenant: TenantRef, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def find(connections: Collection[UUID]) -> list[tuple[UUID, Use]]:
            return [(key, Use("workflow", "wfl_1", "Orders")) for key in connections]

        monkeypatch.setattr(registry, "_users", [find])
        row = make.connection(name="ERP")
        with pytest.raises(InUse, match="Orders still works through ERP"):
            actions.delete_connection(connection=row, actor=make.BY, now=NOW)
        assert Connection.objects.count() == 1
        assert queries.connection(row.public_id).uses == (Use("workflow", "wfl_1", "Orders"),)


@pytest.mark.parametrize(
    "who", ["reviewer", "manager", "analyst", "staff", "auditor", "stranger", "other_owner"]
)
def test_who_may_not_leaves_no_trace(cast: Cast, tenant: TenantRef, who: str) -> None:
    row = make.connection(secret=SECRET)
    actor = cast.actor(getattr(cast, who))
    before = (Connection.objects.values().get(), AuditEvent.objects.count())
    tries: list[Callable[[], Any]] = [
        lambda: actions.create_connection(name="x", connector="erp", settings={}, actor=actor, now=NOW),
        lambda: actions.update_connection(connection=row, name="x", actor=actor, now=NOW),
        lambda: actions.set_secret(connection=row, secret="x", actor=actor, now=NOW),
        lambda: actions.test_connection(connection=row, actor=actor, now=NOW),
        lambda: actions.delete_connection(connection=row, actor=actor, now=NOW),
    ]
    for attempt in tries:
        with pytest.raises(Forbidden):
            attempt()
    assert (Connection.objects.values().get(), AuditEvent.objects.count()) == before


def test_a_grant_on_one_connection_opens_that_one_alone(cast: Cast, tenant: TenantRef) -> None:
    granted, other = make.connection(), make.connection()
    access.grant(user=cast.manager, permission="connectors.edit", obj=granted, actor=make.BY, now=NOW)
    actor = cast.actor(cast.manager)
    assert actions.update_connection(connection=granted, name="Mine", actor=actor, now=NOW).name == "Mine"
    with pytest.raises(Forbidden):
        actions.update_connection(connection=other, name="Not mine", actor=actor, now=NOW)


class TestReading:
    def test_lists_hold_no_secret(self, tenant: TenantRef) -> None:
        make.connection(name="ERP", secret=SECRET)
        make.connection("shopify", name="Shop")
        erp, shop = queries.connections()
        assert (erp.name, erp.title, erp.has_secret, erp.secret_hint) == ("ERP", "ERP orders", True, "4711")
        assert (shop.name, shop.icon, shop.has_secret, shop.settings) == (
            "Shop",
            "shopping-bag",
            False,
            {"base_url": BASE},
        )
        assert SECRET not in repr(erp)
        assert [view.name for view in queries.connections(connector="shopify")] == ["Shop"]
        assert [view.name for view in queries.connections(text="er")] == ["ERP"]
        assert queries.choices("erp") == [(erp.public_id, "ERP")]
        assert queries.unhealthy() == []

    @pytest.mark.parametrize(
        "public_id", ["con_01h455vb4pex5vsknk084sn02q", "evt_01h455vb4pex5vsknk084sn02q", "x"]
    )
    def test_what_is_not_there_is_not_found(self, tenant: TenantRef, public_id: str) -> None:
        with pytest.raises(NotFound):
            queries.connection(public_id)
