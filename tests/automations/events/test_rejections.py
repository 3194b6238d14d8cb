"""What was set aside is taken after all or discarded, by a person, once, and told."""

from collections.abc import Callable

import pytest

from automations.events import actions, registry
from automations.events.actions import Receipt
from automations.events.errors import AlreadyDecided, IdReused, NotAcceptable
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from kernel.errors import Forbidden
from tenants.audit.models import AuditEvent
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW, Cast

Deliver = Callable[..., Receipt]


@pytest.fixture
def broken(deliver: Deliver) -> Rejection:
    """An event that breaks its contract."""
    deliver(make.cloudevent(id="e-1", data={"order_id": 5}, correlationid="c"))
    return Rejection.objects.get()


def test_a_broken_event_is_taken_as_it_is(cast: Cast, broken: Rejection, now: object) -> None:
    actor = cast.actor(cast.owner)
    event = actions.accept_rejection(rejection=broken, reason="known sender", actor=actor, now=NOW)
    stored = Event.objects.get()
    assert stored == event
    assert stored.envelope() == broken.body
    assert (stored.contract, stored.endpoint_id, stored.received_at) == (None, broken.endpoint_id, NOW)
    assert IntakeRow.objects.get().event_id == event.id
    broken.refresh_from_db()
    assert (broken.state, broken.event, broken.decided_at) == ("accepted", event.id, NOW)
    trace = AuditEvent.objects.get(action="events.accept_rejection")
    assert (trace.reason, trace.before, trace.after) == (
        "known sender",
        {"state": "open"},
        {"state": "accepted"},
    )


def test_once_taken_its_redelivery_is_a_replay(broken: Rejection, deliver: Deliver) -> None:
    actions.accept_rejection(rejection=broken, reason="", actor=make.BY, now=NOW)
    body = dict(broken.body or {})
    assert deliver(body) == Receipt(status=200, duplicates=1)
    assert Event.objects.count() == 1


@pytest.mark.usefixtures("handlers")
def test_an_event_on_which_a_handler_failed_is_handed_on_again(
    deliver: Deliver, tenant: TenantRef, now: object
) -> None:
    failing, seen = [1], []

    @registry.handles("*")
    def work(events: list[Event], at: object) -> None:
        if failing:
            raise ValueError
        seen.extend(event.event_id for event in events)

    deliver(make.cloudevent(id="e-1"))
    actions.dispatch(tenant, now=NOW)
    failing.clear()
    aside = Rejection.objects.get()
    actions.accept_rejection(rejection=aside, reason="fixed", actor=make.BY, now=NOW)
    assert actions.dispatch(tenant, now=NOW) == 1
    assert (seen, Event.objects.count()) == (["e-1"], 1)


def test_discarding_leaves_it_aside(cast: Cast, broken: Rejection) -> None:
    actor = cast.actor(cast.partner_engineer)
    row = actions.discard_rejection(rejection=broken, reason="a test order", actor=actor, now=NOW)
    assert (row.state, row.decided_at) == ("discarded", NOW)
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)
    assert AuditEvent.objects.get(action="events.discard_rejection").reason == "a test order"


def test_it_is_decided_once(broken: Rejection) -> None:
    actions.discard_rejection(rejection=broken, reason="", actor=make.BY, now=NOW)
    with pytest.raises(AlreadyDecided):
        actions.accept_rejection(rejection=broken, reason="", actor=make.BY, now=NOW)
    with pytest.raises(AlreadyDecided):
        actions.discard_rejection(rejection=broken, reason="", actor=make.BY, now=NOW)
    assert Event.objects.count() == 0


def test_what_is_no_event_or_not_the_senders_to_send_cannot_be_taken(deliver: Deliver) -> None:
    deliver(make.cloudevent(id="e-1"))
    deliver([{"no": "event"}, make.cloudevent("portal.x"), make.cloudevent(id="e-1", subject="other")])
    assert sorted(Rejection.objects.values_list("code", flat=True)) == [
        "id_reused",
        "not_an_event",
        "reserved",
    ]
    for aside in Rejection.objects.all():
        with pytest.raises(NotAcceptable):
            actions.accept_rejection(rejection=aside, reason="", actor=make.BY, now=NOW)
    assert (Event.objects.count(), Rejection.objects.filter(state="open").count()) == (1, 3)


def test_it_is_not_taken_where_its_id_was_used_meanwhile(broken: Rejection, deliver: Deliver) -> None:
    deliver(make.cloudevent(id="e-1"))
    with pytest.raises(IdReused):
        actions.accept_rejection(rejection=broken, reason="", actor=make.BY, now=NOW)
    broken.refresh_from_db()
    assert (broken.state, Event.objects.count()) == ("open", 1)


@pytest.mark.parametrize("who", ["reviewer", "analyst", "staff", "stranger", "other_owner"])
def test_who_may_not_decide_leaves_no_trace(cast: Cast, broken: Rejection, who: str) -> None:
    actor, before = cast.actor(getattr(cast, who)), AuditEvent.objects.count()
    with pytest.raises(Forbidden):
        actions.accept_rejection(rejection=broken, reason="", actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        actions.discard_rejection(rejection=broken, reason="", actor=actor, now=NOW)
    broken.refresh_from_db()
    assert (broken.state, Event.objects.count(), AuditEvent.objects.count()) == ("open", 0, before)
