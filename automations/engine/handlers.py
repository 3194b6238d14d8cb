"""What the engine does about events: everything that happens may start a run, or be what one waits for."""

from datetime import datetime

from automations.engine.actions import (
    arriving,
    looking,  # noqa: F401 - says how what is packed is read
)
from automations.engine.actions.intake import take_in
from automations.events.models import Event
from automations.events.registry import handles
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, happened_outside, stay_behind


@handles("*", order=10)
def start_and_deliver(events: list[Event], now: datetime) -> None:
    """Start the runs that the events trigger and reach those that wait."""
    take_in(events, now)


happened_outside("engine_effect")
stay_behind("engine_subscription", "engine_delivery", "engine_event_key", "engine_bulk", "engine_bulk_item")


@arrival
def stand_still(_: TenantRef, why: Why, __: datetime) -> None:
    """In a copy nothing is under way and nothing begins by itself."""
    if why == Why.SANDBOX:
        arriving.end_everything(context.now())
