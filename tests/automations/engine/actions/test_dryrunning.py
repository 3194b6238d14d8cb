"""A dry run: what would be called and with what, while nothing leaves and nothing is kept."""

import pytest

from automations.engine.actions import decisions
from automations.engine.actions.dryrunning import dry_run, recent_events
from automations.engine.models import Run, Segment
from automations.events.actions import publish
from automations.events.models import Event
from automations.ledger.models import QueueRow
from kernel import clock, ids
from kernel.errors import Invalid, NotFound
from tenants.audit.models import AuditEvent
from tests.automations.engine.actions.test_drain import BOOK, BY, bookable, deploy, erp, place


def test_no_request_leaves_and_the_calls_are_told_with_what_would_be_sent(committed, tenant, worker, estate):
    workflow = deploy(BOOK, connections=erp(estate))
    event = place(**bookable(estate))
    worker()  # so that there is a run whose answers are known
    assert Run.objects.get().status == "completed"
    before = (estate.requests, _rows())
    seen = dry_run(workflow, now=clock.now(), event_id=event.id)
    assert (estate.requests, _rows()) == before
    assert (seen.status, [call.what for call in seen.calls]) == (
        "completed",
        ["GET /erp/stock/RAIN-01", "POST /erp/orders"],
    )
    booking = seen.calls[1]
    assert (booking.request["body"]["number"], booking.answer) == ("10045", "runs")
    assert seen.calls[0].answer == "nothing"  # what it makes of the answer does not tell what that was
    assert "credentials" not in booking.request
    assert seen.output["status"] == "booked"
    assert [ref.rsplit("/", 1)[-1] for ref, _ in seen.steps] == ["translate", "look", "send", "book"]


def _rows() -> list[int]:
    return [kind.objects.count() for kind in (Run, Segment, Event, AuditEvent)] + [
        QueueRow.objects.values("run_id").count()
    ]


def test_what_it_would_wait_for_and_tell_is_told(tenant, now):
    workflow = deploy(
        "do: [{e: {emit: {event: {with: {source: /x, type: order.approved, subject: '1', data: {order_id: '1'}}}}}},"
        " {l: {listen: {to: {one: {with: {type: order.cancelled}}}}}}]"
    )
    seen = dry_run(workflow, now=now, given=[{"data": {}}])
    assert (seen.status, seen.emitted, seen.waits_for) == ("running", ["order.approved"], ["order.cancelled"])
    assert not Event.objects.filter(type="order.approved").exists()


def test_decision_tables_are_asked(tenant, now):
    decisions.publish_table(
        name="refund",
        document={
            "inputs": ["amount"],
            "outputs": ["auto"],
            "rules": [{"when": ["<= 50"], "then": [True]}],
            "otherwise": {"auto": False},
            "tests": [{"input": {"amount": 50}, "expect": {"auto": True}}],
        },
        actor=BY,
        now=now,
    )
    workflow = deploy(
        "do: [{d: {call: 'decide:1@default', with: {table: refund, input: {amount: '${ .[0].amount }'}}}}]"
    )
    for amount, auto in ((40, True), (60, False)):
        seen = dry_run(workflow, now=now, given=[{"amount": amount}])
        assert (seen.output, seen.calls[0].answer) == ({"auto": auto}, "table")


def test_only_an_event_that_starts_it_is_taken(tenant, now):
    workflow = deploy("do: [{a: {set: {x: 1}}}]")
    other = publish(type="order.cancelled", subject="1", data={"order_id": "1"}, source="/shop", time=now)
    with pytest.raises(Invalid):
        dry_run(workflow, now=now, event_id=other.id)
    with pytest.raises(NotFound):
        dry_run(workflow, now=now, event_id=ids.uuid7())
    first = place()
    assert [event.id for event in recent_events(workflow)] == [first.id]
    assert dry_run(workflow, now=now, event_id=first.id).output == {"x": 1}
