"""What somebody may is asked anew each time: a right that was taken is gone for sessions, tokens and what is queued."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from automations.engine.actions import redriving
from automations.engine.enums import BulkState, ItemState
from automations.engine.models import Bulk, BulkItem, Run
from automations.engine.queries import RunFilter
from automations.engine.store import bulks as store
from automations.inbox import actions as inbox
from automations.inbox.actions import pending
from automations.inbox.enums import IntentState
from automations.inbox.models import Case, Intent
from tenants.access import actions
from tenants.access.enums import Role
from tenants.access.models import Membership
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.automations.inbox.conftest import bench as _bench
from tests.house import world
from tests.support.cast import NOW, Cast

bench = _bench


def demote(cast: Cast) -> None:
    member = Membership.objects.get(user=cast.reviewer)
    actions.set_role(membership=member, role=Role.ANALYST, actor=cast.actor(cast.owner), now=NOW)


def remove(cast: Cast) -> None:
    member = Membership.objects.get(user=cast.reviewer)
    actions.remove_member(membership=member, actor=cast.actor(cast.owner), now=NOW)


def deactivate(cast: Cast) -> None:
    operator = cast.actor(cast.operator, cast.platform_host)
    actions.set_active(user=cast.reviewer, active=False, reason="left", actor=operator, now=NOW)


WAYS = [demote, remove, deactivate]


@pytest.mark.parametrize("revoke", WAYS)
def test_a_session_has_lost_the_right_at_its_next_request(
    revoke: Callable[[Cast], None], cast: Cast, tenant: TenantRef, client_for: Any, now: object
) -> None:
    run, _ = world.failing_run("Flow", "A-1")
    browser: Client = client_for(cast.reviewer, cast.host)
    address = f"/api/v1/runs/{run.public_id}/cancel"
    assert browser.get(f"/api/v1/runs/{run.public_id}").status_code == 200
    revoke(cast)
    answer = browser.post(address, {}, content_type="application/json")
    assert answer.status_code in (401, 403, 404)
    assert Run.objects.get(pk=run.pk).status == "suspended"


@pytest.mark.parametrize("revoke", WAYS)
def test_a_token_of_theirs_has_lost_it_too(
    revoke: Callable[[Cast], None], cast: Cast, tenant: TenantRef, now: object
) -> None:
    run, _ = world.failing_run("Flow", "A-1")
    hollis = Tenant.objects.get(slug="hollis")
    row, text = actions.make_token(
        partner=hollis.partner,
        tenant=hollis,
        name="T",
        scopes=["engine.operate"],
        expires_at=None,
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    type(row).objects.filter(pk=row.pk).update(created_by=cast.reviewer)
    machine = Client(HTTP_HOST=cast.host, HTTP_AUTHORIZATION=f"Bearer {text}")
    address = f"/api/v1/runs/{run.public_id}/cancel"
    revoke(cast)
    assert machine.post(address, {}, content_type="application/json").status_code in (401, 403)
    assert Run.objects.get(pk=run.pk).status == "suspended"


def queued(cast: Cast) -> Bulk:
    _, workflow = world.failing_run("Flow", "A-1")
    return redriving.start_bulk(
        act="cancel",
        wanted=RunFilter(workflow=workflow.id),
        actor=cast.actor(cast.reviewer),
        now=NOW,
        reason="tidy",
    )


@pytest.mark.parametrize("revoke", WAYS)
def test_what_they_queued_is_not_done_any_more(
    revoke: Callable[[Cast], None], cast: Cast, tenant: TenantRef, now: object
) -> None:
    bulk = queued(cast)
    revoke(cast)
    redriving.carry_on(bulk.id, seconds=0.1)
    assert [item.state for item in BulkItem.objects.filter(bulk_id=bulk.id)] == [ItemState.REFUSED]
    assert set(Run.objects.values_list("status", flat=True)) == {"suspended"}


@pytest.mark.parametrize("revoke", WAYS)
def test_a_decision_of_theirs_that_waits_is_not_carried_out(
    revoke: Callable[[Cast], None], cast: Cast, bench: Bench, now: object
) -> None:
    case = Case.objects.get(run_id=bench.fail().pk)
    intent = waiting(case, cast)
    revoke(cast)
    pending.carry_out(intent.pk, now=NOW)
    intent.refresh_from_db()
    assert intent.state == IntentState.REFUSED
    assert Run.objects.get(pk=case.run_id).status == "suspended"


@pytest.mark.parametrize("revoke", WAYS)
def test_what_they_agreed_to_as_the_second_is_not_carried_out_either(
    revoke: Callable[[Cast], None], cast: Cast, bench: Bench, now: object
) -> None:
    inbox.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=NOW)
    case = Case.objects.get(run_id=bench.fail().pk)
    asked = waiting(case, cast, by=cast.colleague, decision="skip", reason="Known good")
    assert asked.state == IntentState.ASKED
    pending.agree(intent_id=asked.pk, digest=asked.digest, actor=cast.actor(cast.reviewer), now=NOW)
    Intent.objects.filter(pk=asked.pk).update(carry_at=Now() - timedelta(seconds=1))
    revoke(cast)
    pending.carry_out(asked.pk, now=NOW)
    asked.refresh_from_db()
    assert asked.state == IntentState.REFUSED
    assert Run.objects.get(pk=case.run_id).status == "suspended"


def waiting(case: Case, cast: Cast, *, by: Any = None, decision: str = "retry", reason: str = "") -> Intent:
    """A decision whose seconds are over, not carried out yet."""
    intent = inbox.put_decision(
        case_id=case.pk,
        decision=decision,
        actor=cast.actor(by or cast.reviewer),
        now=NOW,
        undo=True,
        reason=reason,
    ).intent
    assert intent is not None
    if intent.state != IntentState.ASKED:
        Intent.objects.filter(pk=intent.pk).update(carry_at=Now() - timedelta(seconds=1))
    return intent


def test_what_is_queued_by_somebody_who_still_may_is_done(cast: Cast, tenant: TenantRef, now: object) -> None:
    bulk = queued(cast)
    redriving.carry_on(bulk.id, seconds=0.1)
    assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}
    assert store.take(bulk.id) is None or Bulk.objects.get(pk=bulk.pk).state == BulkState.DONE
