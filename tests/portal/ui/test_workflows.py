"""Workflows as people see them: how each does, what it is, and what may be done with it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine.enums import WorkflowState
from automations.engine.machine.moves import Outcome
from automations.engine.models import Run, Workflow
from kernel import ids, jsonx
from tenants.access import actions as access
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_inbox import words
from tests.support.cast import Cast

OK = Outcome(201, {}, {"reference": "SO-1"})


@pytest.fixture
def manager(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The operations manager in Hollis."""
    return client_for(cast.manager, cast.host)


def at(workflow: Workflow, tail: str = "") -> str:
    return f"/workflows/{workflow.public_id}/{tail}"


def test_the_list_says_how_each_workflow_does(manager: Client, bench: Bench, now: Any) -> None:
    bench.fail(OK)
    bench.fail(order_id="10046")
    page = words(manager.get("/workflows/"))
    for said in ("Order to ERP", "Degraded", "50%", "Start by hand", "Pause"):
        assert said in page, said
    assert f"/runs/?workflow={bench.workflow.public_id}" in page
    assert "No workflow fits" in words(manager.get("/workflows/?q=nothing-like-it"))


def test_an_empty_list_says_what_to_do(
    cast: Cast, portal: Client, manager: Client, tenant: TenantRef, now: Any
) -> None:
    assert "No workflow works here yet" in words(portal.get("/workflows/"))
    assert "Whoever looks after this portal installs them." in words(manager.get("/workflows/"))


def test_one_workflow_shows_its_steps_settings_runs_and_definition(
    manager: Client, bench: Bench, now: Any, django_assert_max_num_queries: Any
) -> None:
    Workflow.objects.update(config={"channels": ["web", "pos"], "check_stock": True, "limits": {"hold": 5}})
    run = bench.fail()
    with django_assert_max_num_queries(22):
        answer = manager.get(at(bench.workflow))
    page = words(answer)
    for said in (
        "Book the order",
        "web, pos",
        "limits / hold",
        "booking 1.0.0",
        f"/runs/{run.public_id}/",
        "1.0.3",
    ):
        assert said in page, said
    step = words(manager.get(at(bench.workflow, "?step=/do/1/book")))
    assert "https://erp.example.com/orders" in step
    assert manager.get(at(bench.workflow, "?step=/no/such")).status_code == 200


def test_a_workflow_of_another_client_or_of_nobody_is_not_there(
    manager: Client, other_tenant: TenantRef
) -> None:
    with context.enter(other_tenant):
        foreign = Bench().workflow
    for workflow in (foreign.public_id, ids.public_id("wfl", ids.uuid7()), "nonsense"):
        for tail in ("", "settings", "start", "state/paused"):
            assert manager.get(f"/workflows/{workflow}/{tail}").status_code == 404, (workflow, tail)
        for tail in ("settings", "start", "state/paused"):
            assert manager.post(f"/workflows/{workflow}/{tail}", {"whole": "{}"}).status_code == 404, tail
    with context.enter(other_tenant):
        assert Workflow.objects.get(pk=foreign.pk).state == WorkflowState.ACTIVE


def test_a_workflow_is_paused_and_activated_with_a_word_in_the_audit(
    manager: Client, bench: Bench, now: Any
) -> None:
    asked = manager.get(at(bench.workflow, "state/paused"), headers=PART)
    assert "Its runs make no further call" in words(asked)
    assert Workflow.objects.get().state == WorkflowState.ACTIVE
    done = manager.post(at(bench.workflow, "state/paused"), {"reason": "Stocktaking"})
    assert (done.status_code, done["Location"]) == (302, at(bench.workflow))
    assert Workflow.objects.get().state == WorkflowState.PAUSED
    row = AuditEvent.objects.get(action="engine.set_state")
    assert (row.actor_label, row.before, row.after, row.reason) == (
        "Malik Manager", {"state": "active"}, {"state": "paused"}, "Stocktaking",
    )  # fmt: skip
    assert "Paused" in words(manager.get("/workflows/"))
    manager.post(at(bench.workflow, "state/active"), {"reason": ""})
    assert Workflow.objects.get().state == WorkflowState.ACTIVE
    assert manager.get(at(bench.workflow, "state/draft")).status_code == 404


def fields(page: Any, **changes: str) -> dict[str, str]:
    """What the browser would send of a page's form, with some fields changed."""
    form = page.context["form"]
    sent = {one.html_name: "" if one.value() is None else str(one.value()) for one in form}
    return {**sent, "base": page.context.get("base", ""), **changes}


def test_a_run_is_started_on_what_the_latest_got_with_some_of_it_changed(
    manager: Client, bench: Bench, now: Any
) -> None:
    bench.fail(OK)
    page = manager.get(at(bench.workflow, "start"))
    done = manager.post(at(bench.workflow, "start"), fields(page, **{"at/order_id": "10099"}))
    started = Run.objects.get(business_key="10099")
    assert (done.status_code, done["Location"]) == (302, f"/runs/{started.public_id}/")
    assert jsonx.unpack(started.input)["total_minor"] == 17_895
    assert started.cause == "manual"
    assert AuditEvent.objects.filter(action="engine.start", actor_label="Malik Manager").count() == 1


def test_a_run_is_started_on_json_and_what_is_none_is_refused_at_its_field(
    manager: Client, bench: Bench, now: Any
) -> None:
    page = manager.get(at(bench.workflow, "start"))
    wrong = manager.post(at(bench.workflow, "start"), fields(page, whole="{order_id: 1}"))
    assert wrong.status_code == 422
    assert "This cannot be read as JSON" in words(wrong)
    assert "{order_id: 1}" in words(wrong)
    assert (
        manager.post(at(bench.workflow, "start"), fields(page, whole='{"order_id": "7"}')).status_code == 302
    )
    assert Run.objects.get().business_key == "7"
    Workflow.objects.update(state=WorkflowState.PAUSED)
    refused = manager.post(at(bench.workflow, "start"), fields(page, whole='{"order_id": "8"}'))
    assert refused.status_code == 409
    assert Run.objects.count() == 1


def test_settings_are_changed_by_their_names(manager: Client, bench: Bench, now: Any) -> None:
    Workflow.objects.update(config={"hold_above": 50, "channel": "web", "strict": True})
    page = manager.get(at(bench.workflow, "settings"))
    sent = fields(page, **{"at/hold_above": "80"}) | {"at/strict": "on"}
    assert manager.post(at(bench.workflow, "settings"), sent).status_code == 302
    assert Workflow.objects.get().config == {"hold_above": 80, "channel": "web", "strict": True}
    row = AuditEvent.objects.get(action="engine.set_config")
    assert (row.before["config"]["hold_above"], row.after["config"]["hold_above"]) == (50, 80)
    page = manager.get(at(bench.workflow, "settings"))
    assert (
        manager.post(at(bench.workflow, "settings"), fields(page, **{"at/hold_above": "many"})).status_code
        == 422
    )
    listed = manager.post(at(bench.workflow, "settings"), fields(page, whole="[1]") | {"at/strict": "on"})
    assert listed.status_code == 422
    assert Workflow.objects.get().config["hold_above"] == 80


@pytest.mark.parametrize("who", ["analyst", "auditor"])
def test_who_may_only_read_finds_no_buttons_and_changes_nothing(
    cast: Cast, client_for: Callable[..., Client], bench: Bench, now: Any, who: str
) -> None:
    browser = client_for(getattr(cast, who), cast.host)
    for address in ("/workflows/", at(bench.workflow)):
        page = words(browser.get(address))
        assert "Order to ERP" in page
        for button in ("Start by hand", "state/paused", '/settings"'):
            assert button not in page, (address, button)
    for tail in ("settings", "start", "state/paused"):
        assert browser.post(at(bench.workflow, tail), {"whole": "{}"}).status_code == 403, tail
    assert Workflow.objects.get().state == WorkflowState.ACTIVE
    assert not Run.objects.exists()


def test_a_grant_on_one_workflow_opens_that_one_alone(
    cast: Cast, client_for: Callable[..., Client], bench: Bench, now: Any
) -> None:
    access.grant(
        user=cast.analyst,
        permission="engine.operate",
        obj=bench.workflow,
        actor=cast.actor(cast.owner),
        now=now,
    )
    browser = client_for(cast.analyst, cast.host)
    assert "state/paused" in words(browser.get(at(bench.workflow)))
    assert browser.post(at(bench.workflow, "state/paused"), {"reason": ""}).status_code == 302
    assert Workflow.objects.get().state == WorkflowState.PAUSED
