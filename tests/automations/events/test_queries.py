"""Lists of events say what was asked for, page by page, without payloads."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from automations.events import actions, queries
from automations.events.models import Event
from automations.events.queries import EventFilter
from kernel.errors import Invalid, NotFound
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW


@pytest.fixture
def told(tenant: TenantRef) -> list[Event]:
    """Nine events, one an hour, the last at NOW."""
    types = ("order.placed", "order.paid", "till.opened")
    found = []
    for number in range(9):
        event = actions.publish(
            type=types[number % 3],
            subject=f"order-{number // 3}",
            data={},
            source="/shop" if number < 6 else "/tills",
            time=NOW - timedelta(hours=8 - number),
            event_id=f"e-{number}",
            internal=True,
        )
        Event.objects.filter(pk=event.pk).update(received_at=event.time, internal=number == 8)
        found.append(event)
    return found


def ids_of(page: queries.Page[queries.EventView]) -> list[str]:
    return [view.event_id for view in page.items]


def test_the_newest_come_first_and_pages_follow_each_other_without_a_gap(told: list[Event]) -> None:
    seen, after = [], ""
    for _ in range(3):
        page = queries.events(EventFilter(), after=after, limit=4)
        seen += ids_of(page)
        after = page.after
    assert seen == [f"e-{number}" for number in range(8, -1, -1)]
    assert after == ""


def test_pages_do_not_skip_events_of_one_instant(told: list[Event]) -> None:
    Event.objects.update(received_at=NOW)
    first = queries.events(EventFilter(), limit=5)
    second = queries.events(EventFilter(), after=first.after, limit=5)
    assert len({*ids_of(first), *ids_of(second)}) == 9


@pytest.mark.parametrize("after", ["nonsense", "%%%", "Zm9v"])
def test_a_place_that_is_none_is_refused(told: list[Event], after: str) -> None:
    with pytest.raises(Invalid):
        queries.events(EventFilter(), after=after)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(type="order.placed"), {0, 3, 6}),
        (EventFilter(type="order.*"), {0, 1, 3, 4, 6, 7}),
        (EventFilter(source="/tills"), {6, 7, 8}),
        (EventFilter(subject="order-1"), {3, 4, 5}),
        (EventFilter(text="ORDER-1"), {3, 4, 5}),
        (EventFilter(text="e-7"), {7}),
        (EventFilter(text="opened"), {2, 5, 8}),
        (EventFilter(since=NOW - timedelta(hours=1)), {7, 8}),
        (EventFilter(until=NOW - timedelta(hours=7)), {0}),
        (EventFilter(internal=True), {8}),
        (EventFilter(type="order.*", source="/tills"), {6, 7}),
        (EventFilter(text="nothing like it"), set()),
    ],
)
def test_every_filter_counts(told: list[Event], wanted: EventFilter, expected: set[int]) -> None:
    assert set(ids_of(queries.events(wanted))) == {f"e-{number}" for number in expected}


def test_a_list_does_not_load_payloads(told: list[Event], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as captured:
        page = queries.events(EventFilter())
    assert '"events_event"."data"' not in captured[0]["sql"]
    assert all(view.envelope == {} for view in page.items)


def test_one_event_comes_with_its_envelope_and_title(told: list[Event]) -> None:
    view = queries.event(told[0].public_id)
    assert view.envelope == told[0].envelope()
    assert (view.title, view.known) == ("Order placed", True)
    assert (queries.event(told[2].public_id).title, queries.event(told[2].public_id).known) == (
        "till.opened",
        False,
    )


@pytest.mark.parametrize(
    "public_id", ["evt_01h455vb4pex5vsknk084sn02q", "run_01h455vb4pex5vsknk084sn02q", "x"]
)
def test_what_is_not_there_is_not_found(tenant: TenantRef, public_id: str) -> None:
    with pytest.raises(NotFound):
        queries.event(public_id)


def test_an_event_of_another_tenant_is_not_found(told: list[Event], other_tenant: TenantRef) -> None:
    with context.enter(other_tenant), pytest.raises(NotFound):
        queries.event(told[0].public_id)


def test_a_subject_has_its_events_in_the_order_in_which_they_happened(told: list[Event]) -> None:
    Event.objects.filter(event_id="e-3").update(time=NOW)
    assert [view.event_id for view in queries.of_subject("order-1")] == ["e-4", "e-5", "e-3"]
    assert queries.of_subject("") == []


def test_hours_are_counted_the_empty_ones_too(told: list[Event]) -> None:
    Event.objects.filter(event_id="e-7").delete()
    found = queries.counts_by_hour(
        EventFilter(), since=NOW - timedelta(hours=2), until=NOW + timedelta(minutes=1)
    )
    hour = datetime.fromisoformat
    assert found == [
        (hour("2026-03-02T07:00:00Z"), 1),
        (hour("2026-03-02T08:00:00Z"), 0),
        (hour("2026-03-02T09:00:00Z"), 1),
    ]


def test_types_are_listed_once(told: list[Event]) -> None:
    assert queries.types_seen() == ["order.paid", "order.placed", "till.opened"]


def test_no_events_have_no_types(tenant: TenantRef) -> None:
    assert queries.types_seen() == []


def test_endpoints_tell_what_came_in_lately(tenant: TenantRef, django_assert_num_queries: Any) -> None:
    door, quiet = make.endpoint(name="Busy"), make.endpoint("shopify", name="Quiet")
    for number, at in enumerate([NOW - timedelta(days=2), NOW - timedelta(hours=1), NOW]):
        raw = make.body([make.cloudevent(id=f"e-{number}"), make.cloudevent(id=f"b-{number}", data={})])
        headers = make.signed(raw, door.secret, at=at, content_type="application/cloudevents-batch+json")
        actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=at)
    with django_assert_num_queries(3):
        busy, other = queries.endpoints(now=NOW)
    assert (busy.name, busy.path, busy.title) == ("Busy", door.path, "CloudEvents")
    assert (busy.last_at, busy.today, busy.open_rejections) == (NOW, 2, 3)
    assert (other.name, other.title, other.last_at, other.today) == ("Quiet", "Shopify", None, 0)
    assert queries.endpoint_row(busy.public_id) == door.row
    assert quiet.secret not in repr(other)


def test_rejections_are_listed_open_ones_first_asked(tenant: TenantRef) -> None:
    door = make.endpoint(name="Shop")
    raw = make.body([make.cloudevent(id=f"e-{number}", data={}) for number in range(3)])
    headers = make.signed(raw, door.secret, content_type="application/cloudevents-batch+json")
    actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=NOW)
    page = queries.rejections(limit=2)
    rest = queries.rejections(limit=2, after=page.after)
    assert {view.event_id for view in (*page.items, *rest.items)} == {"e-0", "e-1", "e-2"}
    assert (page.items[0].endpoint, page.items[0].body) == ("Shop", None)
    assert queries.open_rejections() == 3
    row = queries.rejection_row(page.items[0].public_id)
    actions.discard_rejection(rejection=row, reason="", actor=make.BY, now=NOW)
    assert queries.open_rejections() == 2
    assert [view.id for view in queries.rejections(state="discarded").items] == [row.id]
    assert queries.rejections(code="reserved").items == ()
    assert queries.rejection(row.public_id).body == row.body


def test_every_kind_of_endpoint_can_be_chosen() -> None:
    assert queries.endpoint_kinds() == [("cloudevents", "CloudEvents"), ("shopify", "Shopify")]
