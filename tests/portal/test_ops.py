"""The boiler room: alive, ready, gauges; and what each says when something is not as it should be."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from automations.ledger.models import IntakeRow, QueueRow, Worker
from kernel import bell, clock, ids
from portal import ops
from tenants.tenancy.models import Tenant
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support.cast import Cast


@pytest.fixture
def watcher(cast: Cast) -> Client:
    """Whoever watches over the process, and asks it by its address."""
    return Client(HTTP_HOST="127.0.0.1:8000", REMOTE_ADDR="127.0.0.1")


def ready(watcher: Client) -> tuple[int, dict[str, Any]]:
    answer = watcher.get("/ready")
    return answer.status_code, answer.json()["checks"]


def late(cast: Cast, **ago: float) -> None:
    QueueRow.objects.create(
        run_id=ids.uuid7(),
        tenant_id=cast.tenant.id,
        definition_id=ids.uuid7(),
        ready_at=clock.now() - timedelta(**ago),
    )


def test_it_is_alive_whatever_the_database_does(watcher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops.ledger, "load", away)
    answer = watcher.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def away(*_: object) -> None:
    raise OperationalError("connection to server failed\nDETAIL: a secret address")


def test_it_is_ready(watcher: Client, cast: Cast) -> None:
    Worker.objects.create(id=ids.uuid7(), host="h", pid=1, started_at=clock.now(), heartbeat_at=clock.now())
    late(cast, seconds=30)
    status, checks = ready(watcher)
    assert status == 200
    assert {name: check["ok"] for name, check in checks.items()} == dict.fromkeys(checks, True)
    assert (checks["workers"]["alive"], checks["queue"]["due"]) == (1, 1)
    assert 29 < checks["queue"]["lag_seconds"] < 60


def test_a_database_that_is_away_is_said_in_one_line(
    watcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.ledger, "load", away)
    status, checks = ready(watcher)
    assert (status, checks) == (503, {"database": {"ok": False, "detail": "connection to server failed"}})


def test_work_that_waits_too_long_is_not_ready(watcher: Client, cast: Cast) -> None:
    late(cast, seconds=90)
    status, checks = ready(watcher)
    assert (status, checks["queue"]["ok"]) == (503, False)
    assert [name for name, check in checks.items() if not check["ok"]] == ["queue"]


def test_a_tenant_behind_on_migrations_is_not_ready(watcher: Client, cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.tenant.id).update(revision="old")
    status, checks = ready(watcher)
    assert (status, checks["migrations"]) == (503, {"ok": False, "tenants_behind": 1})


def test_a_broker_that_is_away_is_said_and_no_reason_to_stop(
    watcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "reachable", lambda: False)
    status, checks = ready(watcher)
    assert (status, checks["broker"]) == (200, {"ok": True, "reachable": False})


def test_the_gauges_say_what_there_is(watcher: Client, cast: Cast) -> None:
    late(cast, seconds=5)
    IntakeRow.objects.create(tenant_id=cast.tenant.id, event_id=ids.uuid7())
    answer = watcher.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    lines = answer.content.decode().splitlines()
    for line in (
        "portal_runs_due 1.0",
        "portal_events_waiting 1.0",
        "portal_tenants_behind 0.0",
        'portal_tenants{partner="meridian",state="trial"} 1.0',
    ):
        assert line in lines, line
    assert any(line.startswith("portal_http_") or "_bucket" in line for line in lines)


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.3"])
def test_the_gauges_are_not_for_everybody(cast: Cast, peer: str) -> None:
    assert Client(HTTP_HOST=cast.platform_host, REMOTE_ADDR=peer).get("/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_they_answer_alike_on_every_name(cast: Cast, path: str) -> None:
    for host in (cast.platform_host, cast.partner_host, cast.host, "nobody.localhost", "[::1]:80"):
        answer = Client(HTTP_HOST=host, REMOTE_ADDR="127.0.0.1").get(path)
        assert answer.status_code == 200, host
        assert cast.tenant.name not in answer.content.decode()
