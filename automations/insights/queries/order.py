"""Single orders, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from automations.events.queries import Page
from automations.insights.models import OrderFact, OrderLineFact
from automations.insights.queries import paging, units
from automations.insights.queries.measures import STATUS
from kernel import clock

_COLUMNS: Final = (
    "order_id",
    "number",
    "channel",
    "country",
    "region",
    "currency",
    "total_minor",
    "estimated_delivery_at",
    "placed_at",
    "approved_at",
    "handed_over_at",
    "delivered_at",
    "ended_at",
)
_SELECT: Final = f"select {', '.join(f'f.{name}' for name in _COLUMNS)}, {STATUS} from insights_orderfact f"


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of an order; `price_minor` is of one."""

    line_no: int
    sku: str
    quantity: Decimal
    price_minor: int | None
    shipping_limit_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its instants; its lines are filled for a single one."""

    order_id: str
    number: str
    channel: str
    country: str
    region: str
    currency: str
    total_minor: int | None
    estimated_delivery_at: datetime | None
    placed_at: datetime | None
    approved_at: datetime | None
    handed_over_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None
    status: str
    lines: Sequence[LineView] = ()


@dataclass(frozen=True)
class OrderFilter:
    """Which orders: by how their id or number begins, where they are, when they were placed.

    `partial` asks for those of which it is not known when they were placed, and for no other.
    """

    text: str = ""
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
    late: bool = False
    partial: bool = False


def orders() -> int:
    """How many orders are known."""
    return OrderFact.objects.count()


def order_view(key: str, *, at: datetime) -> OrderView | None:
    """The order with this id, or else with this number; None where there is none."""
    found = _read("where f.order_id = %(key)s", {"at": at, "key": key})
    if not found:
        found = _read(
            "where f.number = %(key)s and f.number <> '' order by f.placed_at desc limit 1",
            {"at": at, "key": key},
        )
    if not found:
        return None
    lines = OrderLineFact.objects.filter(order_id=found[0][0]).order_by("line_no")
    views = [
        LineView(line.line_no, line.sku, line.quantity, line.price_minor, line.shipping_limit_at)
        for line in lines
    ]
    return replace(OrderView(*found[0]), lines=views)


def orders_like(text: str, *, at: datetime, limit: int = 10) -> list[OrderView]:
    """Orders whose id or number begins with `text`, newest first."""
    found = _read(
        f"where {_BEGINS} order by f.placed_at desc nulls last, f.order_id limit %(limit)s",
        {"at": at, "text": _beginning(text), "limit": limit},
    )
    return [OrderView(*row) for row in found]


def orders_with(sku: str, *, at: datetime, limit: int = 5) -> list[OrderView]:
    """Orders with a line of exactly this SKU, newest first."""
    lines = "select 1 from insights_orderline l where l.order_id = f.order_id and l.sku = %(sku)s"
    found = _read(
        f"where exists ({lines}) order by f.placed_at desc nulls last, f.order_id limit %(limit)s",
        {"at": at, "sku": sku, "limit": limit},
    )
    return [OrderView(*row) for row in found]


def order_list(wanted: OrderFilter, *, at: datetime, after: str = "", limit: int = 50) -> Page[OrderView]:
    """A page of orders, the last placed first. Raises Invalid for an `after` that is none."""
    conditions = ["f.placed_at is null" if wanted.partial else "f.placed_at <= %(at)s"]
    if wanted.text:
        conditions.append(_BEGINS)
    if wanted.status:
        conditions.append(f"({STATUS}) = %(status)s")
    if wanted.late:
        conditions.append(_PAST_PROMISE)
    if wanted.since:
        conditions.append("f.placed_at >= %(since)s")
    if wanted.until:
        conditions.append("f.placed_at < %(until)s")
    place, key = _place(after) if after else (None, "")
    if after:
        conditions.append(
            "f.order_id < %(key)s" if wanted.partial else "(f.placed_at, f.order_id) < (%(place)s, %(key)s)"
        )
    by = "f.order_id desc" if wanted.partial else "f.placed_at desc, f.order_id desc"
    found = _read(
        f"where {' and '.join(conditions)} order by {by} limit %(limit)s",
        {
            "at": at,
            "text": _beginning(wanted.text),
            "status": wanted.status,
            "since": wanted.since,
            "until": wanted.until,
            "place": place,
            "key": key,
            "limit": limit + 1,
        },
    )
    views = [OrderView(*row) for row in found]
    last = views[limit - 1] if len(views) > limit else None
    return Page(tuple(views[:limit]), paging.write(last.placed_at, last.order_id) if last else "")


def _place(after: str) -> tuple[datetime | None, str]:
    """When the last order of the page before was placed, and its id. Raises Invalid."""
    found = paging.read(after)
    if len(found) != 2 or not isinstance(found[1], str) or not isinstance(found[0], (str, type(None))):
        raise paging.no_place()
    try:
        return clock.parse_rfc3339(found[0]) if found[0] else None, found[1]
    except ValueError as error:
        raise paging.no_place() from error


_BEGINS: Final = "(f.order_id like %(text)s or (f.number <> '' and f.number like %(text)s))"
_PAST_PROMISE: Final = (
    "f.estimated_delivery_at < coalesce(case when f.delivered_at <= %(at)s then f.delivered_at end, %(at)s)"
    " and (f.ended_at is null or f.ended_at > %(at)s)"
)
"""Delivered after its promise, or past it and still not delivered."""


def _beginning(text: str) -> str:
    """`text` as a pattern for what begins with it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _read(condition: str, parameters: dict[str, Any]) -> list[Any]:
    within, given = units.condition()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_SELECT} {condition}".replace("where ", f"where ({within}) and ", 1), parameters | given
        )
        return list(cursor.fetchall())
