"""Pauses and limits by the API: there, back, and nobody else's."""

from collections.abc import Callable
from typing import Any

from automations.ledger.models import Pause, Slot
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.house import world
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast

OFF = {"paused": False, "since": None, "actor": "", "reason": "", "held": 0}


def test_a_run_and_a_connection_stand_still_and_go_on(cast: Cast, api: Machine, hollis: World) -> None:
    for path, action in (
        (f"runs/{hollis.ids['run']}/pause", "engine.pause_run"),
        (f"connections/{hollis.ids['connection']}/pause", "engine.pause_connection"),
    ):
        assert api.get(path).json() == OFF
        made = api.post(path, {"reason": "ERP moves"}).json()
        assert (made["paused"], made["reason"], made["actor"]) == (True, "ERP moves", "token machine")
        assert api.post(path, {}).json() == made  # a pause is not made twice
        assert api.get(path).json() == made
        assert api("delete", path).json() == OFF
        with context.enter(cast.tenant):
            assert AuditEvent.objects.filter(action=action).count() == 2


def test_this_client_stands_still(cast: Cast, api: Machine, now: Any) -> None:
    assert api.post("pause", {"reason": "Stocktaking"}).json()["paused"]
    assert not Slot.objects.get(tenant_id=cast.tenant.id).open
    assert api("delete", "pause").json() == OFF
    assert Slot.objects.get(tenant_id=cast.tenant.id).open
    assert api("put", "limit", {"limit": 7}).json() == {"limit": 7}
    assert api.get("limit").json() == {"limit": 7}
    assert api("put", "limit", {"limit": 0}).status_code == 400
    assert api("put", "limit", {"limit": None}).json() == {"limit": None}


def test_a_partner_stops_its_clients_and_nobody_elses(
    cast: Cast, machine: Callable[..., Machine], now: Any
) -> None:
    console = machine(cast.partner_host)
    ours = Tenant.objects.get(pk=cast.tenant.id).public_id
    theirs = Tenant.objects.get(pk=cast.other_tenant.id).public_id
    assert console.post(f"tenants/{ours}/pause", {"reason": "x"}).json()["paused"]
    assert console.post(f"tenants/{theirs}/pause", {"reason": "x"}).status_code == 404
    assert console.post("pause", {"reason": "y"}).json()["reason"] == "y"
    assert set(Pause.objects.values_list("level", flat=True)) == {"tenant", "partner"}
    assert console("delete", f"tenants/{ours}/pause").json() == OFF
    assert not Slot.objects.get(tenant_id=cast.tenant.id).open
    assert console("delete", "pause").json() == OFF
    assert Slot.objects.get(tenant_id=cast.tenant.id).open
    assert Slot.objects.get(tenant_id=cast.other_tenant.id).open


def test_runs_of_a_workflow_take_turns(cast: Cast, api: Machine, hollis: World) -> None:
    path = f"workflows/{hollis.ids['workflow']}"
    assert api.get(path).json()["concurrency"] is None
    rule = {"limit": 1, "key": "$business"}
    assert api("put", f"{path}/concurrency", rule).json()["concurrency"] == rule
    refused = api("put", f"{path}/concurrency", {"limit": 1, "key": ".a ["})
    assert refused.status_code == 400
    assert api("put", f"{path}/concurrency", {"limit": None}).json()["concurrency"] is None
    limited = api("put", f"connections/{hollis.ids['connection']}/limit", {"limit": 3}).json()
    assert limited["calls_at_once"] == 3
    assert api.post(f"{path}/switch-off", {"reason": "x"}).json()["state"] == "off"


def test_what_is_of_another_client_does_not_exist(cast: Cast, api: Machine, hollis: World, now: Any) -> None:
    foreign = world.of_tenant(cast.other_tenant, "there")
    for method, path, body in (
        ("post", f"runs/{foreign.ids['run']}/pause", {}),
        ("delete", f"runs/{foreign.ids['run']}/pause", None),
        ("post", f"connections/{foreign.ids['connection']}/pause", {}),
        ("put", f"connections/{foreign.ids['connection']}/limit", {"limit": 1}),
        ("put", f"workflows/{foreign.ids['workflow']}/concurrency", {"limit": 1}),
    ):
        assert api(method, path, body).status_code == 404, path
    assert Pause.objects.count() == 0
