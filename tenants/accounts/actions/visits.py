"""Sessions as people see them: one begins, is used, and is ended, here or from elsewhere, by its next request."""

from datetime import datetime
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet

from kernel.actor import Actor
from kernel.logs import plain
from tenants.access.models import User
from tenants.accounts.enums import Via
from tenants.accounts.models import Visit
from tenants.accounts.queries import place_of
from tenants.audit.actions import record
from tenants.tenancy.queries import HostRef


def begin(
    *,
    user: User,
    session_key: str,
    host: HostRef,
    via: Via,
    strong: bool,
    agent: str,
    actor: Actor,
    now: datetime,
) -> Visit:
    """Note that somebody has signed in."""
    partner_id, tenant_id = place_of(host)
    with transaction.atomic():
        made = Visit.objects.create(
            user=user,
            session_key=session_key,
            host=host.host,
            partner_id=partner_id,
            tenant_id=tenant_id,
            via=via,
            strong=strong,
            address=actor.address[:64],
            agent=plain(agent[:200]),
            started_at=now,
            seen_at=now,
        )
        record(
            actor=actor,
            action="accounts.sign_in",
            obj=made,
            now=now,
            after={"via": via, "second_factor": strong},
            partner_id=partner_id,
        )
    return made


def seen(*, visit_id: UUID, strong: bool | None = None, now: datetime) -> None:
    """Note that a session is in use, and that a second factor was shown in it."""
    given = {"seen_at": now} | ({"strong": strong} if strong is not None else {})
    Visit.objects.filter(pk=visit_id).update(**given)


def moved(*, visit_id: UUID, session_key: str) -> None:
    """A session goes on under another key."""
    Visit.objects.filter(pk=visit_id).update(session_key=session_key)


def left(*, visit_id: UUID, now: datetime) -> None:
    """Somebody has signed out."""
    Visit.objects.filter(pk=visit_id, ended_at__isnull=True).update(ended_at=now)


def end(*, visit: Visit, actor: Actor, now: datetime) -> None:
    """End one session."""
    with transaction.atomic():
        _end(Visit.objects.filter(pk=visit.pk), now)
        record(actor=actor, action="accounts.end_session", obj=visit, now=now, partner_id=visit.partner_id)


def end_others(*, user: User, keep: UUID | None, actor: Actor, now: datetime) -> int:
    """End every session of a person but one; how many."""
    with transaction.atomic():
        count = _end(Visit.objects.filter(user=user).exclude(Q(pk=keep)), now)
        record(actor=actor, action="accounts.end_sessions", obj=user, now=now, after={"ended": count})
    return count


def end_at(*, user: User, partner_id: UUID, tenant_id: UUID | None, now: datetime) -> int:
    """End a person's sessions at a place, and with a partner in its clients too; within the act that takes them out."""
    here = Q(partner_id=partner_id) & (Q(tenant_id=tenant_id) if tenant_id else Q())
    return _end(Visit.objects.filter(here, user=user), now)


def end_all(*, user: User, now: datetime) -> int:
    """End all of a person's sessions; within the act that makes them worth nothing."""
    return _end(Visit.objects.filter(user=user), now)


def end_everybody_at(*, tenant_id: UUID, now: datetime) -> int:
    """End all sessions in a client's portal; within the act that makes what they were given worth nothing."""
    return _end(Visit.objects.filter(tenant_id=tenant_id), now)


def _end(rows: "QuerySet[Visit]", now: datetime) -> int:
    keys = list(rows.filter(ended_at__isnull=True).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return rows.filter(session_key__in=keys).update(ended_at=now)
