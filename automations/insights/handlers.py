"""What the insights do about events: what happens to an order becomes facts about it."""

from datetime import datetime

from automations.events.models import Event
from automations.events.registry import handles
from automations.insights import actions


@handles("order.*", order=30)
def fold_orders(events: list[Event], now: datetime) -> None:
    """Fold order events into facts; figures that are read after the commit count them."""
    actions.fold_orders(events)
