"""Shopify's webhooks: the HMAC over the raw body, and what each topic means in canonical events.

Shopify signs the body alone, neither topic nor id. So what a body says counts: a topic that the body contradicts is
refused, and the room above compares signed bodies as well as ids.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from automations.connectors.contract import Arrival, Delivery
from automations.connectors.errors import Nonsense, SignatureMissing, SignatureWrong
from kernel import clock, jsonx
from kernel.money import Money

_Body = Mapping[str, Any]
_PAID: Final = frozenset({"paid", "partially_refunded", "refunded"})
TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders/create": ("order.placed",),
    "orders/updated": ("order.updated",),
    "orders/paid": ("order.paid",),
    "orders/cancelled": ("order.canceled",),
    "fulfillments/create": ("shipment.updated", "order.handed_over"),
    "refunds/create": ("refund.created",),
}


def new_secret() -> str:
    """A secret for a shop that is told which one to use, as the simulated one is; a real app brings its own."""
    return secrets.token_hex(32)


def check_secret(secret: str) -> None:
    """Refuse a secret that could be guessed. Raises ValueError."""
    if len(secret) < 16:
        raise ValueError("a client secret of Shopify has at least 16 characters")


def verify(delivery: Delivery, keys: Sequence[str], now: datetime) -> None:
    """Check the HMAC of the raw body against every key. Raises SignatureMissing and SignatureWrong."""
    given = delivery.header("X-Shopify-Hmac-Sha256")
    if not given:
        raise SignatureMissing("the header X-Shopify-Hmac-Sha256 is missing")
    matches = False
    for key in keys:
        expected = base64.b64encode(hmac.digest(key.encode(), delivery.body, "sha256"))
        matches |= hmac.compare_digest(expected, given.encode("utf-8", "surrogateescape"))
    if not matches:
        raise SignatureWrong


def read(delivery: Delivery) -> list[Arrival]:
    """The events of a delivery; none for a topic that is not one of ours. Raises Nonsense."""
    topic = delivery.header("X-Shopify-Topic")
    if not topic:
        raise Nonsense("the header X-Shopify-Topic is missing")
    if topic not in TOPICS:
        return []
    key = delivery.header("X-Shopify-Webhook-Id")
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise Nonsense("the header X-Shopify-Webhook-Id is missing or no id")
    resource = topic.partition("/")[0].removesuffix("s")
    body = _resource(jsonx.loads_strict(delivery.body), resource)
    try:
        told = _READERS[topic](body)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Nonsense(f"this is no body of {topic}: {what}"[:300]) from None
    extensions = {"shopifytopic": topic, "shopifydomain": delivery.header("X-Shopify-Shop-Domain")}
    return [
        Arrival(
            id=key if number == 0 else f"{key}:{type_}",
            type=type_,
            subject=str(data["order_id"]),
            time=at,
            data=data,
            extensions={name: value for name, value in extensions.items() if value},
        )
        for number, (type_, at, data) in enumerate(told)
    ]


_Told = list[tuple[str, datetime, dict[str, Any]]]


def _resource(body: Any, name: str) -> _Body:
    """The resource itself: webhooks send it bare, the REST API wraps it in its name."""
    if isinstance(body, dict) and len(body) == 1 and isinstance(body.get(name), dict):
        body = body[name]
    if not isinstance(body, dict):
        raise Nonsense("the body is no JSON object")
    return body


def _placed(body: _Body) -> _Told:
    return [("order.placed", _at(body, "created_at"), _order(body))]


def _updated(body: _Body) -> _Told:
    return [("order.updated", _at(body, "updated_at"), _order(body))]


def _paid(body: _Body) -> _Told:
    if body["financial_status"] not in _PAID:
        raise ValueError(f"its financial_status is {body['financial_status']!r}")
    data = {
        "order_id": _key(body),
        "amount_minor": _minor(body["total_price"], body["currency"]),
        "currency": body["currency"],
    }
    return [("order.paid", _at(body, "updated_at"), data)]


def _canceled(body: _Body) -> _Told:
    data = {"order_id": _key(body), "reason": body.get("cancel_reason")}
    return [("order.canceled", _at(body, "cancelled_at"), _given(data))]


def _shipped(body: _Body) -> _Told:
    at = _at(body, "created_at")
    shipment = _given(
        {
            "shipment_id": _key(body),
            "order_id": _key(body, "order_id"),
            "status": body.get("status"),
            "carrier": body.get("tracking_company"),
            "tracking_number": body.get("tracking_number"),
        }
    )
    told: _Told = [("shipment.updated", at, {"status": "unknown", **shipment})]
    if body.get("status") == "success":  # pending and open wait for a warehouse; the others failed
        handed = {name: value for name, value in shipment.items() if name != "status"}
        told.append(("order.handed_over", at, handed))
    return told


def _refunded(body: _Body) -> _Told:
    done = [entry for entry in body.get("transactions") or [] if entry.get("kind") == "refund"]
    currency = done[0]["currency"] if done else None
    if any(entry["currency"] != currency for entry in done):
        raise ValueError("its transactions are in several currencies")
    data = {
        "refund_id": _key(body),
        "order_id": _key(body, "order_id"),
        "amount_minor": sum(_minor(entry["amount"], currency) for entry in done),
        "currency": currency,
        "reason": body.get("note") or None,
        "lines": [
            {"sku": _sku(line["line_item"]), "quantity": line["quantity"]}
            for line in body.get("refund_line_items") or []
        ],
    }
    return [("refund.created", _at(body, "created_at"), _given(data))]


_READERS: Final[Mapping[str, Callable[[_Body], _Told]]] = {
    "orders/create": _placed,
    "orders/updated": _updated,
    "orders/paid": _paid,
    "orders/cancelled": _canceled,
    "fulfillments/create": _shipped,
    "refunds/create": _refunded,
}


def _order(body: _Body) -> dict[str, Any]:
    """An order in canonical form; what Shopify leaves open is left out."""
    currency = body["currency"]
    customer = body.get("customer") or {}
    address = body.get("shipping_address") or {}
    shipping = body.get("shipping_lines") or []
    return _given(
        {
            "order_id": _key(body),
            "number": str(body.get("order_number") or body.get("name") or "") or None,
            "placed_at": clock.rfc3339(_at(body, "created_at")),
            "currency": currency,
            "total_minor": _minor(body["total_price"], currency),
            "tax_minor": _minor(body.get("total_tax") or "0", currency),
            "discount_minor": _minor(body.get("total_discounts") or "0", currency),
            "shipping_minor": sum(_minor(line["price"], currency) for line in shipping),
            "lines": [_line(line, currency) for line in body["line_items"]],
            "customer": _given(
                {
                    "customer_id": str(customer["id"]) if customer.get("id") else None,
                    "name": _full_name(customer) or _full_name(address),
                    "email": body.get("email") or customer.get("email") or None,
                    "phone": body.get("phone") or None,
                }
            ),
            "shipping_address": _address(address) if address else None,
            "channel": body.get("source_name") or None,
            "payment_status": body.get("financial_status"),
        }
    )


def _line(line: _Body, currency: str) -> dict[str, Any]:
    return _given(
        {
            "line_id": _key(line),
            "sku": _sku(line),
            "title": line.get("title") or None,
            "quantity": line["quantity"],
            "price_minor": _minor(line["price"], currency),
        }
    )


def _address(address: _Body) -> dict[str, Any]:
    street = ", ".join(part for part in (address.get("address1"), address.get("address2")) if part)
    return _given(
        {
            "name": address.get("name") or _full_name(address),
            "street": street or None,
            "city": address.get("city") or None,
            "region": address.get("province") or None,
            "postcode": address.get("zip") or None,
            "country": address.get("country_code") or None,
            "phone": address.get("phone") or None,
        }
    )


def _sku(line: _Body) -> str:
    """The SKU; a line without one is known by its variant, else by itself."""
    return str(line.get("sku") or line.get("variant_id") or line["id"])


def _key(body: _Body, name: str = "id") -> str:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).strip():
        raise ValueError(f"{name} is no id")
    return str(value)


def _minor(amount: Any, currency: Any) -> int:
    """A decimal string (`"409.94"`) in minor units; a float is refused, since it was not exact to begin with."""
    if not isinstance(amount, str) or not isinstance(currency, str):
        raise ValueError("an amount is no decimal string with a currency")
    return Money.of(amount, currency).minor


def _at(body: _Body, name: str) -> datetime:
    if not isinstance(body[name], str):
        raise ValueError(f"{name} is no time")
    return clock.parse_rfc3339(body[name])


def _full_name(person: _Body) -> str | None:
    return " ".join(part for part in (person.get("first_name"), person.get("last_name")) if part) or None


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """`values` without what is not known."""
    return {name: value for name, value in values.items() if value is not None}
