"""Reads of the audit: newest first, filtered by what the URL says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from kernel.ids import public_id
from kernel.proof import ERASE
from tenants.audit import store
from tenants.audit.models import AuditCheck, AuditCheckpoint, AuditEvent, AuditLeaf, AuditStream
from tenants.audit.registry import OVERRIDES


def trail(
    *,
    text: str = "",
    action: str = "",
    actor: str = "",
    object_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    overrides: bool = False,
    partner_id: UUID | None = None,
) -> Any:
    """Audit events of the present schema that match every given filter, newest first.

    `overrides`: only what people did against the usual course of things.
    """
    found = AuditEvent.objects.all()
    if overrides:
        found = found.filter(_against_the_course())
    if partner_id is not None:
        found = found.filter(partner_id=partner_id)
    if text:
        found = found.filter(
            Q(object_label__icontains=text)
            | Q(actor_label__icontains=text)
            | Q(action__icontains=text)
            | Q(object_id__icontains=text)
            | Q(reason__icontains=text)
        )
    if action:
        found = found.filter(action=action)
    if actor:
        found = found.filter(actor_label=actor)
    if object_id:
        found = found.filter(object_id=object_id)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    return found.order_by("-at", "-id")


def _against_the_course() -> Q:
    """Whether an event is one of the acts that rooms named as overrides."""
    found = Q(pk__in=[])
    for one in OVERRIDES:
        wanted = Q(action=one.action)
        found |= wanted & Q(**{f"after__{one.member}__in": list(one.values)}) if one.member else wanted
    return found


def trail_of(object_type: str, object_id: str) -> Any:
    """What was done to one object, oldest first."""
    return AuditEvent.objects.filter(object_type=object_type, object_id=object_id).order_by("at", "id")


def actions_seen(partner_id: UUID | None = None) -> list[str]:
    """The names of actions that the audit holds, for the filter's menu."""
    found = AuditEvent.objects.all()
    if partner_id is not None:
        found = found.filter(partner_id=partner_id)
    return list(found.order_by("action").values_list("action", flat=True).distinct())


def erasures_of(events: Iterable[UUID]) -> Any:
    """The acts by which personal data of these events were erased."""
    return AuditEvent.objects.filter(action=ERASE, object_id__in=[public_id("aud", key) for key in events])


@dataclass(frozen=True, slots=True)
class ProofState:
    """How far a log is sealed, what waits, the last checkpoint and the last verification (None before the first)."""

    sealed: int
    waiting: int
    waiting_since: datetime | None
    point: AuditCheckpoint | None
    check: AuditCheck | None


def proof_state() -> ProofState:
    """The state of the present log's proof."""
    waiting, since = store.count_waiting(store.schema())
    return ProofState(
        sealed=store.size(),
        waiting=waiting,
        waiting_since=since,
        point=store.last_checkpoint(),
        check=AuditCheck.objects.order_by("-at", "-id").first(),
    )


def checks(limit: int = 20) -> list[AuditCheck]:
    """The newest verifications of the present log."""
    return list(AuditCheck.objects.order_by("-at", "-id")[:limit])


def unverified_since(at: datetime) -> bool:
    """Whether the present log was last verified before `at`, or never."""
    return not AuditCheck.objects.filter(at__gte=at).exists()


def place_of(event_id: UUID) -> AuditLeaf | None:
    """An event's leaf; None while it waits to be sealed."""
    return AuditLeaf.objects.filter(event_id=event_id).first()


def newest_checkpoint() -> AuditCheckpoint | None:
    """The signed head of the present log."""
    return store.last_checkpoint()


def streams(partner_id: UUID | None = None) -> Any:
    """Where the present log is sent to; in the public schema, a partner's own streams."""
    return AuditStream.objects.filter(partner_id=partner_id)


def owed_streams() -> list[tuple[str, UUID]]:
    """(schema, stream) of every stream with something to send, in all logs."""
    return store.owed()


def waiting_logs(*, seconds: float, rows: int) -> list[str]:
    """Schemas whose log has events that wait for `seconds` to be sealed, or `rows` of them."""
    return store.waiting_logs(seconds=seconds, rows=rows)
