"""Reads of the accounts room: how somebody may be here, where they are signed in, what they can prove themselves by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from kernel.errors import NotFound
from kernel.ids import parse_public_id
from tenants.access.models import Membership, User
from tenants.accounts.enums import FactorKind, SupportRule, SupportState, Via
from tenants.accounts.models import (
    Factor,
    MailLink,
    Policy,
    Provider,
    RecoveryCode,
    SupportAccess,
    Visit,
)
from tenants.tenancy import context
from tenants.tenancy.queries import HostRef, at

VISIT, VIA, STRONG, SUPPORT, PROVED, PROVIDER = "visit", "via", "strong", "support", "proved", "provider"
"""What a session holds about how it began."""
PROOF_SECONDS: Final = 600
"""So long a proof of who one is opens the pages that change how one signs in."""
SEEN_SECONDS: Final = 300
ASKED_LIVES: Final = timedelta(days=1)
"""Whom nobody lets in within a day asks anew."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one signs in at a place."""

    sign_on_only: bool = False
    second_factor: bool = False
    mail_links: bool = True
    support: str = SupportRule.ALLOWED


@dataclass(frozen=True, slots=True)
class Standing:
    """What a session is worth at this request: `over` says why it is not, and `support` as what it came."""

    over: str = ""
    factor_due: bool = False
    support: SupportAccess | None = None


def place_of(host: HostRef) -> tuple[UUID | None, UUID | None]:
    """The keys of the partner and the tenant whose host it is."""
    return host.partner.id if host.partner else None, host.tenant.id if host.tenant else None


def rules_at(partner_id: UUID | None, tenant_id: UUID | None) -> Rules:
    """The rules of a place; the platform's own host has none."""
    if partner_id is None:
        return Rules()
    row = Policy.objects.filter(at(partner_id, tenant_id)).first()
    if row is None:
        return Rules()
    return Rules(row.sign_on_only, row.second_factor, row.mail_links, row.support)


def standing(session: Mapping[str, Any], host: HostRef, now: datetime) -> Standing:
    """What the session of somebody who is signed in is worth here, by the rules of this instant."""
    partner_id, tenant_id = place_of(host)
    if partner_id is None:
        return Standing()
    rules = rules_at(partner_id, tenant_id)
    support = None
    if session.get(SUPPORT):
        support = live_support(UUID(session[SUPPORT]), tenant_id, now)
        if support is None or rules.support == SupportRule.FORBIDDEN:
            return Standing(over="support")
        return Standing(support=support)  # by the rules of the partner, at whose console they signed in
    if rules.sign_on_only and not by_own_provider(session, partner_id, tenant_id):
        return Standing(over="sign_on_only")
    strong = bool(session.get(STRONG)) or session.get(VIA) == Via.SSO
    return Standing(factor_due=rules.second_factor and not strong)


def by_own_provider(session: Mapping[str, Any], partner_id: UUID, tenant_id: UUID | None) -> bool:
    """Whether a session began with the word of a provider of this very place, which is trusted still."""
    if session.get(VIA) != Via.SSO or not session.get(PROVIDER):
        return False
    return providers_at(partner_id, tenant_id).filter(pk=session[PROVIDER]).exists()


def live_support(access_id: UUID, tenant_id: UUID | None, now: datetime) -> SupportAccess | None:
    """The support access with this key, if it is open in this tenant now."""
    return (
        SupportAccess.objects.filter(
            Q(tenant_id=tenant_id), pk=access_id, state=SupportState.OPEN, expires_at__gt=now
        )
        .select_related("user", "partner")
        .first()
    )


def fresh(session: Mapping[str, Any], now: datetime) -> bool:
    """Whether somebody has proved who they are a moment ago."""
    return float(session.get(PROVED, 0)) > now.timestamp() - PROOF_SECONDS


def visits_of(user: User, now: datetime) -> list[Visit]:
    """Where somebody is signed in, the one that was used last first."""
    found = list(
        Visit.objects.filter(user=user, ended_at__isnull=True).select_related("partner", "tenant")[:200]
    )
    live = set(
        Session.objects.filter(
            session_key__in=[one.session_key for one in found], expire_date__gt=now
        ).values_list("session_key", flat=True)
    )
    return [one for one in found if one.session_key in live]


def visit_of(user: User, public_id: str) -> Visit:
    """One of somebody's own sessions. Raises NotFound."""
    try:
        key = parse_public_id(Visit.prefix, public_id)
    except ValueError as error:
        raise NotFound from error
    found = Visit.objects.filter(user=user, pk=key, ended_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def factors_of(user: User) -> list[Factor]:
    """A person's second factors."""
    return list(Factor.objects.filter(user=user))


def factor_of(user: User, public_id: str) -> Factor:
    """One of somebody's own factors. Raises NotFound."""
    try:
        key = parse_public_id(Factor.prefix, public_id)
    except ValueError as error:
        raise NotFound from error
    found = Factor.objects.filter(user=user, pk=key).first()
    if found is None:
        raise NotFound
    return found


def has_factor(user: User) -> bool:
    """Whether a password alone lets this person in no more."""
    return Factor.objects.filter(user=user).exists()


def app_of(user: User) -> Factor | None:
    """A person's authenticator app."""
    return Factor.objects.filter(user=user, kind=FactorKind.TOTP).first()


def codes_left(user: User) -> int:
    """How many recovery codes a person has."""
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def providers_at(partner_id: UUID | None, tenant_id: UUID | None) -> "QuerySet[Provider]":
    """The identity providers of a place."""
    if partner_id is None:
        return Provider.objects.none()
    return Provider.objects.filter(at(partner_id, tenant_id))


def provider_at(partner_id: UUID | None, tenant_id: UUID | None, public_id: str) -> Provider:
    """One identity provider of a place. Raises NotFound."""
    try:
        key = parse_public_id(Provider.prefix, public_id)
    except ValueError as error:
        raise NotFound from error
    found = providers_at(partner_id, tenant_id).filter(pk=key).first()
    if found is None:
        raise NotFound
    return found


def unsent_links(now: datetime) -> "QuerySet[MailLink]":
    """Links to sign in by whose mail is to go out now."""
    return MailLink.objects.filter(sent_at__isnull=True, used_at__isnull=True, expires_at__gt=now)


def belongs_beyond(user: User, partner_id: UUID, tenant_id: UUID | None) -> bool:
    """Whether a person has anything to do elsewhere than at this place: another place's word must not speak for them.

    A partner's word counts in its clients as well.
    """
    if user.is_staff or user.is_superuser:
        return True
    here = Q(partner_id=partner_id) & (Q(tenant_id=tenant_id) if tenant_id else Q())
    with context.leave():  # other places than this one
        return bool(Membership.objects.filter(user=user).exclude(here).exists())


def is_member(user: User, partner_id: UUID, tenant_id: UUID | None) -> bool:
    """Whether a person has a role of their own at a place."""
    with context.leave():
        return bool(Membership.objects.filter(at(partner_id, tenant_id), user=user).exists())


def supports_of(*, partner_id: UUID, tenant_id: UUID | None = None) -> "QuerySet[SupportAccess]":
    """Support accesses to a partner's clients, or to one of them, newest first."""
    rows = SupportAccess.objects.filter(partner_id=partner_id).select_related("user", "tenant")
    return rows.filter(tenant_id=tenant_id) if tenant_id else rows


def own_support(user: User, tenant_id: UUID, now: datetime) -> SupportAccess | None:
    """Somebody's own access to a client that is open, or else one that they have asked for within the last day."""
    rows = SupportAccess.objects.filter(user=user, tenant_id=tenant_id)
    with context.leave():
        return (
            rows.filter(state=SupportState.OPEN, expires_at__gt=now).first()
            or rows.filter(state=SupportState.ASKED, asked_at__gt=now - ASKED_LIVES).first()
        )


def supports_now(tenant_id: UUID, now: datetime) -> list[SupportAccess]:
    """Who is in a client for support at this instant, and who asks to come."""
    live = Q(state=SupportState.OPEN, expires_at__gt=now)
    asked = Q(state=SupportState.ASKED, asked_at__gt=now - ASKED_LIVES)
    return list(SupportAccess.objects.filter(live | asked, tenant_id=tenant_id).select_related("user"))


def support_word(row: SupportAccess, now: datetime) -> str:
    """The state of a support access as it is now: time ends it as well."""
    if row.state == SupportState.OPEN:
        return "admitted" if row.expires_at and row.expires_at > now else "over"
    if row.state == SupportState.ASKED and row.asked_at <= now - ASKED_LIVES:
        return "expired"
    return {"ended": "over", "refused": "refused"}.get(row.state, row.state)


def support_at(partner_id: UUID, tenant_id: UUID | None, public_id: str) -> SupportAccess:
    """One support access. Raises NotFound."""
    try:
        key = parse_public_id(SupportAccess.prefix, public_id)
    except ValueError as error:
        raise NotFound from error
    found = supports_of(partner_id=partner_id, tenant_id=tenant_id).filter(pk=key).first()
    if found is None:
        raise NotFound
    return found
