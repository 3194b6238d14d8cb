"""Plain builders (`make.endpoint()`, `make.order()`): each gives something valid; a test says what it is about."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.datastructures import CaseInsensitiveMapping

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.events import actions as events
from automations.events.models import Endpoint
from kernel import ids, jsonx
from kernel.actor import system
from tests.support.cast import NOW

BY = system("test")


@dataclass(frozen=True)
class Door:
    """An endpoint and the secret that its sender knows."""

    row: Endpoint
    secret: str

    @property
    def path(self) -> str:
        """Where it takes deliveries, on its tenant's host."""
        return f"/hooks/{self.row.token}"


def order(**changes: Any) -> dict[str, Any]:
    """A canonical order."""
    return {
        "order_id": "10045",
        "number": "10045",
        "placed_at": "2026-03-02T08:14:09Z",
        "currency": "GBP",
        "total_minor": 17_895,
        "lines": [
            {"sku": "RAIN-02", "quantity": 1, "price_minor": 8_900},
            {"sku": "MUGS-01", "quantity": 5, "price_minor": 1_700},
        ],
        "customer": {"name": "Ann Example", "email": "ann@example.com"},
        "shipping_address": {
            "name": "Ann Example",
            "street": "14 Quay Street",
            "city": "Bristol",
            "postcode": "BS1 4DB",
            "country": "GB",
        },
        "channel": "web",
        **changes,
    }


def cloudevent(type_: str = "order.placed", data: Any = None, **attributes: Any) -> dict[str, Any]:
    """A CloudEvent as a shop would send it; an attribute that is None is left out."""
    found = {
        "specversion": "1.0",
        "id": str(ids.uuid7()),
        "source": "/shops/harbour",
        "type": type_,
        "subject": "10045",
        "time": "2026-03-02T08:14:09Z",
        "data": order() if data is None else data,
        **attributes,
    }
    return {name: value for name, value in found.items() if value is not None}


def endpoint(kind: str = "cloudevents", *, name: str = "", secret: str = "", now: datetime = NOW) -> Door:
    """An endpoint of the current tenant."""
    row, known = events.create_endpoint(
        name=name or f"{kind} {ids.uuid7().hex}", kind=kind, secret=secret, actor=BY, now=now
    )
    return Door(row, known)


def connection(
    connector: str = "erp", *, base_url: str = "https://erp.example.com", secret: str = "", **more: Any
) -> Connection:
    """A connection of the current tenant, with a secret if one is given."""
    row = connectors.create_connection(
        name=more.pop("name", f"{connector} {ids.uuid7().hex}"),
        connector=connector,
        settings={"base_url": base_url, **more.pop("settings", {})},
        actor=BY,
        now=NOW,
        **more,
    )
    return connectors.set_secret(connection=row, secret=secret, actor=BY, now=NOW) if secret else row


def body(value: Any) -> bytes:
    """`value` as it goes over the wire."""
    return value if isinstance(value, bytes) else jsonx.dumps(value)


def signed(
    raw: bytes,
    secret: str,
    *,
    at: datetime = NOW,
    key: str = "msg_1",
    content_type: str = "application/cloudevents+json",
) -> Mapping[str, str]:
    """The headers of a delivery signed as Standard Webhooks has it."""
    timestamp = str(int(at.timestamp()))
    content = b".".join([key.encode(), timestamp.encode(), raw])
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
    return headers(
        {
            "Content-Type": content_type,
            "webhook-id": key,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }
    )


def shopify_signed(raw: bytes, secret: str, topic: str, key: str = "wh-1") -> Mapping[str, str]:
    """The headers of a delivery as Shopify signs it."""
    mac = hmac.digest(secret.encode(), raw, "sha256")
    return headers(
        {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": key,
            "X-Shopify-Shop-Domain": "harbour.myshopify.com",
            "X-Shopify-Hmac-Sha256": base64.b64encode(mac).decode(),
        }
    )


def headers(values: Mapping[str, str]) -> Mapping[str, str]:
    """Headers whose names ignore case."""
    return CaseInsensitiveMapping(values)
