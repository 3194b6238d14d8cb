"""Reads of the insights: figures with the rows behind them, an order's timeline, search by business key."""

from automations.insights.queries.facts import orders
from automations.insights.queries.scope import FactRow, Figure, Part, Scope

__all__ = ["FactRow", "Figure", "Part", "Scope", "orders"]
