"""Webhooks come in: proved, read, checked, stored once, and answered only when that is committed."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from automations.connectors.contract import Arrival, Delivery, Finding, Flaw
from automations.events import contract, policy, registry, store
from automations.events.actions.facts import ring_on_commit
from automations.events.enums import RejectionCode
from automations.events.errors import EndpointUnknown
from automations.events.models import Endpoint, Event, Rejection
from automations.events.policy import KnownEndpoint
from automations.events.store import NewEvent
from kernel import cards, clock, ids, jsonx, metrics
from kernel.errors import TooLarge
from kernel.jsonx import Json
from tenants.tenancy import context, queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.errors import TenantSuspended
from tenants.tenancy.queries import TenantRef

log = structlog.get_logger(__name__)
_SHOWN_MOST: Final = 50


@dataclass(frozen=True)
class Refused:
    """An event that was set aside, as the sender is told."""

    id: str
    event_id: str
    code: str
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery. 202: something new was stored or set aside; 200: nothing new; 409: an id reused."""

    status: int
    ids: tuple[str, ...] = ()
    duplicates: int = 0
    rejected: tuple[Refused, ...] = ()
    conflicts: int = 0
    ignored: bool = False

    @property
    def accepted(self) -> int:
        """How many events are new."""
        return len(self.ids)

    @property
    def outcome(self) -> str:
        """One word for the counter."""
        if self.conflicts and not self.accepted:
            return "id_reused"
        if self.accepted:
            return "accepted"
        if self.rejected:
            return "rejected"
        return "ignored" if self.ignored else "duplicate"

    def body(self) -> dict[str, Json]:
        """The answer to the sender."""
        found: dict[str, Json] = {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": len(self.rejected),
            "conflicts": self.conflicts,
        }
        if self.ids:
            found["ids"] = self.ids[:_SHOWN_MOST]
        if self.rejected:
            found["rejections"] = [
                {"id": one.id, "event": one.event_id, "code": one.code, "reason": one.reason}
                for one in self.rejected[:_SHOWN_MOST]
            ]
        if self.ignored:
            found["ignored"] = True
        if self.status == 409:
            found |= {"code": "id_reused", "title": "Another event has this source and id."}
        return found


@dataclass
class Parts:
    """The parts of a delivery, sorted: to store, and to set aside."""

    rows: list[NewEvent] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    arrivals: dict[UUID, Arrival] = field(default_factory=dict)


def receive_webhook(*, token: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Receipt:
    """Take in what was delivered to the endpoint `token` of the current tenant; committed when this returns.

    `headers` ignores case. Every event of a batch stands for itself: what breaks its contract, has a reserved type or
    is no event is set aside with the reason, what is known already changes nothing. Raises EndpointUnknown,
    TenantSuspended, SignatureMissing, SignatureWrong, TimestampStale, WrongMediaType, Invalid (no JSON, no event),
    TooLarge and IntakeFull, and then has stored nothing.
    """
    tenant = context.current()
    if tenant.state == TenantState.SUSPENDED:
        raise TenantSuspended
    if len(body) > settings.WEBHOOK_MAX_BYTES:
        raise TooLarge(f"at most {settings.WEBHOOK_MAX_BYTES} bytes are taken")
    policy.require_room(tenant)
    delivery = Delivery(headers, body)
    for fresh in (False, True):
        endpoint = policy.prove(tenant, token, delivery, now, fresh=fresh)
        parts = read(tenant, endpoint, delivery, now)
        stored = _stored(tenant, endpoint, parts)
        if stored is not None:
            return _receipt(tenant, endpoint, parts, stored)
    raise EndpointUnknown  # it was changed twice while we looked


def read(tenant: TenantRef, endpoint: KnownEndpoint, delivery: Delivery, now: datetime) -> Parts:
    """What is in a delivery that is proved. Raises WrongMediaType, Invalid and TooLarge."""
    present = queries.virtual_now(tenant.id) if tenant.sandbox else None
    parts = Parts()
    for part in endpoint.inbound.read(delivery):
        if isinstance(part, Flaw):
            parts.rejections.append(_flawed(endpoint, part, present or now))
            continue
        part, digest = _without_cards(part, delivery)
        # in a sandbox with its own clock a batch may run ahead of it: such an event comes in when it says it happened
        received_at = now if present is None else max(present, part.time or present)
        source = part.source or endpoint.source
        version, refusal = _judged(part, source)
        if refusal is not None:
            code, findings = refusal
            parts.rejections.append(_rejection(endpoint, part, source, code, findings, digest, received_at))
            continue
        row = NewEvent(
            id=ids.uuid7(),
            source=source,
            event_id=part.id,
            type=part.type,
            subject=part.subject,
            time=part.time or received_at,
            received_at=received_at,
            data=None if part.data is None else jsonx.text(part.data),
            extensions=jsonx.text(dict(part.extensions)) if part.extensions else "{}",
            contract=version,
            body_digest=digest,
            fingerprint=None if endpoint.inbound.signs_id else digest,
        )
        parts.rows.append(row)
        parts.arrivals[row.id] = part
    return parts


def _without_cards(part: Arrival, delivery: Delivery) -> tuple[Arrival, bytes]:
    """The part with card numbers masked, and what tells it from another: of what is kept, nothing is made of them.

    A hash over what came would give a number away to whoever tries all that end alike.
    """
    content: list[Json] = [part.data, dict(part.extensions)]
    shown: Any = cards.masked_data(content)
    if shown is content:
        return part, part.digest or hashlib.sha256(b"%b\0%b" % (part.type.encode(), delivery.body)).digest()
    metrics.cards_masked.inc()
    said = [part.type, part.subject, part.time and clock.rfc3339(part.time), *shown]
    return replace(part, data=shown[0], extensions=shown[1]), hashlib.sha256(contract.ordered(said)).digest()


def _judged(part: Arrival, source: str) -> tuple[int | None, tuple[RejectionCode, list[Finding]] | None]:
    """(version of the contract it meets, None), or (None, why it is set aside)."""
    if contract.is_reserved(part.type, source):
        said = Finding("/type", f"{part.type} from {source} is written by the portal alone")
        return None, (RejectionCode.RESERVED, [said])
    agreed = registry.contract(part.type)
    if agreed is None:
        return None, None
    if findings := agreed.findings(part.data):
        return None, (RejectionCode.CONTRACT_BROKEN, findings)
    return agreed.version, None


def _stored(tenant: TenantRef, endpoint: KnownEndpoint, parts: Parts) -> set[UUID] | None:
    """The keys of what is new, events and rejections; None if the endpoint is no longer as it was proved.

    One statement is its own transaction, which saves two round trips; with rejections both go in one.
    """
    with transaction.atomic() if parts.rejections else nullcontext():
        if parts.rows:
            stored = store.insert_delivered(
                tenant.schema_name, tenant.id, (endpoint.id, endpoint.version), parts.rows
            )
        else:
            same = Endpoint.objects.filter(pk=endpoint.id, secret_version=endpoint.version, active=True)
            stored = set() if same.exists() else None
        if stored is None:
            return None
        fresh = stored | store.set_aside(parts.rejections)
        if stored:
            ring_on_commit()
    return fresh


def _receipt(tenant: TenantRef, endpoint: KnownEndpoint, parts: Parts, stored: set[UUID]) -> Receipt:
    accepted = [row for row in parts.rows if row.id in stored]
    reused = _reused(tenant, endpoint, parts, stored) if len(accepted) < len(parts.rows) else []
    rejected = [row for row in parts.rejections if row.id in stored]
    duplicates = len(parts.rows) + len(parts.rejections) - len(accepted) - len(reused) - len(rejected)
    if accepted or rejected:
        status = 202
    else:
        status = 409 if reused else 200
    return Receipt(
        status=status,
        ids=tuple(ids.public_id(Event.prefix, row.id) for row in accepted),
        duplicates=duplicates,
        rejected=tuple(Refused(row.public_id, row.event_id, row.code, row.reason) for row in rejected),
        conflicts=len(reused),
        ignored=not parts.rows and not parts.rejections,
    )


def _reused(
    tenant: TenantRef, endpoint: KnownEndpoint, parts: Parts, stored: set[UUID]
) -> Sequence[NewEvent]:
    """Those whose source and id belong to another event; they are set aside, and somebody should look at it."""
    missing = [row for row in parts.rows if row.id not in stored]
    known = store.known(tenant.schema_name, missing)
    reused = [
        row
        for row in missing
        if (found := known.get((row.source, row.event_id))) and found.body_digest != row.body_digest
    ]
    rejections = []
    for row in reused:
        log.error(
            "event id reused with another body",
            endpoint=ids.public_id(Endpoint.prefix, endpoint.id),
            source=row.source,
            event_id=row.event_id,
        )
        said = Finding("/id", f"{row.event_id} from {row.source} was another event before")
        part, digest = parts.arrivals[row.id], row.body_digest or b""
        rejections.append(
            _rejection(endpoint, part, row.source, RejectionCode.ID_REUSED, [said], digest, row.received_at)
        )
    store.set_aside(rejections)
    return reused


def _rejection(
    endpoint: KnownEndpoint,
    part: Arrival,
    source: str,
    code: RejectionCode,
    findings: Sequence[Finding],
    digest: bytes,
    received_at: datetime,
) -> Rejection:
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": part.id,
        "source": source,
        "type": part.type,
        **({"subject": part.subject} if part.subject else {}),
        **({"time": clock.rfc3339(part.time)} if part.time else {}),
        **part.extensions,
        "data": part.data,
    }
    return Rejection(
        endpoint_id=endpoint.id,
        code=code,
        reason="; ".join(f"{found.pointer or '/'}: {found.message}" for found in findings),
        findings=[{"pointer": found.pointer, "message": found.message} for found in findings],
        source=source,
        event_id=part.id,
        type=part.type,
        subject=part.subject,
        body=body,
        body_digest=digest,
        received_at=received_at,
    )


def _flawed(endpoint: KnownEndpoint, flaw: Flaw, received_at: datetime) -> Rejection:
    flawed = cards.masked_data(flaw.body)
    raw = jsonx.dumps(flawed)
    body = flawed if contract.storable(raw) else None
    named = {
        name: str(body.get(name) or "")[:most] if isinstance(body, dict) else ""
        for name, most in (("source", 200), ("id", 200), ("type", 120), ("subject", 200))
    }
    return Rejection(
        endpoint_id=endpoint.id,
        code=RejectionCode.NOT_AN_EVENT,
        reason=f"{flaw.attribute}: {flaw.reason}",
        findings=[{"pointer": f"/{flaw.attribute}", "message": flaw.reason}],
        source=named["source"],
        event_id=named["id"],
        type=named["type"],
        subject=named["subject"],
        body=body,
        body_digest=hashlib.sha256(raw).digest(),
        received_at=received_at,
    )
