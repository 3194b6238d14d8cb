"""What the engine does about events: everything that happens may start a run, or be what one waits for."""

from datetime import datetime

from automations.engine.actions.intake import take_in
from automations.events.models import Event
from automations.events.registry import handles


@handles("*", order=10)
def start_and_deliver(events: list[Event], now: datetime) -> None:
    """Start the runs that the events trigger and reach those that wait."""
    take_in(events, now)
