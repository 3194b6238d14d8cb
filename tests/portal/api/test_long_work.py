"""Long work by the API: listed in pages, looked into, steered once for each key."""

from automations.engine.models import Bulk
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast


def test_work_of_a_client_is_listed_and_steered(cast: Cast, api: Machine, hollis: World) -> None:
    bulk = hollis.ids["bulk"]
    listed = api.get("work").json()["items"]
    assert [one["id"] for one in listed] == [bulk]
    assert listed[0]["takes"] == ["pause", "cancel"]
    assert api.get(f"work/{bulk}").json() == listed[0]
    items = api.get(f"work/{bulk}/items?limit=1").json()
    assert [one["place"] for one in items["items"]] == [1]
    assert api.post(f"work/{bulk}/pause", {"reason": "x"}).json()["state"] == "paused"
    assert api.post(f"work/{bulk}/continue", {}).json()["state"] == "running"
    first = api.post(f"work/{bulk}/cancel", {}, Idempotency_Key="one")
    assert first.json()["state"] == "cancelled"
    again = api.post(f"work/{bulk}/cancel", {}, Idempotency_Key="one")
    assert (again.status_code, again.json()) == (200, first.json())
    assert api.post(f"work/{bulk}/cancel", {}).status_code == 409
    with context.enter(cast.tenant):
        assert Bulk.objects.get().cancelled
    assert api.get("work/job_nobody").status_code == 404
    assert api.get("work?cursor=nonsense").status_code == 400


def test_work_of_a_partner_is_its_clients(cast: Cast, console: Machine, now: object) -> None:
    listed = console.get("work").json()["items"]
    assert {one["title"] for one in listed} == {f"Set up {cast.tenant.name}"}
    theirs = ProvisioningJob.objects.get(tenant_id=cast.other_tenant.id).public_id
    assert console.get(f"work/{theirs}").status_code == 404
    assert console.get(f"work/{listed[0]['id']}/items").json()["items"][0]["state"] == "done"
    assert console.post(f"work/{listed[0]['id']}/cancel", {}).status_code == 409
