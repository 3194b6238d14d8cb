"""Events of our own: by call from rooms above and from the API, in the caller's transaction."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from automations.events import contract, policy, registry, store
from automations.events.errors import ContractBroken, IdReused, NotAnEvent, Reserved
from automations.events.models import Event
from automations.events.store import NewEvent
from automations.ledger import actions as ledger
from kernel import cards, clock, ids, jsonx, metrics
from kernel.actor import Actor
from kernel.errors import Invalid, PortalError
from kernel.jsonx import Json
from tenants.audit.actions import record
from tenants.tenancy import context, queries


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An event to be published. `event_id` makes a repeat harmless; without one every call is an event of its own.

    `internal` is for facts of the portal itself: their types may be reserved ones, and no contract is asked.
    """

    type: str
    subject: str
    data: Json
    source: str
    time: datetime
    event_id: str | None = None
    extensions: Mapping[str, Json] = field(default_factory=dict)
    internal: bool = False


def publish(
    *,
    type: str,  # noqa: A002 - CloudEvents' word
    subject: str,
    data: Json,
    source: str,
    time: datetime,
    event_id: str | None = None,
    extensions: Mapping[str, Json] | None = None,
    internal: bool = False,
) -> Event:
    """Store an event in the caller's transaction and ring when it commits; the stored one if it is there already.

    Raises NotAnEvent, Reserved and ContractBroken (naming what is wrong), and IdReused if its id is another event's.
    """
    draft = Draft(
        type=type,
        subject=subject,
        data=data,
        source=source,
        time=time,
        event_id=event_id,
        extensions=extensions or {},
        internal=internal,
    )
    return publish_many([draft])[0]


def publish_many(drafts: Iterable[Draft]) -> list[Event]:
    """Store several events as `publish` does one; all or none."""
    tenant = context.current()
    present = queries.virtual_now(tenant.id) if tenant.sandbox else None
    now = clock.now()
    rows = []
    for draft in drafts:
        version = None if draft.internal else _checked(draft)
        rows.append(_row(draft, version, now if present is None else max(present, draft.time)))
    with transaction.atomic():
        fresh = store.insert_here(tenant.schema_name, tenant.id, rows)
        known = _known([row for row in rows if row.id not in fresh])
        if fresh:
            ring_on_commit()
    return [_event(row) if row.id in fresh else known[row.source, row.event_id] for row in rows]


def publish_batch(*, drafts: Sequence[Draft], actor: Actor, now: datetime) -> list[Event]:
    """Publish events that somebody sends by call: all or none.

    Raises as `publish`, naming what is wrong as `events.<number>.<attribute>`; IntakeFull; and Invalid for no events.
    """
    actor.require("events.publish")
    policy.require_room(context.current())
    if not drafts:
        raise Invalid(fields={"events": ["Send at least one."]})
    for number, draft in enumerate(drafts):
        try:
            _checked(draft)
        except PortalError as error:
            named = {f"events.{number}.{name}": words for name, words in error.fields.items()}
            raise type(error)(error.message, fields=named or {f"events.{number}": [error.message]}) from error
    with transaction.atomic():
        stored = publish_many(drafts)
        record(
            actor=actor,
            action="events.publish",
            obj=stored[0],
            now=now,
            after={"events": len(stored), "types": sorted({draft.type for draft in drafts})},
        )
    return stored


def ring_on_commit() -> None:
    """Ring once when the transaction commits, however often this is asked for in it."""
    if not any(callback is ledger.ring_for_events for _, callback, *_ in connection.run_on_commit):
        transaction.on_commit(ledger.ring_for_events, robust=True)


def _checked(draft: Draft) -> int | None:
    """The version of the contract that the draft meets."""
    contract.check_attributes(
        source=draft.source,
        event_id=draft.event_id or "-",
        type_=draft.type,
        subject=draft.subject,
        extensions=draft.extensions,
    )
    if contract.is_reserved(draft.type, draft.source):
        raise Reserved
    agreed = registry.contract(draft.type)
    if agreed is None:
        return None
    if findings := agreed.findings(draft.data):
        raise ContractBroken(
            f"{draft.type}: {findings[0].pointer or '/'}: {findings[0].message}",
            fields={f"data{found.pointer}": [found.message] for found in findings},
        )
    return agreed.version


def _row(draft: Draft, version: int | None, received_at: datetime) -> NewEvent:
    key = ids.uuid7()
    said = [draft.data, dict(draft.extensions)]
    shown: Any = cards.masked_data(said)
    if shown is not said:
        metrics.cards_masked.inc()
    data = None if draft.data is None else jsonx.dumps(shown[0])
    extensions = jsonx.dumps(shown[1])
    if data is not None and not contract.storable(data):
        raise NotAnEvent(fields={"data": ["holds the character U+0000, which cannot be kept"]})
    content = (draft.type.encode(), draft.subject.encode(), data or b"", extensions)
    return NewEvent(
        id=key,
        source=draft.source,
        event_id=draft.event_id or ids.public_id(Event.prefix, key),
        type=draft.type,
        subject=draft.subject,
        time=draft.time,
        received_at=received_at,
        data=None if data is None else data.decode(),
        extensions=extensions.decode(),
        contract=version,
        body_digest=hashlib.sha256(b"\0".join(content)).digest(),
        internal=draft.internal,
    )


def _known(rows: list[NewEvent]) -> dict[tuple[str, str], Event]:
    """The stored events under the sources and ids of `rows`. Raises IdReused if one says something else."""
    found = {}
    for row in rows:
        event = Event.objects.get(source=row.source, event_id=row.event_id)
        if event.body_digest is not None and bytes(event.body_digest) != row.body_digest:
            raise IdReused(f"{row.event_id} from {row.source} is another event")
        found[row.source, row.event_id] = event
    return found


def _event(row: NewEvent) -> Event:
    return Event(
        id=row.id,
        source=row.source,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        time=row.time,
        received_at=row.received_at,
        data=None if row.data is None else jsonx.loads(row.data),
        extensions=jsonx.loads(row.extensions),
        contract=row.contract,
        body_digest=row.body_digest,
        internal=row.internal,
    )
