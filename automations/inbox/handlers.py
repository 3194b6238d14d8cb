"""What the inbox does about facts: failures and requests open cases, recoveries and late events close them."""

from datetime import datetime

from automations.events.models import Event
from automations.events.registry import handles
from automations.inbox import catalog  # noqa: F401 - the shipped kinds are known from here on
from automations.inbox.actions import keeping, looking  # noqa: F401 - they register themselves
from automations.inbox.actions.follow import (
    CANCELLED,
    FAULTED,
    RECOVERED,
    REQUESTED,
    SETTLED,
    SUSPENDED,
    follow,
)
from tenants.tenancy.registry import hides, stay_behind


@handles(SUSPENDED, RECOVERED, CANCELLED, FAULTED, REQUESTED, SETTLED, order=20)
def follow_runs(events: list[Event], now: datetime) -> None:
    """Bring the cases in line with what runs told; what comes from outside is not believed."""
    follow([event for event in events if event.internal])


_BY_CASE = {"cause": "text", "assignee": "name", "decided_by": "name", "closed_by": "name", "outcome": "text"}
hides("inbox_case", **_BY_CASE, key="", business_key="", fingerprint="", step="")
hides("inbox_decision", actor="name", reason="text", fingerprint="")
hides("inbox_intent", first="name", second="name", reason="text", digest="")
hides("inbox_comment", actor="name", text="text")
hides("inbox_view", owner="name")
hides("inbox_closing", by="name", outcome="text", key="")
stay_behind("inbox_paper")
