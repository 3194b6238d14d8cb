"""Pauses: nothing is called while something stands still, nothing is lost, and it goes on where it stood."""

import threading
import time
from typing import Any, Self

import pytest

from automations.connectors.models import Connection
from automations.engine import queries
from automations.engine.actions import operate, pausing, workflows
from automations.engine.actions.worker import Worker
from automations.engine.enums import WorkflowState
from automations.engine.errors import RunOver
from automations.engine.models import Run, Workflow
from automations.ledger import actions as ledger
from automations.ledger.models import Hold, Pause, QueueRow, Slot
from kernel import clock
from kernel.errors import Forbidden
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.automations.engine.actions.test_drain import BY, deploy, erp, place

USE = "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
TWO = USE + (
    "do: [{a: {call: http, with: {method: post, endpoint: {uri: /stub/a, authentication: {use: erp}}, body: '${ {n: .[0].subject} }'}}},"
    " {b: {call: http, with: {method: post, endpoint: {uri: /stub/b, authentication: {use: erp}}}}}]"
)
WHY = {"actor": BY, "reason": "stocktaking"}


def here(tenant: Any) -> Tenant:
    return Tenant.objects.get(pk=tenant.id)


def statuses() -> dict[str, str]:
    return dict(Run.objects.values_list("business_key", "status"))


def pause_tenant(tenant: Any, paused: bool) -> None:
    ledger.pause_tenant(tenant=here(tenant), paused=paused, now=clock.now(), **WHY)


def set_state(workflow: Workflow, state: WorkflowState) -> None:
    workflows.set_state(workflow=workflow, state=state, now=clock.now(), **WHY)


class Crew:
    """Workers side by side, each in a thread, until the block ends."""

    def __init__(self, size: int) -> None:
        self.workers = [Worker() for _ in range(size)]
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=[one]) for one in self.workers]

    def _work(self, worker: Worker) -> None:
        while not self.ending.is_set():
            worker.run(seconds=20, idle=0.2)

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()
        for worker in self.workers:
            worker.close()


def until(found: Any, seconds: float = 15.0) -> Any:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come")


def settled(estate: Any) -> int:
    """How many requests came, once no more come for two seconds."""
    count, since = estate.requests, time.monotonic()
    while time.monotonic() - since < 2.0:
        if estate.requests != count:
            count, since = estate.requests, time.monotonic()
        time.sleep(0.1)
    return count


def test_a_paused_client_calls_nobody_within_five_seconds_and_then_does_each_call_once(
    committed, tenant, estate
):
    deploy(TWO, connections=erp(estate))
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.2})
    for number in range(900):
        place(str(number))
    with Crew(2):
        until(lambda: estate.requests >= 40)
        pause_tenant(tenant, True)
        since = time.monotonic()
        assert not Slot.objects.get(tenant_id=tenant.id).open
        stopped = settled(estate)
        assert time.monotonic() - since - 2.0 <= 5.0
        assert 0 < stopped < 1_800
        place("late")  # taken in all the same, and kept
        time.sleep(0.5)
        assert estate.requests == stopped
        assert QueueRow.objects.filter(owner__isnull=False).count() == 0
        estate.faults()
        pause_tenant(tenant, False)
        until(lambda: Run.objects.filter(status="completed").count() == 901, 60)
    assert (estate.requests, estate.state()["stub"]["effects"]["keys"]) == (1_802, 1_802)
    assert (Pause.objects.count(), Hold.objects.count()) == (0, 0)


def test_runs_of_a_paused_workflow_stand_still_before_their_next_call_and_new_ones_wait(
    committed, tenant, worker, estate
):
    workflow = deploy(TWO, connections=erp(estate))
    other = deploy("do: [{x: {set: {x: 1}}}]", "other")
    estate.faults({"match": {"path": "/stub/a"}, "times": 1, "slow": 1.5})
    place("1")
    thread = threading.Thread(target=worker)
    thread.start()
    until(lambda: QueueRow.objects.filter(owner__isnull=False).first())
    set_state(workflow, WorkflowState.PAUSED)
    thread.join()
    place("2")
    worker()
    runs = Run.objects.filter(workflow_id=workflow.id)
    assert dict(runs.values_list("business_key", "status")) == {"1": "waiting", "2": "pending"}
    assert set(Run.objects.filter(workflow_id=other.id).values_list("status", flat=True)) == {"completed"}
    assert estate.requests == 1  # the call that it was in came to its end
    assert [(step.name, step.status) for step in queries.journal(runs.get(business_key="1").id)] == [
        ("a", "completed")
    ]
    assert set(QueueRow.objects.values_list("held", flat=True)) == {True}
    set_state(workflow, WorkflowState.ACTIVE)
    worker()
    assert set(statuses().values()) == {"completed"}
    assert (estate.requests, estate.state()["stub"]["effects"]["keys"]) == (4, 4)
    assert (Pause.objects.count(), Hold.objects.count(), QueueRow.objects.count()) == (0, 0, 0)


def test_a_workflow_that_is_switched_off_starts_nothing_and_lets_its_runs_go_on(
    committed, tenant, worker, estate
):
    workflow = deploy(TWO, connections=erp(estate))
    place("1")
    set_state(workflow, WorkflowState.PAUSED)
    worker()
    assert statuses() == {"1": "pending"}
    set_state(workflow, WorkflowState.OFF)
    place("2")
    worker()
    assert statuses() == {"1": "completed"}


def test_a_paused_connection_holds_only_who_is_about_to_call_through_it(committed, tenant, worker, estate):
    through = erp(estate)
    deploy(TWO, connections=through)
    deploy("do: [{x: {set: {x: 1}}}]", "plain")
    found = Connection.objects.get()
    pausing.pause_connection(connection=found, paused=True, now=clock.now(), **WHY)
    place("1")
    worker()
    assert sorted(Run.objects.values_list("status", flat=True)) == ["completed", "waiting"]
    assert estate.requests == 0
    assert list(Hold.objects.values_list("target", flat=True)) == [found.id]
    again = Worker()  # the pause outlives the worker that knew of it
    assert again.run(seconds=3, idle=0.3) == 0
    again.close()
    assert pausing.pause_connection(connection=found, paused=False, now=clock.now(), **WHY)
    assert not pausing.pause_connection(connection=found, paused=False, now=clock.now(), **WHY)
    worker()
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
    assert estate.requests == 2


def test_one_run_stands_still_while_others_go_on_and_can_be_cancelled(committed, tenant, worker):
    deploy("do: [{w: {wait: {milliseconds: 300}}}, {x: {set: {x: 1}}}]")
    for number in ("1", "2", "3"):
        place(number)
    worker(idle=0.1, seconds=0.15)
    runs = {run.business_key: run for run in Run.objects.all()}
    for number in ("1", "2"):
        assert pausing.pause_run(run_id=runs[number].id, paused=True, now=clock.now(), **WHY)
    worker(idle=0.6)
    assert statuses() == {"1": "waiting", "2": "waiting", "3": "completed"}
    operate.cancel(run_id=runs["2"].id, actor=BY, now=clock.now())
    pausing.pause_run(run_id=runs["1"].id, paused=False, now=clock.now(), **WHY)
    worker(idle=0.6)
    assert statuses() == {"1": "completed", "2": "cancelled", "3": "completed"}
    assert (Pause.objects.count(), Hold.objects.count()) == (0, 0)
    with pytest.raises(RunOver):
        pausing.pause_run(run_id=runs["3"].id, paused=True, now=clock.now(), **WHY)


def test_what_is_paused_twice_goes_on_when_both_are_lifted(committed, tenant, worker, estate):
    workflow = deploy(TWO, connections=erp(estate))
    place("1")
    set_state(workflow, WorkflowState.PAUSED)
    worker()
    run = Run.objects.get()
    pausing.pause_run(run_id=run.id, paused=True, now=clock.now(), **WHY)
    assert Slot.objects.get(tenant_id=tenant.id).halts == 2
    set_state(workflow, WorkflowState.ACTIVE)
    worker()
    assert statuses() == {"1": "pending"}
    pausing.pause_run(run_id=run.id, paused=False, now=clock.now(), **WHY)
    worker()
    assert statuses() == {"1": "completed"}
    assert Slot.objects.get(tenant_id=tenant.id).halts == 0


def test_a_client_that_is_paused_itself_stays_so_when_its_partner_goes_on(committed, tenant, worker):
    deploy("do: [{x: {set: {x: 1}}}]")
    partner = Partner.objects.get(pk=tenant.partner_id)
    pause_tenant(tenant, True)
    with context.leave():
        ledger.pause_partner(partner=partner, paused=True, now=clock.now(), **WHY)
    place("1")
    with context.leave():
        ledger.pause_partner(partner=partner, paused=False, now=clock.now(), **WHY)
    worker()
    assert Run.objects.count() == 0
    pause_tenant(tenant, False)
    worker()
    assert statuses() == {"1": "completed"}


def test_a_partners_pause_is_for_clients_that_are_made_meanwhile_too(committed, cast, other_tenant):
    tenant = cast.tenant
    partner = Partner.objects.get(pk=tenant.partner_id)
    ledger.pause_partner(partner=partner, paused=True, now=clock.now(), **WHY)
    Slot.objects.filter(tenant_id=tenant.id).delete()
    ledger.open_slot(tenant)
    assert not Slot.objects.get(tenant_id=tenant.id).open
    assert Slot.objects.get(tenant_id=other_tenant.id).open


def test_time_that_a_run_stands_still_counts_towards_no_timeout(committed, tenant, worker, estate):
    workflow = deploy(
        USE
        + "do: [{a: {call: http, with: {method: post, endpoint: {uri: /stub/a, authentication: {use: erp}}}, timeout: {after: {seconds: 1}}}}]",
        connections=erp(estate),
    )
    found = Connection.objects.get()
    pausing.pause_connection(connection=found, paused=True, now=clock.now(), **WHY)
    place("1")
    worker()
    time.sleep(1.2)
    pausing.pause_connection(connection=found, paused=False, now=clock.now(), **WHY)
    worker()
    assert statuses() == {"1": "completed"}, queries.run_view(Run.objects.get(workflow_id=workflow.id).id)


def test_each_pause_says_who_and_why_and_not_everybody_may(committed, tenant, cast):
    from kernel.actor import Actor

    workflow, found = deploy("do: [{x: {set: {x: 1}}}]"), None
    set_state(workflow, WorkflowState.PAUSED)
    pause_tenant(tenant, True)
    pause_tenant(tenant, True)
    rows = {
        row.action: row
        for row in AuditEvent.objects.filter(action__in=("engine.set_state", "ledger.pause_tenant"))
    }
    assert {action: (row.actor_label, row.reason) for action, row in rows.items()} == {
        "engine.set_state": ("test", "stocktaking"),
        "ledger.pause_tenant": ("test", "stocktaking"),
    }
    assert AuditEvent.objects.filter(action="ledger.pause_tenant").count() == 1
    assert {(row.level, row.actor, row.reason) for row in Pause.objects.all()} == {
        ("workflow", "test", "stocktaking"),
        ("tenant", "test", "stocktaking"),
    }
    nobody = Actor("user", None, "somebody", frozenset({"engine.read", "engine.operate"}))
    with pytest.raises(Forbidden):
        ledger.pause_tenant(tenant=here(tenant), paused=False, reason="", actor=nobody, now=clock.now())
    found = Connection(name="x")
    with pytest.raises(Forbidden):
        pausing.pause_connection(connection=found, paused=True, actor=nobody, now=clock.now())
