"""Who somebody is here: memberships read anew at each request, so that a revoked right is gone at the next one."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from kernel import apikeys
from kernel.actor import Actor
from kernel.errors import NotFound
from kernel.ids import parse_public_id
from kernel.secrets import sign
from tenants.access import catalog
from tenants.access.enums import Staff
from tenants.access.errors import BadToken, InvitationSpent
from tenants.access.models import ApiToken, Invitation, Membership, User
from tenants.access.queries import rights
from tenants.tenancy import context
from tenants.tenancy.enums import CLOSED, PartnerState
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import HostRef, at

MOST_TRIES: Final = 8
"""How often an invitation's mail is tried, with longer and longer pauses."""


def actor_for(
    user: User, host: HostRef, *, staff: Staff = Staff.OUTSIDE, request_id: str = "", address: str = ""
) -> Actor:
    """`user` as the doer of what happens on `host`, with the permissions that hold there (none for a stranger).

    `staff` says as what a partner's staff are in a client: their role alone opens no client's portal.
    """
    permissions: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    scoped = False
    if host.kind == "platform":
        if user.is_staff:
            permissions, roles = catalog.OPERATOR, ("platform_operator",)
    elif host.partner is not None:
        held = rights.memberships_at(user.id, host.partner.id, host.tenant.id if host.tenant else None)
        if host.tenant is not None and staff == Staff.OUTSIDE:
            held = [one for one in held if one.tenant_id is not None]
        permissions = frozenset().union(
            *(rights.permissions_of(one.role, one.custom, in_tenant=host.tenant is not None) for one in held)
        )
        if host.tenant is not None and staff == Staff.SUPPORT:
            permissions -= catalog.NOT_IN_SUPPORT
        roles = tuple(one.role for one in held)
        scoped = host.tenant is not None and bool(held) and all(one.scoped for one in held)
    return Actor(
        kind="user",
        id=user.id,
        user_id=user.id,
        label=str(user),
        permissions=permissions,
        roles=roles,
        scoped_as=user.id if scoped else None,
        request_id=request_id,
        address=address,
    )


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_for_token(
    token: str, host: HostRef, *, now: datetime, request_id: str = "", address: str = ""
) -> Actor:
    """The doer behind an API token on `host`. Raises BadToken, the same for every reason."""
    if apikeys.mistyped(token):
        raise BadToken
    row = (
        ApiToken.objects.select_related("created_by")
        .filter(digest=digest(token), revoked_at__isnull=True)
        .first()
    )
    if (
        row is None
        or row.over(now)
        or (row.created_by and not row.created_by.is_active)
        or host.partner is None
        or row.partner_id != host.partner.id
        or row.tenant_id != (host.tenant.id if host.tenant else None)
    ):
        raise BadToken
    scopes = frozenset(row.scopes)
    maker = actor_for(row.created_by, host, staff=Staff.CONSOLE) if row.created_by is not None else None
    if maker is not None:  # a token is never more than its maker still is
        scopes &= maker.permissions
    if not scopes:
        raise BadToken
    if row.last_used_at is None or (now - row.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return Actor(
        kind="token",
        id=row.id,
        label=f"token {row.name}",
        permissions=scopes,
        scoped_as=maker.scoped_as if maker else None,
        request_id=request_id,
        address=address,
    )


def places_of(user: User) -> list[Membership]:
    """Where a person works: memberships with partner and tenant, partners first."""
    with context.leave():
        found = list(Membership.objects.filter(user=user).select_related("partner", "tenant"))
    return sorted(
        found, key=lambda m: (m.partner.name, m.tenant is not None, m.tenant.name if m.tenant else "")
    )


def people_of(*, partner_id: UUID, tenant_id: UUID | None = None) -> Any:
    """Memberships of a partner's console or of one tenant, with their users."""
    return (
        Membership.objects.filter(at(partner_id, tenant_id))
        .select_related("user", "custom")
        .order_by("user__name", "user__email")
    )


def people_in(*, partner_id: UUID, tenant_id: UUID) -> Any:
    """Memberships of everybody who works in a tenant: its own people, and its partner's."""
    return (
        Membership.objects.filter(at(partner_id, tenant_id) | at(partner_id, None))
        .select_related("user", "custom")
        .order_by("user__name", "user__email")
    )


def tokens_of(*, partner_id: UUID, tenant_id: UUID | None = None) -> Any:
    """API tokens of a partner's console or of one tenant, newest first."""
    return ApiToken.objects.filter(at(partner_id, tenant_id)).select_related("created_by", "replaced_by")


def token_by_text(text: str) -> ApiToken | None:
    """The token with this text, wherever it counts and whatever it is worth: for whoever found one lying about."""
    return ApiToken.objects.select_related("partner", "tenant").filter(digest=digest(text)).first()


@dataclass(frozen=True, slots=True)
class Place:
    """A portal that a person may enter: a partner's console or a client tenant."""

    public_id: str
    name: str
    partner: str
    partner_id: UUID
    tenant_id: UUID | None
    state: str
    sandbox: bool = False


def places(user: User, *, text: str = "", limit: int = 60) -> list[Place]:
    """Where a person may go, consoles first: their memberships, and every client of a partner whose staff they are."""
    with context.leave():  # other places than the one where they ask
        return _places(user, text, limit)


def _places(user: User, text: str, limit: int) -> list[Place]:
    held = list(Membership.objects.filter(user=user).select_related("partner"))
    partners = {one.partner_id: one.partner for one in held if one.tenant_id is None}
    found = [
        Place(partner.public_id, partner.name, partner.name, partner.id, None, partner.state)
        for partner in partners.values()
        if partner.state == PartnerState.ACTIVE and text.lower() in partner.name.lower()
    ]
    clients = (
        Tenant.objects.ready()
        .exclude(state__in=CLOSED)
        .filter(
            Q(partner_id__in=partners) | Q(pk__in=[one.tenant_id for one in held if one.tenant_id]),
            partner__state=PartnerState.ACTIVE,
        )
        .select_related("partner")
        .order_by("name")
    )
    if text:
        clients = clients.filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return sorted(found, key=lambda place: place.name) + [
        Place(
            tenant.public_id,
            tenant.name,
            tenant.partner.name,
            tenant.partner_id,
            tenant.id,
            tenant.state,
            tenant.sandbox,
        )
        for tenant in clients[:limit]
    ]


def place(user: User, public_id: str) -> Place:
    """The place with this public id, if the person may go there. Raises NotFound."""
    found = next((one for one in places(user, limit=100_000) if one.public_id == public_id), None)
    if found is None:
        raise NotFound
    return found


def invitation_text(row: Invitation) -> str:
    """What stands in the link of an invitation: its id, and a signature that only this installation can make."""
    return f"{row.public_id}.{_signature(row)}"


def invitation_of(text: str, host: HostRef, now: datetime) -> Invitation:
    """The invitation behind a link, on the host of its place. Raises InvitationSpent, the same for every reason."""
    public_id, _dot, signature = text.partition(".")
    try:
        key = parse_public_id(Invitation.prefix, public_id)
    except ValueError as error:
        raise InvitationSpent from error
    rows = Invitation.objects.select_related("membership__user", "membership__partner", "membership__tenant")
    row = rows.filter(
        pk=key, used_at__isnull=True, expires_at__gt=now, membership__user__is_active=True
    ).first()
    if row is None or not hmac.compare_digest(signature, _signature(row)):
        raise InvitationSpent
    here = (host.partner.id if host.partner else None, host.tenant.id if host.tenant else None)
    if (row.membership.partner_id, row.membership.tenant_id) != here:
        raise InvitationSpent
    return row


def _signature(row: Invitation) -> str:
    return sign(settings.JOB_KEY, "invitation", f"{row.id}:{row.membership_id}".encode())


def unsent_invitations(now: datetime) -> "QuerySet[Invitation]":
    """Invitations whose mail is to go out now."""
    return Invitation.objects.filter(
        sent_at__isnull=True, used_at__isnull=True, send_at__lte=now, expires_at__gt=now, tries__lt=MOST_TRIES
    )


def member_states(members: Sequence[Membership], now: datetime) -> dict[UUID, str]:
    """Whether each member is active, invited, with an invitation that expired, or deactivated."""
    live = set(
        Invitation.objects.filter(
            membership__in=members, used_at__isnull=True, expires_at__gt=now
        ).values_list("membership_id", flat=True)
    )
    return {member.id: _state(member, member.id in live) for member in members}


def _state(member: Membership, invited: bool) -> str:
    if not member.user.is_active:
        return "deactivated"
    if member.user.last_login or member.user.has_usable_password():
        return "active"
    return "invited" if invited else "expired"
