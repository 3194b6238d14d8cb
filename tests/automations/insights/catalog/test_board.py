"""The dashboard of a period."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations.connectors.enums import ConnectionState
from automations.inbox.models import Case
from automations.insights.catalog import board, kpi
from automations.insights.catalog.board import BREAKDOWNS, TILES, Tile
from automations.insights.errors import UnknownKpi
from automations.insights.queries import Figure, Scope
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import make_case  # noqa: F401 - a fixture
from tests.support import make
from tests.support.cast import NOW

AT = datetime(2017, 12, 1, tzinfo=UTC)
MONTH = Scope(at=AT, since=AT - timedelta(days=28), until=AT)


def test_the_board_of_real_orders(olist_tenant: TenantRef) -> None:
    shown = board(MONTH)
    tiles = {tile.kpi.code: tile for tile in shown.tiles}
    assert list(tiles) == list(TILES)
    assert [tile.kpi.code for tile in shown.breakdowns] == list(BREAKDOWNS)
    placed = tiles["orders_placed"]
    assert placed.before is not None
    assert sum(value or 0 for _, value in placed.days) == placed.figure.value
    assert len(placed.days) == len(shown.chart) == len(shown.chart_before) == 28
    assert placed.change == (placed.figure.value or 0) - (placed.before.value or 0)
    assert tiles["late_delivery_rate"].figure.n > 0
    assert shown.as_of is None, "no event came in: the facts were folded by hand"


def test_the_board_costs_a_fixed_number_of_statements(olist_tenant: TenantRef) -> None:
    with CaptureQueriesContext(connection) as seen:
        board(MONTH)
    assert len(seen) <= 45


def test_what_needs_attention_comes_first(tenant: TenantRef, make_case: Any) -> None:  # noqa: F811
    make_case(title="Old and late", due_at=NOW - timedelta(hours=1))
    make_case(title="New")
    broken = make.connection(name="ERP of Hollis")
    type(broken).objects.filter(pk=broken.pk).update(state=ConnectionState.DISCONNECTED, state_detail="401")
    shown = board(Scope(at=NOW, since=NOW - timedelta(days=7), until=NOW))
    assert [(one.kind, one.title, one.tone) for one in shown.attention] == [
        ("case", "Old and late", "bad"),
        ("case", "New", "warn"),
        ("connection", "ERP of Hollis", "bad"),
    ]
    assert Case.objects.count() == 2


@pytest.mark.parametrize(
    ("code", "value", "before", "good"),
    [
        ("orders_placed", 2, 1, True),
        ("orders_placed", 1, 2, False),
        ("late_delivery_rate", 0.1, 0.2, True),
        ("late_delivery_rate", 0.2, 0.2, None),
        ("late_delivery_rate", None, 0.2, None),
        ("runs_by_status", 2, 1, None),
    ],
)
def test_a_change_is_good_or_not(code: str, value: float | None, before: float, good: bool | None) -> None:
    assert Tile(kpi(code), Figure(value, 1), Figure(before, 1), []).good is good


def test_there_is_no_such_figure() -> None:
    with pytest.raises(UnknownKpi):
        kpi("luck")
