"""Erasing personal data of an event: names, reason, changed values, address. The act itself stays, and its proof."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from kernel.proof import ERASE
from tenants.audit import store
from tenants.audit.actions.recording import record
from tenants.audit.models import AuditEvent


def erase_event(*, event: AuditEvent, reason: str, actor: Actor, now: datetime) -> AuditEvent:
    """Empty an event's personal data and destroy the salt, so that nobody can try what they were.

    The event's leaf still verifies, and this act says in the log that nothing was lost by accident. Raises Invalid
    without a reason, and Conflict where the event is not sealed yet or is erased already.
    """
    actor.require("audit.erase")
    if not reason.strip():
        raise Invalid(fields={"reason": ["Say why, without naming the person."]})
    with transaction.atomic():
        if store.erase(event.id) != 1:
            raise Conflict("this event is not sealed yet, or its personal data are erased already")
        record(
            actor=actor,
            action=ERASE,
            obj=(event.prefix, event.public_id, "Audit event"),
            now=now,
            reason=reason,
            partner_id=event.partner_id,
        )
    event.refresh_from_db()
    return event


def erase_sealed(*, event: AuditEvent, reason: str, actor: Actor, now: datetime) -> bool:
    """Empty an event's personal data as part of a larger erasure.

    False while it waits for its seal; True as well where they are gone already.
    """
    actor.require("audit.erase")
    with transaction.atomic():
        if store.erase(event.id) != 1:
            return store.is_sealed(event.id)
        record(
            actor=actor,
            action=ERASE,
            obj=(event.prefix, event.public_id, "Audit event"),
            now=now,
            reason=reason,
            partner_id=event.partner_id,
        )
    return True
