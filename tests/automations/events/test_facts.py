"""Rooms above and the API publish: in their own transaction, once, and only what is theirs to say."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from automations.events import actions
from automations.events.actions import Draft
from automations.events.errors import ContractBroken, IdReused, NotAnEvent, Reserved
from automations.events.models import Event
from automations.ledger.models import IntakeRow
from kernel.errors import PortalError
from tenants.tenancy.errors import NoTenant
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW

THEN = datetime(2026, 3, 1, tzinfo=UTC)


def draft(**changes: Any) -> dict[str, Any]:
    return {
        "type": "order.placed",
        "subject": "10045",
        "data": make.order(),
        "source": "/api",
        "time": THEN,
        **changes,
    }


def test_what_is_published_is_stored_and_waits_in_the_intake(tenant: TenantRef, now: datetime) -> None:
    event = actions.publish(**draft(event_id="e-1", extensions={"correlationid": "c"}))
    stored = Event.objects.get()
    assert stored.envelope() == event.envelope()
    assert (stored.id, stored.time, stored.received_at, stored.contract) == (event.id, THEN, NOW, 1)
    assert (stored.extensions, stored.internal, stored.endpoint_id) == ({"correlationid": "c"}, False, None)
    assert IntakeRow.objects.get(tenant_id=tenant.id).event_id == event.id


def test_without_an_id_each_call_is_an_event_of_its_own(tenant: TenantRef) -> None:
    first, second = actions.publish(**draft()), actions.publish(**draft())
    assert first.event_id != second.event_id
    assert Event.objects.count() == 2


def test_with_an_id_a_repeat_gives_the_stored_event(tenant: TenantRef) -> None:
    first = actions.publish(**draft(event_id="e-1"))
    assert actions.publish(**draft(event_id="e-1")) == first
    assert (Event.objects.count(), IntakeRow.objects.count()) == (1, 1)


def test_another_event_under_a_known_id_is_refused(tenant: TenantRef) -> None:
    actions.publish(**draft(event_id="e-1"))
    with pytest.raises(IdReused):
        actions.publish(**draft(event_id="e-1", data=make.order(total_minor=1)))
    assert Event.objects.get().data["total_minor"] == 17_895


@pytest.mark.parametrize(
    ("changes", "error", "fields"),
    [
        (
            {"data": make.order(total_minor="1")},
            ContractBroken,
            {"data/total_minor": ['"1" is not of type "integer"']},
        ),
        ({"type": "portal.run.faulted"}, Reserved, {}),
        ({"source": "/engine/x"}, Reserved, {}),
        ({"type": ""}, NotAnEvent, {"type": ["is missing"]}),
        ({"subject": "x" * 201}, NotAnEvent, {"subject": ["must have 1 to 200 characters"]}),
        (
            {"type": "t.x", "data": "\0"},
            NotAnEvent,
            {"data": ["holds the character U+0000, which cannot be kept"]},
        ),
        ({"extensions": {"Bad": 1}}, NotAnEvent, {"Bad": ["is no name of an attribute: use a-z and 0-9"]}),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_field(
    tenant: TenantRef, changes: Any, error: type[PortalError], fields: Any
) -> None:
    with pytest.raises(error) as caught:
        actions.publish(**draft(**changes))
    assert caught.value.fields == fields
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_facts_of_the_portal_may_have_reserved_types_and_no_contract(tenant: TenantRef) -> None:
    actions.publish(**draft(type="portal.run.faulted", source="/engine", data={}, internal=True))
    actions.publish(**draft(data={}, internal=True))
    assert list(Event.objects.values_list("internal", "contract")) == [(True, None), (True, None)]


def test_an_event_without_a_subject_is_one(tenant: TenantRef) -> None:
    assert "subject" not in actions.publish(**draft(subject="")).envelope()


def test_many_are_stored_in_their_order_or_not_at_all(tenant: TenantRef) -> None:
    drafts = [Draft(**draft(event_id=f"e-{number}")) for number in range(10)]
    found = actions.publish_many(drafts)
    assert [event.event_id for event in found] == [f"e-{number}" for number in range(10)]
    assert list(IntakeRow.objects.order_by("seq").values_list("event_id", flat=True)) == [
        event.id for event in found
    ]
    with pytest.raises(ContractBroken):
        actions.publish_many([Draft(**draft(event_id="good")), Draft(**draft(event_id="bad", data={}))])
    assert Event.objects.count() == 10


def test_it_stands_and_falls_with_the_callers_transaction(tenant: TenantRef) -> None:
    with transaction.atomic():
        actions.publish(**draft())
        transaction.set_rollback(True)
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_the_bell_is_rung_once_a_transaction(
    tenant: TenantRef, rings: list[None], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        actions.publish(**draft())
        actions.publish(**draft())
        assert rings == []
    assert rings == [None]


def test_without_a_tenant_nothing_is_published(cast: Any) -> None:
    with pytest.raises(NoTenant):
        actions.publish(**draft())
