"""What was set aside is looked at by a person: taken after all, or discarded."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from automations.events import store
from automations.events.actions.facts import ring_on_commit
from automations.events.enums import ACCEPTABLE, RejectionState
from automations.events.errors import AlreadyDecided, IdReused, NotAcceptable
from automations.events.models import Event, Rejection
from kernel import clock
from kernel.actor import Actor
from tenants.audit.actions import record
from tenants.tenancy import context


def accept_rejection(*, rejection: Rejection, reason: str, actor: Actor, now: datetime) -> Event:
    """Take an event after all: as it is, or, where a handler failed on it, once more.

    Raises AlreadyDecided, NotAcceptable (it is no event, or not the sender's to send) and IdReused.
    """
    actor.require("events.quarantine")
    with transaction.atomic():
        row = _open(rejection)
        if row.code not in ACCEPTABLE:
            raise NotAcceptable
        event = _again(row.event) if row.event else _after_all(row)
        row.event = event.id
        _decide(row, RejectionState.ACCEPTED, reason, actor, now)
        ring_on_commit()
    return event


def discard_rejection(*, rejection: Rejection, reason: str, actor: Actor, now: datetime) -> Rejection:
    """Leave an event aside for good. Raises AlreadyDecided."""
    actor.require("events.quarantine")
    with transaction.atomic():
        row = _open(rejection)
        _decide(row, RejectionState.DISCARDED, reason, actor, now)
    return row


def _open(rejection: Rejection) -> Rejection:
    row = Rejection.objects.select_for_update().get(pk=rejection.pk)
    if row.state != RejectionState.OPEN:
        raise AlreadyDecided
    return row


def _again(key: UUID) -> Event:
    """The stored event, back in the intake."""
    event = Event.objects.get(pk=key)
    store.give_back(context.current().id, event.id, context.now())
    return event


def _after_all(row: Rejection) -> Event:
    """The event as it was delivered, stored without asking its contract. Reserved ones never come this far."""
    tenant = context.current()
    body = row.body or {}
    at = body.get("time")
    kept = {"specversion", "id", "source", "type", "subject", "time", "data"}
    new = store.fact_row(
        source=row.source,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        time=clock.parse_rfc3339(at) if at else row.received_at,
        data=body.get("data"),
        extensions={name: value for name, value in body.items() if name not in kept},
        received_at=context.now(),
    )
    new = replace(new, body_digest=bytes(row.body_digest) if row.body_digest else None)
    if new.id not in store.insert_here(tenant.schema_name, tenant.id, [new]):
        raise IdReused
    Event.objects.filter(pk=new.id).update(endpoint_id=row.endpoint_id)
    return Event.objects.get(pk=new.id)


def _decide(row: Rejection, state: RejectionState, reason: str, actor: Actor, now: datetime) -> None:
    before, row.state, row.decided_at = row.state, state, now
    row.save(update_fields=["state", "decided_at", "event"])
    record(
        actor=actor,
        action="events.accept_rejection" if state == RejectionState.ACCEPTED else "events.discard_rejection",
        obj=row,
        now=now,
        before={"state": before},
        after={"state": state},
        reason=reason,
    )
