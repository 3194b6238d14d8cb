"""Sending a run back to a step that it has passed: what is done again, under which keys, and what is told of it."""

import pytest

from automations.engine import queries
from automations.engine.actions import operate, rewinding
from automations.engine.errors import CannotRewind, RunOver
from automations.engine.models import Run, Subscription
from automations.events.models import Event
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden, NotFound
from tenants.audit.models import AuditEvent
from tests.automations.engine.actions.test_drain import BOOK, bookable, deploy, erp, place
from tests.support import make

BY = system("test")
STUB = "{{call: http, with: {{method: {0}, endpoint: {{uri: /stub/{1}, authentication: {{use: erp}}}}}}, output: {{as: $input}}}}"
MORE = f"""
use: {{authentications: {{erp: {{bearer: {{use: erp}}}}}}}}
do:
  - look: {STUB.format("get", "a")}
  - send: {STUB.format("post", "b")}
  - shut: {{set: '${{ error("shut") }}'}}
"""


def lines(run: Run) -> list[tuple[str, str]]:
    return [(step.name, step.status) for step in queries.journal(run.id)]


def number(run: Run, name: str) -> int:
    return next(step.no for step in queries.journal(run.id) if step.name == name)


def test_calls_behind_the_step_are_made_again_under_new_keys_and_those_before_it_are_not(
    committed, tenant, worker, estate
):
    deploy(MORE, connections=erp(estate))
    place()
    worker()
    run = Run.objects.get()
    assert (run.status, run.step) == ("suspended", "/do/2/shut")
    before = estate.requests
    found = rewinding.outlook(run.id, number(run, "send"))
    assert [(call.what, call.changes) for call in found.calls] == [("POST /stub/b", True)]
    both = rewinding.outlook(run.id, number(run, "look"))
    assert (len(both.calls), both.changing) == (2, 1)
    assert estate.requests == before  # looking changes nothing
    rewinding.rewind(
        run_id=run.id, no=number(run, "send"), actor=BY, now=clock.now(), reason="the ERP lost it"
    )
    worker()
    assert estate.requests == before + 1  # the stock was not asked for again
    sent = [step for step in queries.journal(run.id) if step.name == "send" and step.status == "completed"]
    assert len({step.key for step in sent}) == len(sent) == 2
    assert ("send", "resumed") in lines(run)
    trail = AuditEvent.objects.get(action="engine.rewind")
    assert (trail.before["step"], trail.after["step"], trail.reason) == (
        "/do/2/shut",
        "/do/1/send",
        "the ERP lost it",
    )
    facts = Event.objects.filter(type__startswith="portal.run.").order_by("received_at", "id")
    assert [fact.type.rsplit(".", 1)[-1] for fact in facts] == ["suspended", "recovered", "suspended"]


def test_the_data_can_be_corrected_on_the_way_and_both_are_kept(committed, tenant, worker, estate):
    deploy(BOOK, connections=erp(estate))
    address = {**make.order()["shipping_address"], "postcode": ""}
    place(**bookable(estate, shipping_address=address))
    worker()
    run = Run.objects.get()
    assert run.status == "suspended"
    no = number(run, "look")
    data = rewinding.outlook(run.id, no).data
    assert data == queries.run_view(run.id).failed_data
    data["shipping_address"]["postcode"] = "BS1 4DB"
    rewinding.rewind(run_id=run.id, no=no, actor=BY, now=clock.now(), reason="typo", value=data, edited=True)
    worker()
    assert Run.objects.get().status == "completed"
    resumed = next(step for step in queries.journal(run.id) if step.status == "resumed")
    assert (
        resumed.mode,
        resumed.before["shipping_address"]["postcode"],
        resumed.after["shipping_address"]["postcode"],
    ) == ("back", "", "BS1 4DB")
    trail = AuditEvent.objects.get(action="engine.rewind")
    assert trail.after["data"]["shipping_address"]["postcode"] == "BS1 4DB"


def test_a_run_that_waits_for_an_event_listens_no_more(committed, tenant, worker):
    deploy("do: [{a: {set: {x: 1}}}, {l: {listen: {to: {one: {with: {type: order.approved}}}}}}]")
    place()
    worker()
    run = Run.objects.get()
    first = Subscription.objects.get().no
    rewinding.rewind(run_id=run.id, no=0, actor=BY, now=clock.now(), reason="again")
    assert Subscription.objects.count() == 0
    worker()
    assert Subscription.objects.get().no != first
    assert lines(run) == [("a", "completed"), ("a", "resumed"), ("a", "completed")]


def test_who_may_not_and_what_is_over_goes_nowhere(committed, tenant, worker, cast):
    deploy("do: [{a: {set: {x: 1}}}, {b: {set: '${ error(\"shut\") }'}}]")
    place()
    worker()
    run = Run.objects.get()
    with pytest.raises(Forbidden):
        rewinding.rewind(run_id=run.id, no=0, actor=cast.actor(cast.analyst), now=clock.now())
    assert lines(run) == [("a", "completed"), ("b", "faulted")]
    operate.cancel(run_id=run.id, actor=BY, now=clock.now())
    with pytest.raises(RunOver):
        rewinding.rewind(run_id=run.id, no=0, actor=BY, now=clock.now())
    with pytest.raises(RunOver):
        rewinding.outlook(run.id, 0)
    with pytest.raises(NotFound):
        rewinding.outlook(tenant.id, 0)


def test_an_item_of_a_map_is_refused_with_the_reason(committed, tenant, worker):
    deploy(
        "do: [{all: {call: 'map:1@default', with: {in: '${ [1, 2] }', each: n, do: [{x: {set: '${ error(\"shut\") }'}}]}}}]"
    )
    place()
    worker()
    item = Run.objects.exclude(tasks="").filter(status="suspended").first()
    assert item is not None
    with pytest.raises(CannotRewind, match="item of a map"):
        rewinding.rewind(run_id=item.id, no=0, actor=BY, now=clock.now())


def test_runs_that_a_step_started_are_ended_and_others_begin(committed, tenant, worker):
    deploy(
        "do: [{a: {set: {n: 2}}}, {all: {call: 'map:1@default', with: {in: '${ [range(.n)] }', each: i,"
        " do: [{x: {set: '${ if $i == 1 then error(\"shut\") else {ok: $i} end }'}}]}}}]"
    )
    place()
    worker()
    parent = Run.objects.get(tasks="")
    assert parent.status == "waiting"
    assert sorted(Run.objects.exclude(tasks="").values_list("status", flat=True)) == [
        "completed",
        "suspended",
    ]
    found = rewinding.outlook(parent.id, 0)
    assert (found.data[0]["subject"], found.runs) == ("10045", 0)  # the step is not through
    rewinding.rewind(run_id=parent.id, no=0, actor=BY, now=clock.now(), reason="again")
    worker()
    items = Run.objects.exclude(tasks="")
    assert sorted(items.values_list("status", flat=True)) == [
        "cancelled",
        "completed",
        "completed",
        "suspended",
    ]
    assert [step.status for step in queries.journal(parent.id)] == ["completed", "resumed", "completed"]
    last = items.get(status="suspended")
    operate.resume(run_id=last.id, mode="complete", value={"ok": 1}, actor=BY, now=clock.now())
    worker()
    parent.refresh_from_db()
    assert (parent.status, queries.run_view(parent.id).output) == ("completed", [{"ok": 0}, {"ok": 1}])


def test_a_question_is_withdrawn_and_asked_again(committed, tenant, worker):
    deploy("do: [{a: {set: {n: 2}}}, {ask: {call: 'humanTask:1@default', with: {title: Refund}}}]")
    place()
    worker()
    run = Run.objects.get()
    rewinding.rewind(run_id=run.id, no=0, actor=BY, now=clock.now(), reason="again")
    worker()
    asked = Event.objects.filter(type="portal.case.requested").order_by("received_at", "id")
    settled = Event.objects.get(type="portal.case.settled")
    assert len({event.data["key"] for event in asked}) == 2
    assert (settled.data["key"], settled.data["outcome"]) == (asked[0].data["key"], "withdrawn")
    assert Subscription.objects.count() == 1
