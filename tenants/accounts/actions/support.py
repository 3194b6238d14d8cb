"""Support access: a partner's engineer in a client's portal, for a reason, for a time, where the client lets them.

Each step is written into both audits, the client's and the partner's.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.access.models import User
from tenants.accounts.enums import SupportRule, SupportState
from tenants.accounts.errors import SupportForbidden, SupportOver
from tenants.accounts.models import SupportAccess
from tenants.accounts.queries import rules_at
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import Tenant

MINUTES: Final = (15, 30, 60, 120)
_SHORTEST: Final = 10


def ask(
    *,
    tenant: Tenant,
    user: User,
    reason: str,
    ticket: str,
    minutes: int,
    actor: Actor,
    now: datetime,
) -> SupportAccess:
    """Ask to come into a client: open at once, or after somebody there has agreed. Raises SupportForbidden, Invalid."""
    actor.require("tenancy.support")
    if len(reason.strip()) < _SHORTEST:
        raise Invalid(fields={"reason": ["Say what you are going to do, in ten letters at least."]})
    if minutes not in MINUTES:
        raise Invalid(fields={"minutes": ["Choose one of the times on offer."]})
    with context.leave():  # whoever asks may be in another client at the moment
        return _ask(tenant, user, reason.strip()[:500], ticket.strip()[:80], minutes, actor, now)


def _ask(
    tenant: Tenant, user: User, reason: str, ticket: str, minutes: int, actor: Actor, now: datetime
) -> SupportAccess:
    rule = rules_at(tenant.partner_id, tenant.id).support
    if rule == SupportRule.FORBIDDEN:
        raise SupportForbidden
    at_once = rule == SupportRule.ALLOWED
    with transaction.atomic():
        made = SupportAccess.objects.create(
            partner_id=tenant.partner_id,
            tenant=tenant,
            user=user,
            reason=reason,
            ticket=ticket,
            minutes=minutes,
            state=SupportState.OPEN if at_once else SupportState.ASKED,
            asked_at=now,
            expires_at=now + timedelta(minutes=minutes) if at_once else None,
        )
        after = {"minutes": minutes, "ticket": made.ticket, "state": made.state}
        _record(made, "accounts.ask_support", actor, now, after=after, reason=made.reason)
    return made


def decide(*, access: SupportAccess, agree: bool, actor: Actor, now: datetime) -> SupportAccess:
    """Let somebody in who asked, or refuse; from now on the time counts. Raises SupportOver."""
    actor.require("access.support")
    with transaction.atomic():
        row = _held(access)
        if row.state != SupportState.ASKED or row.user_id == actor.user_id:
            raise SupportOver
        row.state = SupportState.OPEN if agree else SupportState.REFUSED
        row.decided_by, row.decided_at = actor.label[:200], now
        row.expires_at = now + timedelta(minutes=row.minutes) if agree else None
        row.save()
        _record(row, "accounts.decide_support", actor, now, after={"state": row.state})
    return row


def end(*, access: SupportAccess, actor: Actor, now: datetime) -> SupportAccess:
    """End a support access before its time: whoever came leaves, or is shown out. Raises SupportOver."""
    if actor.user_id != access.user_id:
        actor.require("access.support")
    with transaction.atomic():
        row = _held(access)
        if row.state not in (SupportState.OPEN, SupportState.ASKED):
            raise SupportOver
        row.state, row.ended_at, row.ended_by = SupportState.ENDED, now, actor.label[:200]
        row.save(update_fields=["state", "ended_at", "ended_by"])
        _record(row, "accounts.end_support", actor, now, after={"state": row.state})
    return row


def _held(access: SupportAccess) -> SupportAccess:
    """The row, held to the end of the transaction."""
    rows = SupportAccess.objects.select_for_update(of=("self",)).select_related("user", "tenant")
    return rows.get(pk=access.pk)


def _record(row: SupportAccess, action: str, actor: Actor, now: datetime, **more: Any) -> None:
    """In the client's audit and in the partner's."""
    given: dict[str, Any] = {"actor": actor, "action": action, "obj": row, "now": now, **more}
    with context.leave():
        record(**given, partner_id=row.partner_id)
    with context.enter(row.tenant_id):
        record(**given, partner_id=row.partner_id)
