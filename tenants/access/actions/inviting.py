"""Letting somebody come in who was given a role: a mail with a link that works once, for one person, in one place.

The mail goes out by a job that the portal does, since it wears the partner's brand; here is what is kept about it.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from kernel import jobs
from kernel.actor import Actor
from tenants.access.errors import InvitationSpent
from tenants.access.models import Invitation, Membership, User
from tenants.access.queries import MOST_TRIES, invitation_of
from tenants.audit.actions import record
from tenants.tenancy.queries import HostRef

LIVES: Final = timedelta(days=7)
_FIRST_WAIT: Final = timedelta(minutes=1)


def invite(*, membership: Membership, actor: Actor, now: datetime) -> Invitation:
    """Have a link sent to a member; links that were sent before stop working."""
    actor.require("access.people")
    with transaction.atomic():
        earlier = Invitation.objects.filter(membership=membership, used_at__isnull=True, expires_at__gt=now)
        earlier.update(expires_at=now)
        made = Invitation.objects.create(
            membership=membership,
            invited_by="" if actor.kind == "system" else actor.label[:200],
            created_at=now,
            send_at=now,
            expires_at=now + LIVES,
        )
        record(
            actor=actor,
            action="access.invite",
            obj=made,
            now=now,
            after={"email": membership.user.email, "role": membership.role},
            partner_id=membership.partner_id,
        )
        jobs.enqueue("access.invite", invitation=made.id)
    return made


def claim(*, invitation_id: UUID, now: datetime) -> Invitation | None:
    """The invitation, for whoever sends it now; None where it is sent, being sent, or not to be sent any more."""
    rows = Invitation.objects.filter(
        pk=invitation_id, sent_at__isnull=True, send_at__lte=now, expires_at__gt=now, tries__lt=MOST_TRIES
    )
    found = rows.select_related("membership__user", "membership__partner", "membership__tenant").first()
    if found is None:
        return None
    wait = _FIRST_WAIT * 2**found.tries
    if not rows.filter(tries=found.tries).update(tries=F("tries") + 1, send_at=now + wait):
        return None
    return found


def sent(*, invitation: Invitation, now: datetime) -> None:
    """Note that the mail is out."""
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now)


def accept(
    *, text: str, host: HostRef, name: str, timezone: str, password: str, address: str = "", now: datetime
) -> User:
    """Let the person behind a link choose their password; the link has done its work. Raises InvitationSpent."""
    with transaction.atomic():
        known = invitation_of(text, host, now)
        row = Invitation.objects.select_for_update(of=("self",)).get(pk=known.pk)
        user = User.objects.select_for_update().get(pk=known.membership.user_id)
        if row.used_at is not None or user.has_usable_password():
            raise InvitationSpent
        user.set_password(password)
        user.name, user.timezone = name or user.name, timezone or user.timezone
        user.save(update_fields=["password", "name", "timezone"])
        row.used_at = now
        row.save(update_fields=["used_at"])
        record(
            actor=Actor(kind="user", id=user.id, user_id=user.id, label=str(user), address=address),
            action="access.accept",
            obj=row,
            now=now,
            after={"email": user.email},
            partner_id=known.membership.partner_id,
        )
    return user
