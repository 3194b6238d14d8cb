"""An ERP's order desk: orders are booked once a key, stock is reserved and given back, what is booked can be read."""

from typing import Any, Final

from automations.connectors.contract import Auth, Connector, Operation, Probe, Schema
from automations.connectors.enums import AuthKind, Effect

_NUMBER: Final = {"type": "string", "title": "Order number", "minLength": 1, "maxLength": 80}
_MINOR: Final = {"type": "integer", "minimum": 0}
_KNOWN: Final = {"type": ["string", "null"]}
_ORDER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["number", "customer", "shipping_address", "currency", "lines", "total_minor"],
    "properties": {
        "number": _NUMBER,
        "customer": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "email": _KNOWN},
        },
        "shipping_address": {
            "type": "object",
            "required": ["street", "city", "country"],
            "properties": {
                "name": _KNOWN,
                "street": {"type": "string"},
                "city": {"type": "string"},
                "region": _KNOWN,
                "postcode": {**_KNOWN, "title": "Postcode"},  # the ERP knows what each country asks for
                "country": {"type": "string", "title": "Country, two letters", "pattern": "^[A-Z]{2}$"},
            },
        },
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku", "quantity", "unit_minor"],
                "properties": {
                    "sku": {"type": "string"},
                    "quantity": {"type": "integer", "minimum": 1},
                    "unit_minor": _MINOR,
                },
            },
        },
        "shipping_minor": _MINOR,
        "total_minor": _MINOR,
    },
}
_BOOKED: Final = Schema(
    {
        "type": "object",
        "properties": {
            "number": {"type": "string"},
            "reference": {"type": "string", "title": "Posting reference"},
            "status": {"type": "string", "enum": ["booked", "reserved", "cancelled"]},
            "reservation": {"type": ["string", "null"]},
            "booked_at": {"type": "string", "format": "date-time"},
            "currency": {"type": "string"},
            "total_minor": _MINOR,
        },
    }
)
_BY_NUMBER: Final = Schema({"type": "object", "required": ["number"], "properties": {"number": _NUMBER}})

CONNECTOR = Connector(
    name="erp",
    title="ERP orders",
    icon="building-2",
    category="ERP",
    summary="Books orders once, reserves stock, reads what is booked.",
    settings=Schema(
        {
            "type": "object",
            "required": ["base_url"],
            "properties": {
                "base_url": {
                    "title": "Base URL",
                    "description": "Without /erp, as in https://erp.example.com",
                    "type": "string",
                    "format": "uri",
                    "pattern": "^https?://",
                    "maxLength": 500,
                }
            },
            "additionalProperties": False,
        }
    ),
    auth=(Auth(AuthKind.BEARER, "Access key"),),
    operations=(
        Operation(
            name="orders.create",
            title="Book an order",
            method="POST",
            path="/erp/orders",
            input=Schema(_ORDER),
            output=_BOOKED,
            effect=Effect.IDEMPOTENT,
            idempotency_header="Idempotency-Key",
        ),
        Operation(
            name="orders.get",
            title="Read a booked order",
            method="GET",
            path="/erp/orders/{number}",
            input=_BY_NUMBER,
            output=_BOOKED,
            effect=Effect.SAFE,
        ),
        Operation(
            name="orders.reserve",
            title="Reserve stock for a booked order",
            method="POST",
            path="/erp/orders/{number}/reserve",
            input=_BY_NUMBER,
            output=_BOOKED,
            effect=Effect.IDEMPOTENT,
            idempotency_header="Idempotency-Key",
        ),
        Operation(
            name="orders.cancel",
            title="Cancel a booked order",
            method="POST",
            path="/erp/orders/{number}/cancel",
            input=_BY_NUMBER,
            output=_BOOKED,
            effect=Effect.IDEMPOTENT,
            idempotency_header="Idempotency-Key",
        ),
        Operation(
            name="stock.get",
            title="Read the stock of an article",
            method="GET",
            path="/erp/stock/{sku}",
            input=Schema(
                {
                    "type": "object",
                    "required": ["sku"],
                    "properties": {"sku": {"type": "string", "minLength": 1, "maxLength": 80}},
                }
            ),
            output=Schema(
                {
                    "type": "object",
                    "properties": {
                        "sku": {"type": "string"},
                        "on_hand": {"type": "integer"},
                        "reserved": {"type": "integer"},
                        "available": {"type": "integer"},
                    },
                }
            ),
            effect=Effect.SAFE,
        ),
    ),
    probe=Probe("/erp/stock/connection-test", expect=frozenset({200, 404})),
)
