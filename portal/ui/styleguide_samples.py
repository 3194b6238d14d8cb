"""Made-up cases, runs and figures for the style guide, and for nothing else."""

import math
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from kernel.money import Money
from portal.ui import kpi_shown
from portal.ui.kit import charts, graph, timeline
from portal.ui.kit.charts import Series
from portal.ui.kit.graph import Edge, Node
from portal.ui.kit.timeline import Bar, Lane, Mark, Step

CASES = (
    (
        "EX-2291", "Order #10482 is not moving in the warehouse",
        "critical", "Fulfilment delay", 18_640, 26 * 60, "due in 34 min",
    ),
    (
        "EX-2290", "Stock differs: shop 14, warehouse 9 (HG-COAT-NVY-M)",
        "high", "Stock mismatch", 104_500, 41, "due in 2 h",
    ),
    (
        "EX-2288", "Refund over your £250 limit needs approval",
        "high", "Payment and refund", 41_200, 64, "due in 3 h",
    ),
    (
        "EX-2287", "38 products arrived without a price",
        "high", "Supplier data", 912_000, 130, "due today 17:00",
    ),
    (
        "EX-2284", "Address could not be verified for order #10467",
        "normal", "Fulfilment delay", 7_400, 190, "due today 18:00",
    ),
    (
        "EX-2281", "Possible duplicate: #10455 and #10456",
        "normal", "Payment and refund", 23_800, 250, "due tomorrow",
    ),
    (
        "EX-2279", "Delivery short by 24 units on PO-3318",
        "normal", "Stock mismatch", 61_200, 310, "due tomorrow",
    ),
    (
        "EX-2276", "The ledger refused invoice INV-8841: contact archived",
        "normal", "Payment and refund", 190_320, 370, "due tomorrow",
    ),
    (
        "EX-2270", "Return received with no matching order",
        "normal", "Stock mismatch", 5_500, 540, "due Wed",
    ),
)  # fmt: skip
NODES = (
    Node("hook", "Order paid", icon="webhook", state="succeeded", note="0.1 s"),
    Node("check", "Validate order", icon="shield-check", state="succeeded", note="0.3 s"),
    Node("fraud", "Fraud check", icon="shield-check", state="succeeded", note="1.9 s"),
    Node("stock", "Reserve stock", icon="package", state="succeeded", note="6.4 s", tries=3),
    Node("customer", "Match customer", icon="users", state="succeeded", note="0.8 s"),
    Node("enough", "All in stock?", icon="git-branch", state="succeeded", note="0.0 s"),
    Node("split", "Split back-order", icon="git-branch", state="not_taken"),
    Node("send", "Send to warehouse", icon="truck", state="failed", note="38.2 s", tries=4),
    Node("post", "Post to ledger", icon="calculator", state="succeeded", note="2.2 s"),
    Node("tell", "Notify customer", icon="mail", state="not_reached"),
)
EDGES = (
    Edge("hook", "check"),
    Edge("check", "fraud"),
    Edge("check", "stock"),
    Edge("check", "customer"),
    Edge("fraud", "enough"),
    Edge("stock", "enough"),
    Edge("customer", "post"),
    Edge("enough", "send", "yes"),
    Edge("enough", "split", "no"),
    Edge("split", "send"),
    Edge("send", "tell"),
    Edge("enough", "post"),
)
LOOP = (
    Edge("wait", "ask"),
    Edge("ask", "ready", ""),
    Edge("ready", "wait", "not yet"),
    Edge("ready", "done", "yes"),
)
LOOP_NODES = (
    Node("wait", "Wait ten minutes", icon="hourglass", state="waiting"),
    Node("ask", "Ask the carrier", icon="truck", state="succeeded", tries=6),
    Node("ready", "Delivered?", icon="git-branch", state="succeeded"),
    Node("done", "Close the case", icon="circle-check", state="not_reached"),
)
_RESERVING = (
    Bar(0.4, 1.6, "try"),
    Bar(1.6, 2.6, "wait"),
    Bar(2.6, 3.8, "try"),
    Bar(3.8, 5.4, "wait"),
    Bar(5.4, 6.8),
)
_SENDING = (
    Bar(6.9, 9.9, "try"),
    Bar(9.9, 11.9, "wait"),
    Bar(11.9, 14.9, "try"),
    Bar(14.9, 18.9, "wait"),
    Bar(18.9, 21.9, "try"),
    Bar(21.9, 42.1, "wait"),
    Bar(42.1, 45.1),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["warehouse", "buffer", "mode", "token"],
    "properties": {
        "warehouse": {"type": "string", "title": "Warehouse", "enum": ["Leeds", "Bristol", "Hull", "Derby"]},
        "buffer": {
            "type": "integer",
            "title": "Safety stock per SKU",
            "description": "Units held back from online sale.",
            "minimum": 0,
            "maximum": 500,
            "default": 2,
            "x-unit": "units",
        },
        "mode": {
            "type": "string",
            "title": "When stock differs",
            "enum": ["ask", "fix"],
            "x-labels": {"ask": "Ask a person", "fix": "Set it right without asking"},
            "default": "ask",
        },
        "limit": {
            "type": "number",
            "title": "Set right up to this value",
            "minimum": 0,
            "x-unit": "GBP",
            "x-show-if": {"mode": "fix"},
        },
        "days": {
            "type": "array",
            "title": "Days",
            "items": {"enum": ["mon", "tue", "wed"]},
            "x-labels": {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday"},
        },
        "token": {"type": "string", "title": "API key", "format": "password", "minLength": 8},
        "stores": {
            "type": "array",
            "title": "Stores",
            "items": {
                "type": "object",
                "required": ["code"],
                "properties": {
                    "code": {"type": "string", "title": "Code", "maxLength": 8},
                    "reserve": {"type": "integer", "title": "Reserve", "minimum": 0},
                },
            },
        },
        "notify": {"type": "boolean", "title": "Send a summary by mail", "default": True},
    },
}


def cases(now: datetime) -> list[dict[str, Any]]:
    """Rows of an inbox."""
    return [
        {
            "id": key,
            "title": title,
            "severity": severity,
            "kind": kind,
            "value": Money(minor, "GBP"),
            "age": now - timedelta(minutes=minutes),
            "due": due,
            "url": f"/styleguide/item?id={key}",
        }
        for key, title, severity, kind, minor, minutes, due in CASES
    ]


def time_series() -> dict[str, Any]:
    """Charts of every kind."""
    random = Random(7)  # noqa: S311 - a pretty line, no secret
    days = [f"{27 + at} Oct" if at < 5 else f"{at - 4} Nov" for at in range(28)]
    now = [
        round(1180 + 260 * math.sin(at / 7 * 6.28 - 1) + at * 14 + random.randint(-70, 70))
        for at in range(28)
    ]
    before = [round(value * 0.86 + random.randint(-80, 60)) for value in now]
    line = [Series("This period", now, "c0", area=True), Series("Previous 28 days", before, "c6", dash=True)]
    kinds = (
        ("Stock mismatch", "c1", 9),
        ("Payment and refund", "c2", 5),
        ("Fulfilment delay", "c3", 4),
        ("Supplier data", "c5", 2),
    )
    bars = [
        Series(name, [random.randint(most // 3, most) for _day in range(14)], css)
        for name, css, most in kinds
    ]
    hours = [f"{at:02d}:00" for at in range(24)]
    return {
        "lines": charts.lines(days, line, title="Orders automated per day"),
        "lines_legend": charts.legend(line),
        "stacked": charts.stacked(days[-14:], bars, title="Exceptions raised per day by type", height=230),
        "stacked_legend": charts.legend(bars, bars=True),
        "histogram": charts.histogram(
            hours,
            [round(40 + 38 * math.sin((at - 8) / 24 * 6.28)) for at in range(24)],
            title="Events by hour",
        ),
        "goal": charts.lines(
            days[-14:],
            [
                Series(
                    "Late deliveries",
                    [7.8, 7.1, 6.9, None, 6.2, 6.4, 5.9, 5.1, 5.3, 4.8, 4.4, 4.9, 4.1, 3.8],
                    "c0",
                )
            ],
            title="Late deliveries in percent",
            goal=5,
            band=(0, 5),
        ),
        "spark": [30 + at + random.uniform(-4, 4) for at in range(14)],
        "spark_down": [34 - at + random.uniform(-3, 3) for at in range(14)],
    }


def run() -> dict[str, Any]:
    """A run: its graph, its bars, its lanes."""
    bars = (
        Step("hook", "Order paid", "succeeded", (Bar(0, 0.1),)),
        Step("check", "Validate order", "succeeded", (Bar(0.1, 0.4),)),
        Step("customer", "Match customer", "succeeded", (Bar(0.4, 1.2),)),
        Step("fraud", "Fraud check", "succeeded", (Bar(0.4, 2.3),)),
        Step("stock", "Reserve stock", "succeeded", _RESERVING, tries=3),
        Step("post", "Post to ledger", "succeeded", (Bar(6.9, 9.1),)),
        Step("send", "Send to warehouse", "failed", _SENDING, tries=4, chosen=True),
    )  # fmt: skip
    swim = (
        Lane(
            "Shop", (Mark(0, "order.placed"), Mark(40, "order.approved"), Mark(300, "order.canceled", "bad"))
        ),
        Lane("Warehouse", (Mark(62, "order.received"),), ((90, 260),)),
        Lane("Carrier", ()),
        Lane("Ledger", (Mark(48, "invoice.posted"), Mark(310, "refund.posted", "warn"))),
    )
    return {
        "graph": graph.draw(NODES, EDGES, chosen="send", href="#step-", title="Order to warehouse"),
        "loop": graph.draw(LOOP_NODES, LOOP, href="#step-", title="A loop"),
        "gantt": timeline.gantt(bars, 52),
        "lanes": timeline.lanes(swim, 320),
    }


def events(now: datetime) -> list[dict[str, Any]]:
    """The end of a run's history."""
    rows = (
        ("Run failed at Send to warehouse", "failed", 31, 0.0),
        ("Try 4 of 4 failed: 422 postcode required", "failed", 30, 0.1),
        ("Retry scheduled in 20.2 s, 429 with Retry-After 20", "retrying", 29, 23.2),
        ("Post to ledger succeeded, INV-8841", "succeeded", 22, 36.0),
        ("Reserve stock succeeded on try 3", "succeeded", 18, 38.3),
    )
    return [
        {"text": text, "state": state, "number": number, "at": now - timedelta(seconds=240 + back)}
        for text, state, number, back in rows
    ]


COMPARISON = {
    "systems": ("Shop", "Warehouse"),
    "rows": (
        ("Available units", ("14", "9"), True),
        ("Reserved units", ("2", "2"), False),
        ("Last counted", ("never", "22 Nov 2026, 18:04"), False),
        ("Last change", ("Manual edit, J. Okafor", "Pick confirmed, wave 118"), True),
        ("Location", ("Leeds", "Leeds"), False),
    ),
}
STOPS = (
    {"title": "Shop", "note": "08:12:40", "icon": "shopping-cart", "tone": "ok"},
    {"title": "Stock sync", "note": "+2.1 s", "icon": "workflow", "tone": "ok"},
    {"title": "Warehouse", "note": "+9.8 s", "icon": "package", "tone": "ok", "broken": True},
    {"title": "Compare", "note": "differs by 5", "icon": "octagon-alert", "tone": "bad", "broken": True},
    {"title": "Till Leeds", "note": "waiting", "icon": "store", "tone": "wait"},
    {"title": "Ledger", "note": "waiting", "icon": "calculator", "tone": "wait"},
)


BARS: Final = [
    kpi_shown.Bar("a", "Missing data", "14", "100%", "#cards", "c0"),
    kpi_shown.Bar("b", "Invalid value, chosen", "9", "64.3%", "#cards", "c0"),
    kpi_shown.Bar("c", "None of these", "0", "0%", "#cards", "c4"),
]
