"""What the inbox does about facts: failures and requests open cases, recoveries and late events close them."""

from datetime import datetime

from automations.events.models import Event
from automations.events.registry import handles
from automations.inbox import catalog  # noqa: F401 - the shipped kinds are known from here on
from automations.inbox.actions.follow import (
    CANCELLED,
    FAULTED,
    RECOVERED,
    REQUESTED,
    SETTLED,
    SUSPENDED,
    follow,
)


@handles(SUSPENDED, RECOVERED, CANCELLED, FAULTED, REQUESTED, SETTLED, order=20)
def follow_runs(events: list[Event], now: datetime) -> None:
    """Bring the cases in line with what runs told; what comes from outside is not believed."""
    follow([event for event in events if event.internal])
