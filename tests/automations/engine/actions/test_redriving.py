"""One act on many runs: counted first, in the order of each business key, at a pace, stopped, killed and gone on with."""

import os
import signal
import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError, connection

from automations.engine import queries
from automations.engine.actions import operate, redriving, workflows
from automations.engine.actions.programs import programs
from automations.engine.dsl.document import read
from automations.engine.enums import BulkState, ItemState
from automations.engine.errors import BulkOver, NothingMatches, OthersMatch
from automations.engine.models import Bulk, BulkItem, Run, Workflow
from automations.engine.queries import RunFilter
from automations.events.actions import publish
from automations.ledger import queries as ledger
from automations.ledger.models import Errand
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden, Invalid
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.support import make

BY = system("test")
FLOW = """
document: {dsl: 1.0.3, namespace: test, name: gate, version: 1.0.0, metadata: {business: {key: '.[0].subject'}}}
schedule: {on: {one: {with: {type: order.placed}}}, read: envelope}
do:
  - pass:
      set: '${ if ($runtime.metadata.config.open and (.[0].data.channel != "bad")) then {ok: true} else error("shut") end }'
  - after: {set: {done: true}}
"""


def gate() -> Workflow:
    definition = workflows.publish(document=read(FLOW), actor=BY, now=clock.now())
    return workflows.deploy(
        name="gate",
        title="Gate",
        definition=definition,
        config={"open": False},
        connections={},
        actor=BY,
        now=clock.now(),
    )


def place(key: str, *, bad: bool = False) -> None:
    data = make.order(order_id=key, number=key, channel="bad" if bad else "web")
    publish(type="order.placed", subject=key, data=data, source="/shop", time=clock.now())


def open_(workflow: Workflow) -> None:
    workflows.set_config(workflow=workflow, config={"open": True}, connections={}, actor=BY, now=clock.now())
    programs._setups.clear()


def suspended(worker: Any, keys: int, each: int, bad: set[int]) -> Workflow:
    """So many runs of so many orders, all of them held; those whose number is in `bad` will fail again."""
    workflow = gate()
    for turn in range(each):
        for key in range(keys):
            place(f"o{key}", bad=turn * keys + key in bad)
    while Run.objects.filter(status="suspended").count() < keys * each:
        worker(seconds=4.0)
    open_(workflow)
    return workflow


def begin(workflow: Workflow, **more: Any) -> Bulk:
    return redriving.start_bulk(
        act="retry",
        wanted=RunFilter(workflow=workflow.id),
        actor=more.pop("actor", BY),
        now=clock.now(),
        rate=more.pop("rate", 50.0),
        **more,
    )


def finish(bulk: Bulk, worker: Any) -> queries.BulkView:
    """Let it be worked on, and the runs, until it is through."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        redriving.carry_on(bulk.id, seconds=0.4)
        worker(seconds=1.0, idle=0.05)
        view = queries.bulk_view(bulk.id)
        if view.row.state == BulkState.DONE:
            return view
    raise AssertionError(f"it is not through: {queries.bulk_view(bulk.id).counts}")


def resumed(run: Run) -> list[Any]:
    return [step for step in queries.journal(run.id) if step.status == "resumed"]


def killed_while_it_works(bulk: Bulk, seconds: float) -> None:
    """A process works on it and is killed (-9) in the middle."""
    tenant = context.current()
    child = os.fork()
    if child == 0:
        try:
            connection.connection = None  # the parent's; ours is a new one
            with context.enter(tenant):
                redriving.carry_on(bulk.id, seconds=60)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_runs_of_one_order_keep_their_order_across_acts(committed, tenant, worker, monkeypatch):
    suspended(worker, keys=1, each=3, bad=set())
    first, second, third = Run.objects.order_by("started_at", "id")
    later = begin_for(third)  # begun first, for the youngest
    earlier = begin_for(first, second)
    monkeypatch.setattr(redriving, "_PATIENCE", timedelta(0))
    redriving.carry_on(later.id, seconds=0.6)
    assert queries.bulk_view(later.id).counts[ItemState.WAITING] == 1  # and it is not given up
    assert Bulk.objects.get(pk=later.id).state == BulkState.RUNNING
    monkeypatch.undo()
    assert finish(earlier, worker).counts[ItemState.DONE] == 2
    assert finish(later, worker).counts[ItemState.DONE] == 1
    assert list(Run.objects.order_by("ended_at").values_list("id", flat=True)) == [
        first.id,
        second.id,
        third.id,
    ]


def test_an_act_that_is_stopped_holds_no_other_back(committed, tenant, worker):
    suspended(worker, keys=1, each=2, bad=set())
    first, second = Run.objects.order_by("started_at", "id")
    earlier, later = begin_for(first), begin_for(second)
    redriving.stop_bulk(bulk_id=earlier.id, actor=BY, now=clock.now(), reason="wait")
    assert finish(later, worker).counts[ItemState.DONE] == 1
    assert Run.objects.get(pk=first.pk).status == "suspended"


def begin_for(*runs: Run) -> Bulk:
    """An act on these runs alone."""
    return redriving.start_bulk(
        act="retry",
        wanted=RunFilter(alike="of one cause", among=[run.id for run in runs]),
        actor=BY,
        now=clock.now(),
        rate=50.0,
    )


def test_hundreds_of_runs_stopped_killed_and_gone_on_with(committed, tenant, worker):
    bad = {3, 10, 17, 61, 71, 120, 140, 141, 142}
    workflow = suspended(worker, keys=60, each=3, bad=bad)
    preview = queries.preview(RunFilter(workflow=workflow.id), "retry")
    assert (preview.number, preview.keys) == (180, 60)
    assert [(one.step, one.error, one.code, one.number) for one in preview.causes] == [
        ("/do/0/pass", "expression", 400, 180)
    ]
    bulk = begin(workflow, reason="The gate is open again.", expected=180)

    killed_while_it_works(bulk, 1.0)
    worker(seconds=2.0, idle=0.05)
    view = queries.bulk_view(bulk.id)
    assert 0 < view.counts[ItemState.SENT] + view.through < 180  # it was in the middle
    redriving.stop_bulk(bulk_id=bulk.id, actor=BY, now=clock.now(), reason="look first")
    redriving.carry_on(bulk.id, seconds=0.5)
    waiting = queries.bulk_view(bulk.id).counts[ItemState.WAITING]
    redriving.carry_on(bulk.id, seconds=0.5)
    assert queries.bulk_view(bulk.id).counts[ItemState.WAITING] == waiting > 0
    assert Run.objects.filter(status="suspended").count() >= waiting
    redriving.continue_bulk(bulk_id=bulk.id, actor=BY, now=clock.now())
    view = finish(bulk, worker)

    held = view.counts[ItemState.HELD]
    # runs 3, 10 and 17 are the first of their orders and 61 and 71 the second: what comes after them is left alone
    assert (view.counts[ItemState.FAILED], held) == (9, 3 * 2 + 2)
    assert view.counts[ItemState.DONE] == 180 - 9 - held
    assert {item.why for item in queries.bulk_items(bulk.id, states=["failed"])} == {"shut"}
    assert Counter(len(resumed(run)) for run in Run.objects.all()) == {1: 180 - held, 0: held}  # nobody twice
    _in_order()
    assert not Errand.objects.exists()
    trail = AuditEvent.objects.filter(action__endswith="_bulk").order_by("id")
    assert [row.action for row in trail] == ["engine.start_bulk", "engine.stop_bulk", "engine.continue_bulk"]
    assert (trail[0].after["runs"], trail[0].reason) == (180, "The gate is open again.")
    assert AuditEvent.objects.filter(action="engine.operate").count() == 180 - held


def _in_order() -> None:
    """Of each order a run was sent on only when the one before it was through."""
    for key in set(Run.objects.values_list("business_key", flat=True)):
        runs = [
            run for run in Run.objects.filter(business_key=key).order_by("started_at", "id") if resumed(run)
        ]
        for earlier, later in pairwise(runs):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= resumed(later)[0].end


def test_two_workers_at_once_do_it_once(committed, tenant, worker):
    workflow = suspended(worker, keys=30, each=1, bad=set())
    bulk = begin(workflow)

    def work() -> None:
        with context.enter(tenant):
            redriving.carry_on(bulk.id, seconds=1.5)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finish(bulk, worker)
    assert {len(resumed(run)) for run in Run.objects.all()} == {1}


def test_it_keeps_to_its_pace_whoever_works_on_it(committed, tenant, worker):
    workflow = suspended(worker, keys=20, each=1, bad=set())
    bulk = begin(workflow, rate=4.0)
    began = time.monotonic()
    for _ in range(4):
        redriving.carry_on(bulk.id, seconds=0.4)
    took = time.monotonic() - began
    sent = BulkItem.objects.exclude(state="waiting").count()
    assert 4 <= sent <= took * 4 + 5


def test_the_dispatcher_knows_what_is_not_through(committed, tenant, worker, jobs):
    workflow = suspended(worker, keys=2, each=1, bad=set())
    bulk = begin(workflow)
    assert list(ledger.errands(redriving.JOB)) == [{"tenant": tenant.id, "key": bulk.id}]
    assert (redriving.JOB, tenant.id, {"key": bulk.id}) in jobs.calls
    finish(bulk, worker)
    assert list(ledger.errands(redriving.JOB)) == []


def test_a_run_that_somebody_sent_on_meanwhile_is_told_and_stops_nobody(committed, tenant, worker):
    workflow = suspended(worker, keys=3, each=1, bad=set())
    bulk = begin(workflow)
    first = Run.objects.order_by("started_at", "id")[0]
    operate.resume(run_id=first.id, mode="retry", actor=BY, now=clock.now())
    worker(idle=0.1)
    view = finish(bulk, worker)
    assert (view.counts[ItemState.REFUSED], view.counts[ItemState.DONE]) == (1, 2)
    refused = queries.bulk_items(bulk.id, states=["refused"]).get()
    assert (refused.run_id, refused.why) == (first.id, "This run is over.")


def test_what_makes_no_sense_is_refused_and_nothing_begins(committed, tenant, worker, cast):
    workflow = suspended(worker, keys=2, each=1, bad=set())
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (OthersMatch, {"expected": 7}),
        (Forbidden, {"actor": cast.actor(cast.analyst)}),
        (Invalid, {"rate": 0}),
        (Invalid, {"rate": 1_000}),
    ]
    for error, more in wrong:
        with pytest.raises(error):
            begin(workflow, **more)
    for act, filter_, error in (
        ("skip", RunFilter(), Invalid),  # without a reason
        ("explode", RunFilter(), Invalid),
        ("migrate", RunFilter(), Invalid),  # without a version
        ("retry", RunFilter(step="/do/9/none"), NothingMatches),
        ("retry", RunFilter(status="waiting"), NothingMatches),
        ("retry", RunFilter(error="communication"), NothingMatches),
        ("retry", RunFilter(code=503), NothingMatches),
    ):
        with pytest.raises(error):
            redriving.start_bulk(act=act, wanted=filter_, actor=BY, now=clock.now())
    assert (Bulk.objects.count(), Errand.objects.count()) == (0, 0)


def test_many_are_cancelled_at_once(committed, tenant, worker):
    suspended(worker, keys=4, each=1, bad=set())
    bulk = redriving.start_bulk(
        act="cancel",
        wanted=RunFilter(business_key="o1"),
        actor=BY,
        now=clock.now(),
        reason="ordered twice",
    )
    view = finish(bulk, worker)
    assert view.counts[ItemState.DONE] == 1
    assert list(Run.objects.filter(status="cancelled").values_list("business_key", flat=True)) == ["o1"]
    with pytest.raises(BulkOver):
        redriving.stop_bulk(bulk_id=bulk.id, actor=BY, now=clock.now())


def test_what_stays_under_way_does_not_keep_an_act_open_for_ever(committed, tenant, worker, monkeypatch):
    workflow = suspended(worker, keys=1, each=2, bad=set())
    bulk = begin(workflow)
    redriving.carry_on(bulk.id, seconds=0.3)
    assert queries.bulk_view(bulk.id).counts[ItemState.SENT] == 1  # and no worker takes it up
    monkeypatch.setattr(redriving, "_PATIENCE", timedelta(0))
    redriving.carry_on(bulk.id, seconds=0.3)
    view = queries.bulk_view(bulk.id)
    assert (view.row.state, view.counts[ItemState.SENT], view.counts[ItemState.HELD]) == ("done", 1, 1)
    assert queries.bulk_items(bulk.id, states=["held"]).get().why.endswith("is still under way.")
    assert not Errand.objects.exists()


def test_a_round_that_the_database_breaks_off_is_done_again(committed, tenant, worker, monkeypatch):
    workflow = suspended(worker, keys=3, each=1, bad=set())
    bulk, does, calls = begin(workflow), operate.resume, []

    def unlucky(**given: Any) -> None:
        calls.append(given["run_id"])
        does(**given)
        if len(calls) == 2:
            raise OperationalError("deadlock detected")

    monkeypatch.setattr(operate, "resume", unlucky)
    with pytest.raises(OperationalError):
        for _ in range(20):
            redriving.carry_on(bulk.id, seconds=0.1)
    finish(bulk, worker)
    assert {len(resumed(run)) for run in Run.objects.all()} == {1}
