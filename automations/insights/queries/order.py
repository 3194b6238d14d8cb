"""Single orders, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from automations.insights.models import OrderFact, OrderLineFact
from automations.insights.queries.measures import STATUS

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
    beginning = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = _read(
        "where f.order_id like %(text)s or (f.number <> '' and f.number like %(text)s)"
        " order by f.placed_at desc nulls last, f.order_id limit %(limit)s",
        {"at": at, "text": beginning, "limit": limit},
    )
    return [OrderView(*row) for row in found]


def _read(condition: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} {condition}", parameters)
        return list(cursor.fetchall())
