"""Orders that were kept long enough leave the figures: none under way lately, none that a hold covers."""

from datetime import timedelta

import pytest

from automations.insights.actions import purge_orders
from automations.insights.models import OrderFact, OrderLineFact
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW

YEAR = timedelta(days=365)


def order(key: str, **more: object) -> None:
    OrderFact.objects.create(order_id=key, number=f"#{key}", **more)
    OrderLineFact.objects.create(order_id=key, line_no=1, sku="MUG", quantity=1)


@pytest.mark.django_db
def test_what_nothing_has_happened_to_for_so_long_goes(tenant: TenantRef) -> None:
    old = NOW - 2 * YEAR
    order("1", placed_at=old)
    order("2", placed_at=old, delivered_at=NOW)
    order("3", placed_at=old, stated_at=NOW - YEAR - timedelta(seconds=1))
    order("4", placed_at=NOW)
    order("5")
    order("6", placed_at=old)
    order("7", placed_at=old)
    gone = purge_orders(NOW - YEAR, ["6", "#7"], 1)
    assert (list(gone.keys), gone.held, gone.more) == (["1"], 2, True)
    gone = purge_orders(NOW - YEAR, ["6", "#7"], 9)
    assert (list(gone.keys), gone.held, gone.more) == (["3"], 2, False)
    left = ["2", "4", "5", "6", "7"]
    assert sorted(OrderFact.objects.values_list("order_id", flat=True)) == left
    assert sorted(OrderLineFact.objects.values_list("order_id", flat=True)) == left
