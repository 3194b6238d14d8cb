"""People as a directory keeps them here (SCIM): made, changed, switched off. Who is switched off is out at once.

A directory speaks for its own place. Somebody who belongs elsewhere too gets and loses their role here, but their name
and address are not its to change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from kernel.actor import Actor, system
from kernel.errors import Invalid
from tenants.access import actions as access
from tenants.access import catalog
from tenants.access.actions.roles import check_role
from tenants.access.enums import Role
from tenants.access.models import Membership, User
from tenants.accounts.actions import visits
from tenants.accounts.errors import AdminByHand, NotProvisionable, Taken
from tenants.accounts.models import ScimUser
from tenants.accounts.queries import belongs_beyond
from tenants.audit.actions import record
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import at

_BY_HAND: Final = (Role.PARTNER_ADMIN, Role.TENANT_ADMIN, Role.CUSTOM, Role.PARTNER_CUSTOM)
"""Roles that people give: those who let others in, and those that a place made itself."""
_KEPT: Final = ("user_name", "external_id", "active", "role")


def usual_role(tenant: Tenant | None) -> Role:
    """What people of a directory are who are in no group."""
    return Role.ANALYST if tenant else Role.PARTNER_ENGINEER


def provision(
    *, partner: Partner, tenant: Tenant | None, values: Mapping[str, Any], actor: Actor, now: datetime
) -> ScimUser:
    """Keep somebody here: `values` are user_name, email, name, external_id, active. Raises Taken and Invalid."""
    actor.require("access.scim")
    email = _address(values)
    try:
        with transaction.atomic():
            user = User.objects.filter(email__iexact=email).first()
            if user is None:
                user = User.objects.create_user(email, name=str(values.get("name", ""))[:120])
            held = Membership.objects.filter(at(partner.id, tenant.id if tenant else None), user=user).first()
            row = ScimUser.objects.create(
                partner=partner,
                tenant=tenant,
                user=user,
                user_name=str(values["user_name"]),
                external_id=str(values.get("external_id") or ""),
                role=held.role if held else usual_role(tenant),
                active=bool(values.get("active", True)),
                created_at=now,
                changed_at=now,
            )
            record(
                actor=actor,
                action="accounts.provision",
                obj=row,
                now=now,
                after={"email": email, **_seen(row)},
                partner_id=partner.id,
            )
            _carry_out(row, actor, now)
    except IntegrityError as error:
        raise Taken from error
    return row


def _address(values: Mapping[str, Any]) -> str:
    email = str(values.get("email") or values.get("user_name") or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(fields={"emails": ["A person has an address: in emails, or as userName."]}) from error
    return email


def change(*, row: ScimUser, values: Mapping[str, Any], actor: Actor, now: datetime) -> ScimUser:
    """Change what the directory says of somebody. Raises Taken, NotProvisionable, LastAdmin, Invalid."""
    actor.require("access.scim")
    try:
        with transaction.atomic():
            row = ScimUser.objects.select_for_update(of=("self",)).select_related("user").get(pk=row.pk)
            before = _seen(row)
            for name in _KEPT:
                if name in values:
                    setattr(row, name, values[name])
            row.changed_at = now
            row.save()
            _change_person(row, values)
            if before != _seen(row):
                record(
                    actor=actor,
                    action="accounts.change_provisioned",
                    obj=row,
                    now=now,
                    before=before,
                    after=_seen(row),
                    partner_id=row.partner_id,
                )
            _carry_out(row, actor, now)
    except IntegrityError as error:
        raise Taken from error
    return row


def _change_person(row: ScimUser, values: Mapping[str, Any]) -> None:
    user = row.user
    email, name = str(values.get("email") or user.email).strip().lower(), values.get("name")
    if email == user.email and name in (None, user.name):
        return
    beyond = belongs_beyond(user, row.partner_id, row.tenant_id)
    if email != user.email:
        if beyond or user.has_usable_password():
            raise NotProvisionable
        user.email = _address({"email": email})
    if name is not None and not beyond:
        user.name = str(name)[:120]
    user.save(update_fields=["email", "name"])


def withdraw(*, row: ScimUser, actor: Actor, now: datetime) -> None:
    """Keep somebody here no more: their role is gone, and their sessions. Raises LastAdmin."""
    actor.require("access.scim")
    with transaction.atomic():
        row.active = False
        _carry_out(row, actor, now)
        record(
            actor=actor,
            action="accounts.withdraw",
            obj=row,
            now=now,
            before=_seen(row),
            partner_id=row.partner_id,
        )
        row.delete()


def _seen(row: ScimUser) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEPT}


def _carry_out(row: ScimUser, actor: Actor, now: datetime) -> None:
    """Let the role here be as the directory says."""
    held = Membership.objects.filter(at(row.partner_id, row.tenant_id), user_id=row.user_id).first()
    if not row.active:
        if held is not None:
            access.end_membership(membership=held, actor=actor, now=now)
        visits.end_at(user=row.user, partner_id=row.partner_id, tenant_id=row.tenant_id, now=now)
    elif held is None:
        _let_in(row, actor, now)
    elif held.role != row.role:
        _check(row)
        before, held.role, held.custom = held.role_said, row.role, None
        access.keep_one_admin(Membership.objects.get(pk=held.pk))
        held.save(update_fields=["role", "custom"])
        record(
            actor=actor,
            action="access.set_role",
            obj=held,
            now=now,
            before={"role": before},
            after={"role": row.role},
            partner_id=row.partner_id,
        )


def _let_in(row: ScimUser, actor: Actor, now: datetime) -> None:
    if row.role in _BY_HAND:
        row.role = usual_role(row.tenant)
        row.save(update_fields=["role"])
    _check(row)
    made = Membership.objects.create(
        user_id=row.user_id,
        partner_id=row.partner_id,
        tenant_id=row.tenant_id,
        role=row.role,
        created_at=now,
    )
    record(
        actor=actor,
        action="access.add_member",
        obj=made,
        now=now,
        after={"email": row.user.email, "role": row.role},
        partner_id=row.partner_id,
    )


def _check(row: ScimUser) -> None:
    """A directory gives every role of the place but those that let others in. Raises AdminByHand, ToxicPair."""
    if row.role in _BY_HAND:
        raise AdminByHand
    check_role(Role(row.role), partner_id=row.partner_id, tenant_id=row.tenant_id, actor=system("directory"))


def roles(tenant: Tenant | None) -> tuple[Role, ...]:
    """The groups of a place: one for each role."""
    return catalog.TENANT_ROLES if tenant else catalog.PARTNER_ROLES
