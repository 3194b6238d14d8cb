"""What rights somebody holds and by what: roles, own roles, pairs that nobody is to hold at once, and the reasons."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q
from guardian.models import UserObjectPermission

from kernel import clock
from kernel.actor import Actor
from tenants.access import catalog
from tenants.access.enums import Role
from tenants.access.models import ApiToken, CustomRole, DutyRule, Membership, User
from tenants.tenancy.queries import at


def permissions_of(role: Role | str, custom: CustomRole | None, *, in_tenant: bool) -> frozenset[str]:
    """What a role may do in a client's portal, or in the partner's console."""
    if custom is None:
        return catalog.shipped(Role(role), in_tenant=in_tenant)
    most = catalog.ceiling(partner=custom.tenant_id is None, in_tenant=in_tenant)
    return most & frozenset(custom.permissions)


def permissions_anywhere(role: Role | str, custom: CustomRole | None, *, of_partner: bool) -> frozenset[str]:
    """What a role may do wherever it counts: a partner's role counts in its console and in all its clients."""
    here = permissions_of(role, custom, in_tenant=True)
    return here | permissions_of(role, custom, in_tenant=False) if of_partner else here


def memberships_at(user_id: UUID, partner_id: UUID, tenant_id: UUID | None) -> list[Membership]:
    """What makes a person somebody there: a role of the place, and in a client's portal one of its partner."""
    here = Q(tenant__isnull=True) | Q(tenant_id=tenant_id)
    return list(
        Membership.objects.filter(here, user_id=user_id, partner_id=partner_id).select_related("custom")
    )


def held_by(actor: Actor, partner_id: UUID, tenant_id: UUID | None) -> frozenset[str]:
    """All that an actor may give away at a place: what they hold there, and for a partner also in its clients."""
    if actor.kind == "system":
        return frozenset(catalog.PERMISSIONS)
    if tenant_id is not None or actor.user_id is None:
        return actor.permissions
    own = memberships_at(actor.user_id, partner_id, None)
    return actor.permissions.union(
        *(permissions_anywhere(one.role, one.custom, of_partner=True) for one in own)
    )


def roles_of(*, partner_id: UUID, tenant_id: UUID | None) -> Any:
    """The roles that a place made itself, by name."""
    return CustomRole.objects.filter(at(partner_id, tenant_id)).order_by("name")


def duties_of(*, partner_id: UUID, tenant_id: UUID | None) -> Any:
    """The pairs that nobody is to hold at once there; a partner's count in all its clients."""
    here = Q(tenant__isnull=True) | Q(tenant_id=tenant_id)
    return DutyRule.objects.filter(here, partner_id=partner_id).order_by("created_at")


def broken(permissions: Iterable[str], rules: Iterable[DutyRule]) -> list[DutyRule]:
    """The pairs of which `permissions` has both."""
    held = set(permissions)
    return [rule for rule in rules if {rule.first, rule.second} <= held]


@dataclass(frozen=True)
class Toxic:
    """Somebody (or a token, or a role) who holds both of a pair."""

    holder: str
    by: str
    rule: DutyRule


def toxic(*, partner_id: UUID, tenant_id: UUID | None) -> list[Toxic]:
    """Everybody at a place who holds what nobody is to hold at once; also tokens."""
    rules = list(duties_of(partner_id=partner_id, tenant_id=tenant_id))
    if not rules:
        return []
    return [
        Toxic(holder, by, rule)
        for holder, by, permissions in _holders(partner_id, tenant_id)
        for rule in broken(permissions, rules)
    ]


def _holders(partner_id: UUID, tenant_id: UUID | None) -> Iterator[tuple[str, str, frozenset[str]]]:
    members = Membership.objects.filter(at(partner_id, tenant_id), user__is_active=True)
    for one in members.select_related("user", "custom").order_by("user__email"):
        held = permissions_anywhere(one.role, one.custom, of_partner=tenant_id is None)
        yield one.user.email, one.role_name, held
    for token in ApiToken.objects.filter(at(partner_id, tenant_id), revoked_at__isnull=True):
        yield token.name, "token", frozenset(token.scopes)


@dataclass(frozen=True)
class Reason:
    """One thing that speaks for or against: by what, and whether it gives the right."""

    what: str
    detail: str
    gives: bool


@dataclass(frozen=True)
class Why:
    """Whether somebody may do something, and everything that was looked at."""

    yes: bool
    reasons: list[Reason]


def why(*, user: User, permission: str, partner_id: UUID, tenant_id: UUID | None) -> Why:
    """Why a person may or may not do `permission` at a place, by their roles; grants on objects come on top."""
    if not user.is_active:
        return Why(False, [Reason("deactivated", user.email, gives=False)])
    found = memberships_at(user.id, partner_id, tenant_id)
    if not found:
        return Why(False, [Reason("no_role", user.email, gives=False)])
    reasons = [
        Reason(
            "partner_role" if one.tenant_id is None else "role",
            one.role_name,
            permission in permissions_of(one.role, one.custom, in_tenant=tenant_id is not None),
        )
        for one in found
    ]
    if tenant_id is not None:
        reasons += _granted(user, permission)
    return Why(any(one.gives for one in reasons), reasons)


def _granted(user: User, permission: str) -> list[Reason]:
    """The single objects of the entered client on which a person was given the right."""
    verb = permission.rsplit(".", 1)[-1]
    rows = UserObjectPermission.objects.filter(user=user, permission__codename__startswith=f"{verb}_")
    count = rows.count()
    return [Reason("grant", str(count), gives=True)] if count else []


def sights_of(user_id: UUID) -> Any:
    """The grants that say how far a person can see in the entered client, if they are let in for parts of it."""
    rows = UserObjectPermission.objects.filter(user_id=user_id, permission__codename__startswith="view_")
    return rows.select_related("content_type")


def seen_by(user_id: UUID) -> dict[str, set[UUID]]:
    """The keys of what a person is let in for, by the name of the model."""
    found: dict[str, set[UUID]] = {}
    for grant in sights_of(user_id):
        found.setdefault(grant.content_type.model, set()).add(UUID(grant.object_pk))
    return found


def held_now(actor: Actor, *, partner_id: UUID, tenant_id: UUID) -> frozenset[str]:
    """What somebody who asked for something earlier may still do in a client now: for whatever was queued meanwhile."""
    if actor.kind == "system":
        return frozenset(catalog.PERMISSIONS)
    user_id, scopes = actor.user_id, frozenset(catalog.PERMISSIONS)
    if actor.kind == "token":
        token = ApiToken.objects.filter(id__in=[actor.id], revoked_at__isnull=True).first()
        if token is None or (token.expires_at and token.expires_at <= clock.now()):
            return frozenset()
        user_id, scopes = token.created_by_id, frozenset(token.scopes)
        if user_id is None:
            return scopes
    if user_id is None or not User.objects.filter(pk=user_id, is_active=True).exists():
        return frozenset()
    held = memberships_at(user_id, partner_id, tenant_id)
    return scopes & frozenset[str]().union(
        *(permissions_of(one.role, one.custom, in_tenant=True) for one in held)
    )
