"""Long work of a place: seen in one list, steered on its page, and left alone where it is somebody else's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client

from automations.engine.actions import redriving
from automations.engine.models import Bulk, BulkItem
from automations.engine.queries import RunFilter
from kernel import clock
from tenants.audit.models import AuditEvent
from tenants.tenancy.enums import FleetStep, JobState
from tenants.tenancy.models import FleetState, ProvisioningJob, Tenant
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.support.cast import NOW, Cast


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def an_act(number: int = 3) -> Bulk:
    runs = [world.failing_run(f"Checks {one}", f"1004{one}")[0] for one in range(number)]
    assert len(runs) == number
    return redriving.start_bulk(act="retry", wanted=RunFilter(), actor=world.BY, now=NOW, reason="mended")


def test_a_clients_long_work_is_paused_gone_on_with_and_called_off(
    cast: Cast, tenant: TenantRef, now: Any, client_for: Callable[..., Client]
) -> None:
    manager = client_for(cast.manager, cast.host)
    assert "No long work yet" in words(manager.get("/work/"))
    bulk = an_act()
    at = f"/work/{bulk.public_id}/"
    listed = words(manager.get("/work/"))
    assert "Try again: 3 runs" in listed
    assert "0 / 3" in listed
    assert 'hx-trigger="every' in listed
    page = words(manager.get(at))
    assert all(f"{at}{how}" in page for how in ("pause", "cancel"))
    assert manager.post(f"{at}pause", {"reason": "ERP moves"}).status_code == 302
    bulk.refresh_from_db()
    assert bulk.state == "stopped"
    part = manager.get(at, headers=PART).content.decode()
    assert part.lstrip().startswith('<div id="work"')
    assert "hx-trigger" not in part  # it stands still: the answer has no trigger, and so the polling ends
    assert manager.post(f"{at}continue").status_code == 302
    redriving.carry_on(bulk.id, seconds=0.1)
    sent = BulkItem.objects.filter(bulk_id=bulk.id, state="sent").count()
    assert sent > 0
    assert manager.post(f"{at}cancel", {"reason": "wrong filter"}).status_code == 302
    bulk.refresh_from_db()
    assert bulk.cancelled
    left = BulkItem.objects.filter(bulk_id=bulk.id, state="held")
    assert left.count() == 3 - sent
    assert all(item.why == "It was called off." for item in left)
    entry = AuditEvent.objects.get(action="engine.cancel_bulk")
    assert entry.after["left_alone"] == 3 - sent
    again = manager.post(f"{at}continue", follow=True)
    assert "over" in words(again)
    bulk.refresh_from_db()
    assert bulk.state != "running"


def test_a_called_off_act_ends_and_is_shown_as_cancelled(
    cast: Cast, tenant: TenantRef, now: Any, client_for: Callable[..., Client]
) -> None:
    manager = client_for(cast.manager, cast.host)
    bulk = an_act(1)
    manager.post(f"/work/{bulk.public_id}/cancel")
    bulk.refresh_from_db()
    assert (bulk.state, bulk.over_at is not None) == ("done", True)
    page = words(manager.get("/work/"))
    assert "Cancelled" in page
    assert "hx-trigger" not in page.split('id="works"')[1].split(">")[0]
    assert "Nothing of this kind" in words(manager.get("/work/?show=moving"))


def test_who_may_only_look_has_no_buttons_and_cannot_send(
    cast: Cast, tenant: TenantRef, now: Any, client_for: Callable[..., Client]
) -> None:
    bulk = an_act(1)
    analyst = client_for(cast.analyst, cast.host)
    assert 'id="steer"' not in words(analyst.get(f"/work/{bulk.public_id}/"))
    assert analyst.post(f"/work/{bulk.public_id}/cancel").status_code == 403
    bulk.refresh_from_db()
    assert (bulk.state, bulk.cancelled) == ("running", False)
    for nothing in ("blk_nobody", "job_nobody", "xyz", bulk.public_id.replace("blk_", "job_")):
        assert analyst.get(f"/work/{nothing}/").status_code == 404, nothing


def test_a_partner_sees_clients_set_up_and_takes_a_half_made_one_back(
    cast: Cast, now: Any, console: Client
) -> None:
    job = ProvisioningJob.objects.get(tenant_id=cast.tenant.id)
    listed = words(console.get("/work/"))
    assert f"Set up {cast.tenant.name}" in listed
    page = words(console.get(f"/work/{job.public_id}/"))
    assert "Make the database schema" in page
    assert 'id="steer"' not in page
    assert "this job is over" in words(console.post(f"/work/{job.public_id}/cancel", follow=True))
    theirs = ProvisioningJob.objects.get(tenant_id=cast.other_tenant.id)
    assert console.get(f"/work/{theirs.public_id}/").status_code == 404
    assert console.post(f"/work/{theirs.public_id}/cancel").status_code == 404


def test_a_stuck_setting_up_is_called_off(cast: Cast, now: Any, console: Client) -> None:
    from tests.house.ground import provision

    tenant = provision("meridian", "fresh")
    job = tenant.provisioning
    at = f"/work/{job.public_id}/"
    assert f"{at}cancel" in words(console.get(at))
    assert console.post(f"{at}cancel", {"reason": "wrong name"}).status_code == 302
    job.refresh_from_db()
    assert job.state == JobState.ROLLED_BACK
    assert Tenant.objects.get(pk=tenant.pk).state == "archived"
    acts = AuditEvent.objects.filter(object_id=tenant.public_id).values_list("action", flat=True)
    assert {"tenancy.cancel_provisioning", "tenancy.rolled_back"} <= set(acts)
    assert "Cancelled" in words(console.get(at))


def test_a_step_that_is_under_way_is_not_torn_off(cast: Cast, now: Any, console: Client) -> None:
    from tests.house.ground import provision

    job = provision("meridian", "fresh").provisioning
    ProvisioningJob.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, lease_until=clock.now() + timedelta(minutes=1)
    )
    answer = words(console.post(f"/work/{job.public_id}/cancel", follow=True))
    assert "this job is being worked on" in answer
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_migrations_of_clients_are_seen_with_what_failed(cast: Cast, now: Any, console: Client) -> None:
    FleetState.objects.create(tenant_id=cast.tenant.id, step=FleetStep.FAILED, error="lock timeout", at=NOW)
    FleetState.objects.create(tenant_id=cast.other_tenant.id, step=FleetStep.DONE, at=NOW)
    listed = words(console.get("/work/?show=trouble"))
    assert "Upgrade the databases of the clients" in listed
    assert "0 / 1" in listed  # another partner's client is not counted
    at = listed.split('class="nm" href="')[1].split('"')[0]
    page = words(console.get(at))
    assert "lock timeout" in page
    assert cast.other_tenant.name not in page
