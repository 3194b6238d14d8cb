"""An order in the words of others: Shopify's order resource, and a CloudEvent."""

from typing import Any, Final

from deploy.estate.orders import SHOP_NAME, Line, Order
from deploy.estate.places import COUNTRIES
from kernel.clock import rfc3339

SHOP_DOMAIN: Final = "hollis-outfitters.example"
_FIRST_ID: Final = 5_400_000_000_000


def money(minor: int) -> str:
    """An amount of a currency with two decimals, as Shopify writes it."""
    return f"{minor // 100}.{minor % 100:02d}"


def shopify_id(order: Order) -> int:
    """The shop's own number for `order`."""
    return _FIRST_ID + order.sequence


def shopify_order(order: Order) -> dict[str, Any]:
    """`order` in the shape of Shopify's order resource, as `orders/create` carries it."""
    address, at = _shopify_address(order), rfc3339(order.placed_at)
    return {
        "id": shopify_id(order),
        "admin_graphql_api_id": f"gid://shopify/Order/{shopify_id(order)}",
        "name": f"#{order.sequence}",
        "number": order.sequence,
        "order_number": order.sequence,
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "test": False,
        "confirmed": True,
        "currency": order.currency,
        "presentment_currency": order.currency,
        "email": order.email,
        "contact_email": order.email,
        "financial_status": "paid",
        "fulfillment_status": None,
        "source_name": "web",
        "taxes_included": True,
        **_shopify_sums(order),
        "discount_codes": [],
        "note": None,
        "note_attributes": [],
        "tags": "",
        "customer": _shopify_customer(order),
        "billing_address": address,
        "shipping_address": address,
        "shipping_lines": [
            {
                "code": "STANDARD",
                "title": "Standard delivery",
                "price": money(order.shipping_minor),
                "source": "shopify",
            }
        ],
        "line_items": [_shopify_line(order, index, line) for index, line in enumerate(order.lines)],
        "fulfillments": [],
        "refunds": [],
    }


def _shopify_customer(order: Order) -> dict[str, Any]:
    return {
        "id": _FIRST_ID + order.sequence * 7,
        "email": order.email,
        "first_name": order.first_name,
        "last_name": order.last_name,
        "state": "disabled",
        "verified_email": True,
        "default_address": _shopify_address(order),
    }


def _shopify_sums(order: Order) -> dict[str, Any]:
    return {
        "subtotal_price": money(order.goods_minor),
        "total_line_items_price": money(order.goods_minor),
        "total_discounts": "0.00",
        "total_tax": money(order.goods_minor // 6),
        "total_price": money(order.total_minor),
        "total_weight": sum(line.quantity * line.product.grams for line in order.lines),
    }


def _shopify_address(order: Order) -> dict[str, Any]:
    return {
        "first_name": order.first_name,
        "last_name": order.last_name,
        "name": order.customer_name,
        "company": None,
        "address1": order.address["street"],
        "address2": None,
        "city": order.address["city"],
        "zip": order.address["postcode"] or None,
        "province": order.address["region"],
        "province_code": order.address["region_code"] or None,
        "country": COUNTRIES[order.country].name,
        "country_code": order.country,
        "phone": None,
    }


def _shopify_line(order: Order, index: int, line: Line) -> dict[str, Any]:
    product = line.product
    return {
        "id": _FIRST_ID * 2 + order.sequence * 10 + index,
        "sku": product.sku,
        "title": product.title,
        "variant_title": product.variant,
        "name": f"{product.title} - {product.variant}",
        "vendor": SHOP_NAME,
        "quantity": line.quantity,
        "current_quantity": line.quantity,
        "price": money(line.unit_minor),
        "total_discount": "0.00",
        "grams": product.grams,
        "requires_shipping": True,
        "taxable": True,
        "product_exists": True,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "properties": [],
    }


def order_placed(order: Order) -> dict[str, Any]:
    """`order` as a CloudEvent `order.placed`, without the id of its sending; amounts in minor units."""
    postcode = order.address["postcode"]
    return {
        "specversion": "1.0",
        "type": "order.placed",
        "source": f"https://{SHOP_DOMAIN}",
        "subject": str(shopify_id(order)),
        "time": rfc3339(order.placed_at),
        "datacontenttype": "application/json",
        "data": {
            "order_id": str(shopify_id(order)),
            "number": str(order.sequence),
            "placed_at": rfc3339(order.placed_at),
            "currency": order.currency,
            "total_minor": order.total_minor,
            "shipping_minor": order.shipping_minor,
            "channel": "web",
            "payment_status": "paid",
            "customer": {"name": order.customer_name, "email": order.email},
            "shipping_address": {
                "name": order.customer_name,
                "street": order.address["street"],
                "city": order.address["city"],
                "region": order.address["region"],
                "country": order.country,
                **({"postcode": postcode} if postcode else {}),
            },
            "lines": [
                {
                    "line_id": str(index),
                    "sku": line.product.sku,
                    "title": line.product.title,
                    "quantity": line.quantity,
                    "price_minor": line.unit_minor,
                }
                for index, line in enumerate(order.lines, start=1)
            ],
        },
    }


def erp_order(order: Order) -> dict[str, Any]:
    """`order` as the ERP takes it."""
    return {
        "number": str(order.sequence),
        "customer": {"name": order.customer_name, "email": order.email},
        "shipping_address": {
            "name": order.customer_name,
            "street": order.address["street"],
            "city": order.address["city"],
            "region": order.address["region"],
            "postcode": order.address["postcode"],
            "country": order.country,
        },
        "currency": order.currency,
        "lines": [
            {"sku": line.product.sku, "quantity": line.quantity, "unit_minor": line.unit_minor}
            for line in order.lines
        ],
        "shipping_minor": order.shipping_minor,
        "total_minor": order.total_minor,
    }
