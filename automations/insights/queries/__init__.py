"""Reads of the insights: figures with the rows behind them, an order's timeline, search by business key."""

from automations.insights.queries.aims import targets
from automations.insights.queries.effects import Effects, Started, effects
from automations.insights.queries.finding import Hit, search
from automations.insights.queries.order import (
    LineView,
    OrderFilter,
    OrderView,
    order_list,
    order_view,
    orders,
    orders_like,
    orders_with,
)
from automations.insights.queries.scope import FactRow, Figure, Part, Scope
from automations.insights.queries.timeline import Entry, Timeline, timeline

__all__ = [
    "Effects",
    "Entry",
    "FactRow",
    "Figure",
    "Hit",
    "LineView",
    "OrderFilter",
    "OrderView",
    "Part",
    "Scope",
    "Started",
    "Timeline",
    "effects",
    "order_list",
    "order_view",
    "orders",
    "orders_like",
    "orders_with",
    "search",
    "targets",
    "timeline",
]
