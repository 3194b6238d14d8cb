"""Olist: orders of a Brazilian marketplace. Times are taken as UTC; amounts are reais."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kernel.money import Money

SOURCE: Final = "/shops/olist"
_CURRENCY: Final = "BRL"
_STAGES: Final = (
    ("order.placed", "order_purchase_timestamp"),
    ("order.approved", "order_approved_at"),
    ("order.handed_over", "order_delivered_carrier_date"),
    ("order.delivered", "order_delivered_customer_date"),
)
_IMPLIED: Final = {
    "order.placed": "created",
    "order.approved": "approved",
    "order.handed_over": "shipped",
    "order.delivered": "delivered",
}
_TERMINAL: Final = {"canceled": "order.canceled", "unavailable": "order.unavailable"}


def events(folder: Path, *, limit: int = 0) -> Iterator[dict[str, Any]]:
    """Every event of the data set as CloudEvents in JSON form, in the order in which they happened.

    Events of one instant are ordered by stage. A status that no instant tells comes as `order.status_changed` (or the
    event of its own, for canceled and unavailable) at the last known instant of the order.
    """
    lines = _lines(folder / "order_items.csv.gz")
    customers = {row["customer_id"]: row for row in _rows(folder / "customers.csv.gz")}
    found: list[tuple[str, int, str, dict[str, Any]]] = []
    for number, order in enumerate(_rows(folder / "orders.csv.gz")):
        if limit and number >= limit:
            break
        found += _events_of(order, lines.get(order["order_id"], []), customers.get(order["customer_id"], {}))
    found.sort(key=lambda entry: entry[:3])
    return (event for _, _, _, event in found)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def _lines(path: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(path):
        found[row["order_id"]].append(row)
    return found


def _events_of(
    order: dict[str, str], lines: list[dict[str, str]], customer: dict[str, str]
) -> list[tuple[str, int, str, dict[str, Any]]]:
    key = order["order_id"]
    found = []
    last, implied = "", ""
    for rank, (kind, column) in enumerate(_STAGES):
        if not order[column]:
            continue
        at = _instant(order[column])
        data = _order(order, lines, customer) if kind == "order.placed" else {"order_id": key}
        found.append((at, rank, key, _event(kind, key, at, data)))
        last, implied = max(last, at), _IMPLIED[kind]
    status = order["order_status"]
    if status in _TERMINAL:
        found.append((last, 8, key, _event(_TERMINAL[status], key, last, {"order_id": key})))
    elif status != implied:
        found.append(
            (last, 9, key, _event("order.status_changed", key, last, {"order_id": key, "status": status}))
        )
    return found


def _event(kind: str, key: str, at: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{key}-{kind}",
        "source": SOURCE,
        "type": kind,
        "subject": key,
        "time": at,
        "datacontenttype": "application/json",
        "data": data,
    }


def _order(order: dict[str, str], lines: list[dict[str, str]], customer: dict[str, str]) -> dict[str, Any]:
    goods = sum((_minor(line["price"]) for line in lines), 0)
    freight = sum((_minor(line["freight_value"]) for line in lines), 0)
    found: dict[str, Any] = {
        "order_id": order["order_id"],
        "number": order["order_id"][:8],
        "placed_at": _instant(order["order_purchase_timestamp"]),
        "currency": _CURRENCY,
        "total_minor": goods + freight,
        "shipping_minor": freight,
        "lines": [
            {
                "line_id": line["order_item_id"],
                "sku": line["product_id"],
                "quantity": 1,
                "price_minor": _minor(line["price"]),
                "shipping_limit_at": _instant(line["shipping_limit_date"]),
                "seller": line["seller_id"],
            }
            for line in lines
        ],
        "customer": {"customer_id": order["customer_id"]},
        "shipping_address": {
            "city": customer.get("customer_city", ""),
            "region": customer.get("customer_state", ""),
            "postcode": customer.get("customer_zip_code_prefix", ""),
            "country": "BR",
        },
        "channel": "marketplace",
    }
    if order["order_estimated_delivery_date"]:
        found["estimated_delivery_at"] = _instant(order["order_estimated_delivery_date"])
    return found


def _minor(amount: str) -> int:
    return Money.of(amount, _CURRENCY).minor


def _instant(text: str) -> str:
    return f"{text.replace(' ', 'T')}Z"
