"""Figures and the rows behind them come from one condition."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automations.insights.queries import Scope, facts, measures
from automations.insights.queries.measures import Measure
from kernel.errors import Invalid
from tenants.tenancy.queries import TenantRef
from tests.automations.insights.conftest import event
from tests.support import make

Fold = Callable[..., None]
T0 = datetime(2026, 3, 2, 8, tzinfo=UTC)
PART_MEASURES = [facts.DELIVERED, facts.HANDED_OVER_LINES, facts.UNDER_WAY]
MEASURES = [*PART_MEASURES, facts.PLACED, facts.BY_STATUS, facts.AGE, facts.APPROVAL_LAG, facts.HANDOVER_LAG]


def placed(key: str, hours: float = 0, **more: Any) -> Any:
    at = T0 + timedelta(hours=hours)
    return event(
        "order.placed", key, at, make.order(order_id=key, number=key, placed_at=at.isoformat(), **more)
    )


def then(kind: str, key: str, hours: float, **data: Any) -> Any:
    return event(f"order.{kind}", key, T0 + timedelta(hours=hours), {"order_id": key, **data})


def test_what_a_shop_states_counts_until_something_happens(fold: Fold) -> None:
    fold([placed("A"), then("approved", "A", 1), then("updated", "A", 2, status="invoiced")])

    def status(hours: float) -> list[tuple[str, float | None]]:
        figure = measures.by_part(facts.BY_STATUS, Scope(at=T0 + timedelta(hours=hours)))
        return [(part.code, part.value) for part in figure.parts]

    assert status(0.5) == [("created", 1)]
    assert status(1.5) == [("approved", 1)]
    assert status(2) == [("invoiced", 1)]
    fold([then("handed_over", "A", 3)])
    assert status(2.5) == [("invoiced", 1)]
    assert status(3) == [("shipped", 1)]


def test_a_period_holds_its_beginning_and_not_its_end(fold: Fold) -> None:
    fold([placed(key, hours) for key, hours in zip("ABC", (0, 1, 2), strict=True)])
    scope = Scope(at=T0 + timedelta(days=1), since=T0, until=T0 + timedelta(hours=2))
    assert measures.count(facts.PLACED, scope).n == 2
    assert [row.id for row in measures.rows(facts.PLACED, scope).items] == ["B", "A"]
    before = scope.before()
    assert before is not None
    assert (before.since, before.until) == (T0 - timedelta(hours=2), T0)
    assert measures.count(facts.PLACED, before).n == 0
    assert Scope(at=T0).before() is None


def test_days_are_those_of_the_tenant(fold: Fold) -> None:
    fold([placed("A", 15.5), placed("B", 16.5)])  # 23:30 and 00:30 UTC
    period = {"at": T0 + timedelta(days=3), "since": T0, "until": T0 + timedelta(days=2)}
    utc = dict(measures.daily(facts.PLACED, Scope(**period)))
    berlin = dict(measures.daily(facts.PLACED, Scope(**period, zone=ZoneInfo("Europe/Berlin"))))
    assert utc == {date(2026, 3, 2): 1, date(2026, 3, 3): 1, date(2026, 3, 4): 0}
    assert berlin[date(2026, 3, 3)] == 2


@pytest.mark.parametrize("sort", ["newest", "value"])
@pytest.mark.parametrize("measure", MEASURES)
def test_pages_hold_every_row_once(fold: Fold, measure: Measure, sort: str) -> None:
    told = []
    for number in range(17):
        key = f"{number:02}"
        lines = [{"sku": "A", "quantity": 1, "price_minor": 1, "shipping_limit_at": T0.isoformat()}] * 2
        told += [
            placed(
                key, number // 4, lines=lines, estimated_delivery_at=T0.isoformat(), total_minor=number // 3
            )
        ]
        if number % 5:
            told += [then("approved", key, 5 + number // 4), then("handed_over", key, 9 + number // 4)]
        if number % 3:
            told += [then("delivered", key, 20 + number // 4)]
    fold(told)
    scope = Scope(at=T0 + timedelta(days=5))
    expected = measures.count(measure, scope).n
    seen, after = [], ""
    while True:
        page = measures.rows(measure, scope, sort=sort, after=after, limit=4)
        seen += page.items
        after = page.after
        if not after:
            break
    assert expected
    assert len(seen) == len({(row.id, row.place) for row in seen}) == expected
    places = [row.at if sort == "newest" else row.value for row in seen]
    assert places == sorted(places, reverse=True)


@pytest.mark.parametrize("measure", PART_MEASURES)
def test_each_part_opens_its_rows(fold: Fold, olist_tenant: TenantRef, measure: Measure) -> None:
    scope = Scope(at=datetime(2017, 6, 30, 23, 59, 59, tzinfo=UTC))
    figure = measures.counts(measure, scope, of=next(iter(measure.parts)))
    for part in figure.parts:
        rows = measures.rows(measure, scope, part=part.code, limit=20_000).items
        assert len(rows) == part.value, part.code


def test_percentiles_can_be_computed_from_the_rows(olist_tenant: TenantRef) -> None:
    import statistics

    scope = Scope(at=datetime(2018, 3, 27, 1, 57, 14, tzinfo=UTC))
    figure = measures.distribution(facts.HANDOVER_LAG, scope)
    values = [row.value for row in measures.rows(facts.HANDOVER_LAG, scope, part="p90", limit=20_000).items]
    assert len(values) == figure.n == 9_750
    assert figure.part("p90") == pytest.approx(statistics.quantiles(values, n=10, method="inclusive")[8])
    assert min(value for value in values if value is not None) < 0


@pytest.mark.parametrize(
    "asked",
    [{"part": "lost"}, {"sort": "price"}, {"after": "nonsense"}, {"after": "WzEsMiwzXQ"}, {"after": "MQ"}],
)
def test_what_is_asked_wrong_is_refused(tenant: TenantRef, asked: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        measures.rows(facts.DELIVERED, Scope(at=T0), **asked)
