"""A14: calling another tenant's workflow, waking its runs by an event, acting on its runs by their ids."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine.actions import workflows
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from automations.engine.models import Run, Workflow
from automations.events.actions import publish
from automations.ledger.models import QueueRow
from kernel import clock
from kernel.actor import system
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.engine.conftest import worker as _worker
from tests.house import world
from tests.support.cast import NOW, Cast

worker = _worker

BY = system("test")
HEAD = (
    "document: {dsl: 1.0.3, namespace: test, name: %s, version: 1.0.0, metadata: {business: {key: .order}}}\n"
)
WAITS = (
    "do: [{l: {listen: {to: {one: {with: {type: order.approved},"
    " correlate: {o: {from: .subject, expect: '${ .order }'}}}}}}}]"
)


def deployed(name: str, text: str) -> Workflow:
    definition = workflows.publish(document=read(HEAD % name + text), actor=BY, now=clock.now())
    return workflows.deploy(
        name=name, title=name, definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )


def states(ref: TenantRef) -> dict[str, str]:
    with context.enter(ref):
        return dict(Run.objects.values_list("business_key", "status"))


def approve(order: str) -> None:
    publish(type="order.approved", subject=order, data={"order_id": order}, source="/shop", time=clock.now())


def test_an_event_wakes_nobody_elsewhere_who_waits_for_the_same_key(
    committed: Any, cast: Cast, worker: Callable[..., int]
) -> None:
    for ref in (cast.tenant, cast.other_tenant):
        with context.enter(ref):
            workflows.start_run(
                workflow=deployed("waits", WAITS), given={"order": "10045"}, actor=BY, now=clock.now()
            )
    worker()
    assert states(cast.tenant) == states(cast.other_tenant) == {"10045": "waiting"}
    with context.enter(cast.tenant):
        approve("10045")
    worker()
    assert (states(cast.tenant), states(cast.other_tenant)) == ({"10045": "completed"}, {"10045": "waiting"})
    with context.enter(cast.other_tenant):
        approve("10045")
    worker()
    assert states(cast.other_tenant) == {"10045": "completed"}


def test_a_workflow_of_another_tenant_is_not_called_by_its_name(
    committed: Any, cast: Cast, worker: Callable[..., int]
) -> None:
    with context.enter(cast.other_tenant):
        deployed("theirs", "do: [{a: {set: {secret: 'of arbor'}}}]")
    text = "do: [{sub: {run: {workflow: {namespace: test, name: theirs, version: 1.0.0}}}}]"
    with context.enter(cast.tenant):
        try:
            workflows.start_run(
                workflow=deployed("calls", text), given={"order": "1"}, actor=BY, now=clock.now()
            )
        except DefinitionRefused:
            assert not Workflow.objects.filter(name="calls").exists()
        else:
            worker()
            assert set(Run.objects.values_list("status", flat=True)) == {"suspended"}
    assert states(cast.other_tenant) == {}
    assert not QueueRow.objects.filter(tenant_id=cast.other_tenant.id).exists()


@pytest.mark.parametrize("act", ["cancel", "resume", "pause", "rewind", "migrate"])
def test_a_run_of_another_tenant_is_not_acted_on_by_its_id(
    cast: Cast, client_for: Callable[..., Client], now: Any, act: str
) -> None:
    with context.enter(cast.other_tenant):
        run, workflow = world.failing_run("Theirs", "B-1", NOW)
        before = list(Run.objects.values())
    browser = client_for(cast.owner, cast.host)
    answers = [
        browser.post(f"/api/v1/runs/{run.public_id}/{act}", {}, content_type="application/json"),
        browser.post(
            f"/api/v1/workflows/{workflow.public_id}/runs", {"input": {}}, content_type="application/json"
        ),
    ]
    assert {answer.status_code for answer in answers} <= {400, 404}
    assert 404 in {answer.status_code for answer in answers}
    with context.enter(cast.other_tenant):
        assert list(Run.objects.values()) == before
