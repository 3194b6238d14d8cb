"""Roles that a place puts together itself, and pairs of rights that nobody is to hold at once.

Nobody gives what they do not hold, by a role as little as by a token or a grant; and nobody is given both of a pair.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.access import catalog
from tenants.access.enums import Role
from tenants.access.errors import MoreThanOwn, RoleInUse, RoleNotHere, ToxicPair
from tenants.access.models import CustomRole, DutyRule, Membership
from tenants.access.queries import rights
from tenants.audit.actions import record
from tenants.tenancy.models import Partner, Tenant

AnyRole = Role | CustomRole


def word_of(role: AnyRole) -> Role:
    """What a membership's `role` says: the shipped role, or that it is an own one."""
    if isinstance(role, Role):
        return role
    return Role.PARTNER_CUSTOM if role.tenant_id is None else Role.CUSTOM


def given_by(role: AnyRole, *, of_partner: bool) -> frozenset[str]:
    """All that a role gives."""
    custom = role if isinstance(role, CustomRole) else None
    return rights.permissions_anywhere(word_of(role), custom, of_partner=of_partner)


def check_role(role: AnyRole, *, partner_id: UUID, tenant_id: UUID | None, actor: Actor) -> None:
    """Go on only if the actor may give this role here. Raises RoleNotHere, MoreThanOwn and ToxicPair."""
    if isinstance(role, CustomRole):
        here = (role.partner_id, role.tenant_id) == (partner_id, tenant_id)
    else:
        here = role in (catalog.TENANT_ROLES if tenant_id else catalog.PARTNER_ROLES)
    if not here:
        raise RoleNotHere(fields={"role": [str(RoleNotHere.__doc__)]})
    check_rights(
        given_by(role, of_partner=tenant_id is None),
        partner_id=partner_id,
        tenant_id=tenant_id,
        actor=actor,
        field="role",
    )


def check_rights(
    wanted: Collection[str], *, partner_id: UUID, tenant_id: UUID | None, actor: Actor, field: str
) -> None:
    """Go on only if the actor holds all of `wanted`, and it has no pair of a rule. Raises MoreThanOwn and ToxicPair."""
    too_much = sorted(frozenset(wanted) - rights.held_by(actor, partner_id, tenant_id))
    if too_much:
        raise MoreThanOwn(fields={field: [f"You cannot give {', '.join(too_much)}."]})
    rules = rights.duties_of(partner_id=partner_id, tenant_id=tenant_id)
    if pairs := rights.broken(wanted, rules):
        said = [f"Nobody is to hold both {rule.first} and {rule.second}." for rule in pairs]
        raise ToxicPair(fields={field: said})


def check_standing(membership: Membership, actor: Actor) -> None:
    """Go on only if the actor holds whatever the member does. Raises MoreThanOwn."""
    partner = membership.tenant_id is None
    held = rights.permissions_anywhere(membership.role, membership.custom, of_partner=partner)
    too_much = held - rights.held_by(actor, membership.partner_id, membership.tenant_id)
    if too_much:
        raise MoreThanOwn(fields={"role": ["This person may do more here than you."]})


def _checked(
    name: str, permissions: Collection[str], partner: Partner, tenant: Tenant | None, actor: Actor
) -> list[str]:
    """The permissions of a role, sorted. Raises Invalid with a message a field, MoreThanOwn and ToxicPair."""
    wrong: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 60:
        wrong["name"] = ["Give the role a name of at most 60 characters."]
    most = catalog.ceiling(partner=tenant is None, in_tenant=True)
    most |= catalog.ceiling(partner=tenant is None, in_tenant=False)
    unknown = sorted(set(permissions) - most)
    if unknown or not permissions:
        wrong["permissions"] = [f"There is no {', '.join(unknown)} here." if unknown else "Choose some."]
    if wrong:
        raise Invalid(fields=wrong)
    check_rights(
        permissions,
        partner_id=partner.id,
        tenant_id=tenant.id if tenant else None,
        actor=actor,
        field="permissions",
    )
    return sorted(set(permissions))


def make_role(
    *,
    partner: Partner,
    tenant: Tenant | None,
    name: str,
    permissions: Collection[str],
    actor: Actor,
    now: datetime,
) -> CustomRole:
    """A new role of this place. Raises Invalid, MoreThanOwn, ToxicPair, and Conflict where the name is taken."""
    actor.require("access.people")
    held = _checked(name, permissions, partner, tenant, actor)
    try:
        with transaction.atomic():
            made = CustomRole.objects.create(
                partner=partner, tenant=tenant, name=name.strip(), permissions=held, created_at=now
            )
            record(
                actor=actor,
                action="access.make_role",
                obj=made,
                now=now,
                after={"name": made.name, "permissions": held},
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise Conflict(fields={"name": ["There is a role of that name."]}) from error
    return made


def change_role(
    *, role: CustomRole, name: str, permissions: Collection[str], actor: Actor, now: datetime
) -> CustomRole:
    """Let a role be called otherwise, or give other rights; they count from its holders' next request on.

    Raises Invalid, MoreThanOwn (also for what it gave so far), ToxicPair and Conflict.
    """
    actor.require("access.people")
    held = _checked(name, permissions, role.partner, role.tenant, actor)
    try:
        with transaction.atomic():
            role = CustomRole.objects.select_for_update(of=("self",)).get(pk=role.pk)
            too_much = set(role.permissions) - rights.held_by(actor, role.partner_id, role.tenant_id)
            if too_much:
                raise MoreThanOwn(fields={"permissions": ["This role may do more here than you."]})
            before = {"name": role.name, "permissions": role.permissions}
            role.name, role.permissions = name.strip(), held
            role.save(update_fields=["name", "permissions"])
            after = {"name": role.name, "permissions": held}
            record(
                actor=actor,
                action="access.change_role",
                obj=role,
                now=now,
                before=before,
                after=after,
                partner_id=role.partner_id,
            )
    except IntegrityError as error:
        raise Conflict(fields={"name": ["There is a role of that name."]}) from error
    return role


def drop_role(*, role: CustomRole, actor: Actor, now: datetime) -> None:
    """Take a role away that nobody holds. Raises RoleInUse."""
    actor.require("access.people")
    with transaction.atomic():
        role = CustomRole.objects.select_for_update(of=("self",)).get(pk=role.pk)
        if role.memberships.exists():
            raise RoleInUse
        record(
            actor=actor,
            action="access.drop_role",
            obj=role,
            now=now,
            before={"name": role.name, "permissions": role.permissions},
            partner_id=role.partner_id,
        )
        role.delete()


def forbid_pair(
    *,
    partner: Partner,
    tenant: Tenant | None,
    first: str,
    second: str,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> DutyRule:
    """From now on nobody here is given both rights; who holds both already is reported, not stopped.

    Raises Invalid and Conflict.
    """
    actor.require("access.people")
    for field, name in (("first", first), ("second", second)):
        if name not in catalog.PERMISSIONS:
            raise Invalid(fields={field: ["There is no such right."]})
    if first == second:
        raise Invalid(fields={"second": ["Choose two rights."]})
    low, high = sorted((first, second))
    try:
        with transaction.atomic():
            made = DutyRule.objects.create(
                partner=partner, tenant=tenant, first=low, second=high, reason=reason[:400], created_at=now
            )
            record(
                actor=actor,
                action="access.forbid_pair",
                obj=made,
                now=now,
                after={"first": low, "second": high},
                reason=reason,
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise Conflict(fields={"second": ["These two are a rule already."]}) from error
    return made


def allow_pair(*, rule: DutyRule, reason: str = "", actor: Actor, now: datetime) -> None:
    """Let two rights be held at once again."""
    actor.require("access.people")
    with transaction.atomic():
        record(
            actor=actor,
            action="access.allow_pair",
            obj=rule,
            now=now,
            before={"first": rule.first, "second": rule.second},
            reason=reason,
            partner_id=rule.partner_id,
        )
        rule.delete()
