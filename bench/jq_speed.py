"""How long expressions take on an order of 4 KB: `python -m bench.jq_speed`, one JSON line each, in microseconds.

The first three have a target: 0.3, 0.6 and 2 µs. A call of nothing costs about 0.03.
"""

import json
import sys
import time
import timeit
from typing import Any

from automations.engine.dsl import jq

EXPRESSIONS = {
    "path": ".customer.address.city",
    "comparison": ".total > 1000",
    "object of five fields": "{id, status, total, city: .customer.address.city, tier: .customer.tier}",
    "equality": '.status == "submitted"',
    "two conditions": '.total > 1000 and .status == "submitted"',
    "default for a missing field": '.discount // "none"',
    "variable": "$context.customer.tier",
    "text": '"Order \\(.id) for \\(.customer.name)"',
    "arithmetic": ".total * 1.19",
    "condition": 'if .total > 1000 then "big" else "small" end',
    "length": ".items | length",
    "map and add": ".items | map(select(.qty > 2) | .price * .qty) | add",
    "objects from items": "[.items[] | {sku, qty}]",
    "first of": "first(.items[] | select(.qty > 4))",
    "any": "any(.items[]; .backorder)",
    "sort_by": ".items | sort_by(.price) | .[0].sku",
    "group_by": ".items | group_by(.warehouse) | map({warehouse: .[0].warehouse, count: length})",
    "reduce to an object": "reduce .items[] as $item ({}; .[$item.warehouse] += $item.qty)",
    "assignment": '.status = "done"',
    "update of items": ".items[] |= (.total = .qty * .price)",
    "test": '.customer.email | test("@acme")',
    "gsub": '.notes | gsub("\\\\s+"; " ")',
    "tojson": "tojson",
    "walk": 'walk(if type == "number" then . + 1 else . end)',
    "descend": "[.. | numbers] | length",
}


def order() -> dict[str, Any]:
    """An order as a shop would send it, of 4 KB."""
    address = {"street": "Hauptstr. 1", "city": "Berlin", "zip": "10115", "country": "DE"}
    items = [
        {
            "sku": f"SKU-{number:04d}",
            "name": f"Product number {number} with a longer description",
            "qty": number * 7 % 5 + 1,
            "price": round(9.99 + number * 3.5, 2),
            "tax_rate": 0.19,
            "warehouse": f"WH-{number % 3}",
            "backorder": number % 4 == 0,
            "size": {"length": 10 + number, "width": 5, "height": 3},
        }
        for number in range(18)
    ]
    return {
        "id": "ORD-2026-000123",
        "status": "submitted",
        "currency": "EUR",
        "total": 1834.5,
        "created_at": "2026-11-20T10:11:12Z",
        "customer": {
            "id": "C-991",
            "name": "Acme Widgets GmbH",
            "email": "buy@acme.example",
            "tier": "gold",
            "address": address,
        },
        "tags": ["b2b", "repeat", "fragile"],
        "items": items,
        "notes": "Please deliver to the rear entrance before noon. " * 3,
    }


def microseconds(call: str, **names: Any) -> float:
    """What one run of `call` takes: the best of seven rounds of about 30 ms."""
    timer = timeit.Timer(call, timer=time.process_time, globals=names)
    count = max(timer.autorange()[0] // 7, 1)
    return min(timer.repeat(7, count)) / count * 1e6


def main() -> None:
    """Prints a line for each expression, and what compiling takes."""
    value = order()
    env = {"context": value}
    for name, source in EXPRESSIONS.items():
        one = jq.compile(source, {"context"}).one
        taken = microseconds("one(value, env)", one=one, value=value, env=env)
        sys.stdout.write(json.dumps({"name": name, "us": round(taken, 3)}) + "\n")
    for name in ("path", "map and add"):
        taken = microseconds(
            "compile(source, names)", compile=jq.compile, source=EXPRESSIONS[name], names={"context"}
        )
        sys.stdout.write(json.dumps({"name": f"compiling: {name}", "us": round(taken, 1)}) + "\n")


if __name__ == "__main__":
    main()
