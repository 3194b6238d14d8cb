"""Looking at all of an event, what points to a person included: nothing changes, and it is noted who looked."""

from datetime import datetime

from django.db import transaction

from automations.events.queries import EventView
from kernel.actor import Actor
from tenants.audit.actions import record


def reveal_event(*, event: EventView, actor: Actor, now: datetime) -> None:
    """Note that somebody looks at the whole of an event. Raises Forbidden."""
    actor.require("engine.operate")
    with transaction.atomic():
        record(actor=actor, action="events.reveal", obj=("evt", event.public_id, event.title), now=now)
