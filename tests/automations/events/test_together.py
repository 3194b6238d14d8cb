"""The same delivery twenty times at once is one event."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from automations.events import actions
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW
from tests.support.make import Door

pytestmark = pytest.mark.usefixtures("committed", "rings")


def at_once(count: int, tenant: TenantRef, door: Door, bodies: list[bytes], **signing: Any) -> Counter[int]:
    """Deliver the bodies in turn from `count` threads that start together; how often each status came."""
    start, statuses = threading.Barrier(count), []

    def send(number: int) -> None:
        raw = bodies[number % len(bodies)]
        headers = make.signed(raw, door.secret, **signing)
        try:
            with context.enter(tenant):
                start.wait(10)
                statuses.append(
                    actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=NOW).status
                )
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


def test_the_same_delivery_twenty_times_at_once_is_one_event(tenant: TenantRef, door: Door) -> None:
    raw = make.body(make.cloudevent(id="e-1"))
    assert at_once(20, tenant, door, [raw]) == {202: 1, 200: 19}
    assert (Event.objects.count(), IntakeRow.objects.count(), Rejection.objects.count()) == (1, 1, 0)


def test_two_bodies_under_one_id_at_once_are_one_event_and_one_conflict(
    tenant: TenantRef, door: Door
) -> None:
    bodies = [make.body(make.cloudevent(id="e-1", subject=subject)) for subject in ("a", "b")]
    counts = at_once(20, tenant, door, bodies)
    assert counts == {202: 1, 200: 9, 409: 10}
    assert (Event.objects.count(), IntakeRow.objects.count(), Rejection.objects.count()) == (1, 1, 1)


def test_overlapping_batches_at_once_store_each_event_once(tenant: TenantRef, door: Door) -> None:
    events = [make.cloudevent(id=f"e-{number}") for number in range(40)]
    bodies = [make.body(events[start : start + 30]) for start in (0, 5, 10)]
    at_once(6, tenant, door, bodies, content_type="application/cloudevents-batch+json")
    assert (Event.objects.count(), IntakeRow.objects.count()) == (40, 40)


def test_the_same_broken_event_at_once_is_set_aside_once(tenant: TenantRef, door: Door) -> None:
    raw = make.body(make.cloudevent(id="e-1", data={}))
    assert at_once(10, tenant, door, [raw]) == {202: 1, 200: 9}
    assert (Event.objects.count(), Rejection.objects.count()) == (0, 1)
