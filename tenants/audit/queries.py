"""Reads of the audit: newest first, filtered by what the URL says."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from tenants.audit.models import AuditEvent


def trail(
    *,
    text: str = "",
    action: str = "",
    actor: str = "",
    object_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    partner_id: UUID | None = None,
) -> Any:
    """Audit events of the present schema that match every given filter, newest first."""
    found = AuditEvent.objects.all()
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


def trail_of(object_type: str, object_id: str) -> Any:
    """What was done to one object, oldest first."""
    return AuditEvent.objects.filter(object_type=object_type, object_id=object_id).order_by("at", "id")


def actions_seen(partner_id: UUID | None = None) -> list[str]:
    """The names of actions that the audit holds, for the filter's menu."""
    found = AuditEvent.objects.all()
    if partner_id is not None:
        found = found.filter(partner_id=partner_id)
    return list(found.order_by("action").values_list("action", flat=True).distinct())
