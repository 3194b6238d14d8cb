"""What the notices do about facts: what opens cases and gives them to people is told, in the same transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from automations.events.models import Event
from automations.events.registry import handles
from automations.inbox import queries as inbox
from automations.notices import actions
from automations.notices.enums import About
from automations.notices.models import Channel
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, stay_behind, withhold
from tenants.vault.registry import SealedColumn, sealed_column

_OPENINGS = ("portal.run.suspended", "portal.run.faulted", "portal.case.requested")
_PERSONAL = {"portal.case.assigned": About.ASSIGNED, "portal.case.commented": About.COMMENTED}


@handles(*_OPENINGS, order=60)
def tell_opened(events: list[Event], now: datetime) -> None:
    """Tell of the cases that this batch opened; the inbox has opened them just before."""
    told = [event for event in events if event.internal and _data(event).get("runId")]
    if not told:
        return
    runs = {UUID(str(_data(event)["runId"])) for event in told}
    found = inbox.opened_by(runs, min(event.time for event in told))
    if found:
        actions.tell_opened(found, now)


@handles(*_PERSONAL, order=60)
def tell_one(events: list[Event], now: datetime) -> None:
    """Tell a person that a case was given to them, or that somebody wrote about theirs."""
    facts = [(event.type, _data(event)) for event in events if event.internal]
    cases = inbox.told_of({UUID(data["caseId"]) for _type, data in facts})
    for kind, data in facts:
        case, to = cases.get(UUID(data["caseId"])), data.get("to")
        if case is not None and to and to != data.get("by"):
            actions.tell_person(_PERSONAL[kind], case, UUID(to), now)


def _data(event: Event) -> dict[str, Any]:
    return event.data if isinstance(event.data, dict) else {}


sealed_column(SealedColumn(Channel, "address", "notice_address", "Channel, its address"))
sealed_column(SealedColumn(Channel, "secret", "notice_secret", "Channel, what it signs by"))
withhold("notices_channel", "address", "secret", beside=("host",))
stay_behind("notices_notice", "notices_message", "notices_pass", "notices_rule")


@arrival
def shut_channels(_: TenantRef, __: Why, ___: datetime) -> None:
    """A channel that came without its address leads nowhere: somebody makes it anew."""
    Channel.objects.filter(address=b"").update(active=False)
