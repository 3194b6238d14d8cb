"""Shopify: its webhooks become canonical events, and an order can be read again."""

from automations.connectors.contract import Auth, Connector, Inbound, Operation, Probe, Schema
from automations.connectors.enums import AuthKind, Effect
from automations.connectors.vendors.shopify import webhooks

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    icon="shopping-bag",
    category="Shop",
    summary="Orders, payments, fulfilments and refunds of a Shopify shop.",
    settings=Schema(
        {
            "type": "object",
            "required": ["base_url"],
            "properties": {
                "base_url": {
                    "title": "Address of the Admin API",
                    "description": "With its version, as in https://shop.myshopify.com/admin/api/2026-07",
                    "type": "string",
                    "format": "uri",
                    "pattern": "^https?://",
                    "maxLength": 500,
                }
            },
            "additionalProperties": False,
        }
    ),
    auth=(Auth(AuthKind.API_KEY, "Admin API access token", header="X-Shopify-Access-Token"),),
    operations=(
        Operation(
            name="orders.get",
            title="Read an order",
            method="GET",
            path="/orders/{order_id}.json",
            input=Schema(
                {
                    "type": "object",
                    "required": ["order_id"],
                    "properties": {
                        "order_id": {"type": "string", "title": "Order id", "pattern": "^[0-9]{1,20}$"},
                        "fields": {"type": "string", "title": "Only these fields, with commas"},
                    },
                }
            ),
            output=Schema({"type": "object", "properties": {"order": {"type": "object"}}}),
            effect=Effect.SAFE,
            query=("fields",),
        ),
    ),
    probe=Probe("/shop.json"),
    inbound=Inbound(
        verify=webhooks.verify,
        read=webhooks.read,
        new_secret=webhooks.new_secret,
        check_secret=webhooks.check_secret,
        signs_id=False,
        topics=webhooks.TOPICS,
    ),
)
