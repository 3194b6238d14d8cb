"""Events become facts, whatever order they come in."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations.events import actions as events
from automations.insights.models import OrderFact, OrderLineFact
from automations.insights.queries import orders
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.insights.conftest import event
from tests.support import make
from tests.support.cast import NOW

Fold = Callable[..., None]
PLACED = "2026-03-02T08:14:09Z"


def test_an_order_is_known_from_its_placing(fold: Fold) -> None:
    fold([event("order.placed", "10045", PLACED, make.order(estimated_delivery_at="2026-03-09T20:00:00Z"))])
    fact = OrderFact.objects.get()
    assert (fact.order_id, fact.number, fact.channel, fact.country) == ("10045", "10045", "web", "GB")
    assert (fact.total_minor, fact.currency, fact.lines) == (17_895, "GBP", 2)
    assert fact.placed_at.isoformat() == "2026-03-02T08:14:09+00:00"
    assert fact.estimated_delivery_at.isoformat() == "2026-03-09T20:00:00+00:00"
    lines = list(
        OrderLineFact.objects.order_by("line_no").values_list("line_no", "sku", "quantity", "price_minor")
    )
    assert lines == [(1, "RAIN-02", Decimal(1), 8_900), (2, "MUGS-01", Decimal(5), 1_700)]


def test_the_first_of_each_instant_counts(fold: Fold) -> None:
    for hour in ("12", "10", "11"):
        fold([event("order.approved", "1", f"2026-03-02T{hour}:00:00Z")])
    fold(
        [
            event("order.delivered", "1", "2026-03-05T10:00:00Z"),
            event("order.delivered", "1", "2026-03-04T10:00:00Z"),
        ]
    )
    fact = OrderFact.objects.get()
    assert (fact.approved_at.hour, fact.delivered_at.day) == (10, 4)


def test_the_newest_description_counts(fold: Fold) -> None:
    old = event("order.placed", "1", PLACED, make.order(order_id="1", total_minor=100))
    new = event(
        "order.updated",
        "1",
        "2026-03-03T08:00:00Z",
        make.order(order_id="1", total_minor=50, lines=[{"sku": "A", "quantity": 1, "price_minor": 50}]),
    )
    for batches in ([[old], [new]], [[new], [old]], [[old, new]], [[new, old]]):
        OrderFact.objects.all().delete()
        OrderLineFact.objects.all().delete()
        for batch in batches:
            fold(batch)
        assert OrderFact.objects.get().total_minor == 50
        assert list(OrderLineFact.objects.values_list("sku", flat=True)) == ["A"]


def test_a_stated_status_describes_nothing(fold: Fold) -> None:
    fold(
        [event("order.status_changed", "1", "2026-03-04T08:00:00Z", {"order_id": "1", "status": "invoiced"})]
    )
    fold([event("order.placed", "1", PLACED, make.order(order_id="1"))])
    fact = OrderFact.objects.get()
    assert (fact.total_minor, fact.stated) == (17_895, "invoiced")


def test_the_earlier_ending_counts(fold: Fold) -> None:
    fold([event("order.unavailable", "1", "2026-03-04T08:00:00Z")])
    fold([event("order.canceled", "1", "2026-03-03T08:00:00Z")])
    fact = OrderFact.objects.get()
    assert (fact.ended_as, fact.ended_at.day) == ("canceled", 3)


def story(key: str, dice: random.Random) -> list[Any]:
    """All that may happen to one order, some of it at one instant."""
    at = NOW
    found = [event("order.placed", key, at, make.order(order_id=key, placed_at="2026-03-01T00:00:00Z"))]
    for kind in ("approved", "handed_over", "delivered", "canceled", "unavailable", "approved"):
        if dice.random() < 0.8:
            at = NOW + timedelta(hours=dice.randrange(5))
            found.append(event(f"order.{kind}", key, at, key=f"{key}-{kind}-{len(found)}"))
    for number in range(3):
        at = NOW + timedelta(hours=dice.randrange(3))
        data = make.order(order_id=key, total_minor=number, status=f"s{number}", number=f"n{number}")
        found.append(event("order.updated", key, at, data, key=f"{key}-update-{number}"))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_whatever_order_they_come_in_the_facts_are_the_same(fold: Fold, seed: int) -> None:
    dice = random.Random(seed)
    told = [one for number in range(4) for one in story(str(number), dice)]

    def facts() -> tuple[list[Any], list[Any]]:
        return (
            list(OrderFact.objects.order_by("order_id").values()),
            list(OrderLineFact.objects.order_by("order_id", "line_no").values()),
        )

    fold(told)
    expected = facts()
    for _ in range(4):
        OrderFact.objects.all().delete()
        OrderLineFact.objects.all().delete()
        dice.shuffle(told)
        rest = list(told)
        while rest:
            size = dice.randrange(1, 9)
            fold(rest[:size])
            rest = rest[size:]
        assert facts() == expected


def test_what_names_no_order_is_left_alone(fold: Fold) -> None:
    fold([event("order.approved", "", PLACED, {}), event("order.noted", "1", PLACED, {"text": "hm"})])
    fold([])
    assert not OrderFact.objects.exists()


def test_a_batch_costs_three_statements(fold: Fold) -> None:
    told = [
        event("order.placed", str(number), PLACED, make.order(order_id=str(number))) for number in range(300)
    ]
    told += [event("order.approved", str(number), "2026-03-02T09:00:00Z") for number in range(300)]
    with CaptureQueriesContext(connection) as seen:
        fold(told)
    assert len([query for query in seen if "insights_" in query["sql"]]) == 3
    assert orders() == 300


def test_events_are_folded_when_they_are_dispatched(tenant: TenantRef, other_tenant: TenantRef) -> None:
    events.publish(
        type="order.placed", subject="10045", data=make.order(), source="/shops/test", time=NOW, event_id="1"
    )
    events.dispatch(tenant, now=NOW)
    assert orders() == 1
    with context.enter(other_tenant):
        assert orders() == 0
