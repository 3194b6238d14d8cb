"""What stands still, on pages: a pause says who and why wherever it is felt, and is lifted where it was made."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.models import Run, Workflow
from automations.ledger.enums import Level
from automations.ledger.models import Pause, Slot
from kernel import ids
from kernel.actor import system
from tenants.audit.models import AuditEvent
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_inbox import words
from tests.support.cast import NOW, Cast

BY = system("test")
WHY = {"reason": "Stocktaking"}


@pytest.fixture
def manager(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The operations manager in Hollis."""
    return client_for(cast.manager, cast.host)


@pytest.fixture
def reviewer(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """A reviewer in Hollis, who operates runs and pauses no client."""
    return client_for(cast.reviewer, cast.host)


@pytest.fixture
def erp(tenant: TenantRef, now: Any) -> Connection:
    """A connection of Hollis."""
    return connectors.create_connection(
        name="ERP", connector="erp", settings={"base_url": "https://erp.example.com"}, actor=BY, now=NOW
    )


def test_all_work_of_a_client_is_paused_with_a_reason_and_goes_on(
    manager: Client, portal: Client, bench: Bench, cast: Cast, now: Any
) -> None:
    asked = manager.get("/settings/pause/paused", headers=PART)
    assert "Within a second nothing is called any more" in words(asked)
    assert manager.post("/settings/pause/paused", {"reason": ""}).status_code == 422
    assert Pause.objects.count() == 0
    done = manager.post("/settings/pause/paused", WHY)
    assert (done.status_code, done["Location"]) == (302, "/workflows/")
    slot = Slot.objects.get(tenant_id=cast.tenant.id)
    assert (slot.open, slot.paused) == (False, True)
    row = AuditEvent.objects.get(action="ledger.pause_tenant")
    assert (row.actor_label, row.after, row.reason) == ("Malik Manager", {"paused": True}, "Stocktaking")
    for page in ("/workflows/", "/runs/", "/inbox/"):
        said = words(manager.get(page))
        assert "All work stands still; events are kept." in said, page
        assert "by Malik Manager. Stocktaking" in said, page
    settings = words(portal.get("/settings/"))
    assert "This client is paused" in settings
    assert "Let it go on" in settings
    manager.post("/settings/pause/active", {"reason": ""})
    assert Slot.objects.get(tenant_id=cast.tenant.id).open
    assert "All work stands still" not in words(manager.get("/workflows/"))


def test_who_operates_runs_does_not_pause_clients_or_connections(
    reviewer: Client, bench: Bench, erp: Connection
) -> None:
    run = bench.fail()
    assert reviewer.post("/settings/pause/paused", WHY).status_code == 403
    assert reviewer.post(f"/connections/{erp.public_id}/pause/paused", WHY).status_code == 403
    assert reviewer.post(f"/runs/{run.public_id}/pause/paused", WHY).status_code == 302
    assert list(Pause.objects.values_list("level", flat=True)) == [Level.RUN]


def test_a_run_is_paused_and_its_page_says_so(manager: Client, bench: Bench, now: Any) -> None:
    run = bench.fail()
    path = f"/runs/{run.public_id}/"
    manager.post(f"{path}pause/paused", WHY)
    page = words(manager.get(path))
    assert "This run is paused" in page
    assert "by Malik Manager. Stocktaking" in page
    manager.post(f"{path}pause/active", {"reason": ""})
    assert "This run is paused" not in words(manager.get(path))
    Run.objects.update(status="cancelled")
    refused = manager.post(f"{path}pause/paused", WHY)
    assert refused.status_code == 409
    assert manager.get(f"{path}pause/elsewhere").status_code == 404


def test_a_paused_connection_says_so_and_so_does_a_paused_workflow(
    manager: Client, portal: Client, bench: Bench, erp: Connection, now: Any
) -> None:
    path = f"/connections/{erp.public_id}/"
    assert portal.post(f"{path}pause/paused", WHY)["Location"] == path
    page = words(portal.get(path))
    assert "This connection is paused" in page
    assert "Paused" in words(portal.get("/connections/")).split("ERP</a>")[1]
    assert "Let it go on" in page
    workflow = f"/workflows/{bench.workflow.public_id}/"
    manager.post(f"{workflow}state/paused", WHY)
    assert "This workflow is paused" in words(manager.get(workflow))
    manager.post(f"{workflow}state/off", WHY)
    assert "This workflow is paused" not in words(manager.get(workflow))
    assert list(Pause.objects.values_list("target", flat=True)) == [erp.id]


def test_a_partner_pauses_one_client_or_all_of_them(
    console: Client, portal: Client, cast: Cast, now: Any
) -> None:
    ours = Tenant.objects.get(pk=cast.tenant.id)
    foreign = Tenant.objects.get(pk=cast.other_tenant.id)
    path = f"/clients/{ours.public_id}/"
    assert console.post(f"{path}pause/paused", WHY)["Location"] == path
    assert "This client is paused" in words(console.get(path))
    assert "Its work is paused" in words(console.get("/clients/"))
    assert console.post(f"/clients/{foreign.public_id}/pause/paused", WHY).status_code == 404
    assert console.post("/clients/pause/paused", WHY)["Location"] == "/clients/"
    assert "All work stands still" in words(console.get("/clients/"))
    assert "All clients are paused" in words(console.get(path))
    assert Slot.objects.get(tenant_id=foreign.id).open
    console.post(f"{path}pause/active", {"reason": ""})
    assert not Slot.objects.get(tenant_id=ours.id).open
    said = words(portal.get("/workflows/"))
    assert "All work stands still" in said
    console.post("/clients/pause/active", {"reason": ""})
    assert Slot.objects.get(tenant_id=ours.id).open


def test_what_is_foreign_is_not_found(portal: Client) -> None:
    for path in (
        f"/runs/{ids.public_id('run', ids.uuid7())}/pause/paused",
        f"/connections/{ids.public_id('con', ids.uuid7())}/pause/paused",
        f"/connections/{ids.public_id('con', ids.uuid7())}/limit",
        f"/workflows/{ids.public_id('wfl', ids.uuid7())}/turns",
    ):
        assert portal.get(path).status_code == 404, path


def test_runs_of_one_order_take_turns_by_the_page_of_the_workflow(
    manager: Client, bench: Bench, now: Any
) -> None:
    path = f"/workflows/{bench.workflow.public_id}/"
    assert "no limit" in words(manager.get(path))
    assert manager.post(f"{path}turns", {"per": "business", "limit": "1"})["Location"] == path
    assert Workflow.objects.get().concurrency == {"limit": 1, "key": "$business"}
    assert "1 at a time of each order" in words(manager.get(path))
    for wrong, said in (
        ({"per": "key", "limit": "1"}, "Give an expression."),
        ({"per": "key", "limit": "1", "key": ".a ["}, ".a ["),
        ({"per": "all", "limit": ""}, "Give a number."),
        ({"per": "all", "limit": "0"}, "greater than or equal to 1"),
    ):
        answer = manager.post(f"{path}turns", wrong)
        assert answer.status_code == 422, wrong
        assert said in words(answer), wrong
    manager.post(f"{path}turns", {"per": "key", "limit": "2", "key": ".[0].data.customer.id"})
    assert Workflow.objects.get().concurrency == {"limit": 2, "key": ".[0].data.customer.id"}
    assert 'value=".[0].data.customer.id"' in manager.get(f"{path}turns").content.decode()
    manager.post(f"{path}turns", {"per": ""})
    assert Workflow.objects.get().concurrency is None


def test_calls_and_runs_of_a_client_are_limited(
    manager: Client, portal: Client, erp: Connection, cast: Cast, now: Any
) -> None:
    path = f"/connections/{erp.public_id}/"
    assert portal.post(f"{path}limit", {"most": "4"})["Location"] == path
    assert Connection.objects.get(pk=erp.pk).calls_at_once == 4
    assert "<dd>4 <a" in words(portal.get(path))
    assert portal.post(f"{path}limit", {"most": "0"}).status_code == 422
    assert manager.post("/settings/limit", {"most": "9"}).status_code == 302
    assert Slot.objects.get(tenant_id=cast.tenant.id).max_running == 9
    manager.post("/settings/limit", {"most": ""})
    assert Slot.objects.get(tenant_id=cast.tenant.id).max_running is None
