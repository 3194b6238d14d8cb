"""Rights on single objects of a client, given to a person on top of what their roles allow."""

from datetime import datetime

from django.db import transaction
from guardian.shortcuts import assign_perm, remove_perm

from kernel.actor import Actor
from kernel.models import Row
from tenants.access import catalog
from tenants.access.errors import MoreThanOwn, ToxicPair
from tenants.access.models import User
from tenants.access.queries import rights
from tenants.audit.actions import record
from tenants.tenancy import context


def grant(*, user: User, permission: str, obj: Row, actor: Actor, now: datetime) -> None:
    """Let a person do `permission` to one object of the current tenant."""
    _grant(user=user, permission=permission, obj=obj, actor=actor, now=now, give=True)


def withdraw(*, user: User, permission: str, obj: Row, actor: Actor, now: datetime) -> None:
    """Take such a grant back."""
    _grant(user=user, permission=permission, obj=obj, actor=actor, now=now, give=False)


def _grant(*, user: User, permission: str, obj: Row, actor: Actor, now: datetime, give: bool) -> None:
    actor.require("access.people")
    if give:
        _check_grant(user, permission, actor)
    codename = f"{permission.rsplit('.', 1)[-1]}_{obj._meta.model_name}"
    with transaction.atomic():
        (assign_perm if give else remove_perm)(f"{obj._meta.app_label}.{codename}", user, obj)
        record(
            actor=actor,
            action="access.grant" if give else "access.withdraw",
            obj=obj,
            now=now,
            after={"user": user.email, "permission": permission},
        )


def _check_grant(user: User, permission: str, actor: Actor) -> None:
    """Nobody grants what they do not hold, nor the other half of a pair. Raises MoreThanOwn and ToxicPair."""
    tenant = context.current()
    held = rights.memberships_at(user.id, tenant.partner_id, tenant.id)
    already = frozenset[str]().union(
        *(rights.permissions_of(one.role, one.custom, in_tenant=True) for one in held)
    )
    if permission not in catalog.PERMISSIONS or not actor.may(permission):
        raise MoreThanOwn(fields={"permission": [str(MoreThanOwn.__doc__)]})
    rules = rights.duties_of(partner_id=tenant.partner_id, tenant_id=tenant.id)
    if any(permission in (rule.first, rule.second) for rule in rights.broken(already | {permission}, rules)):
        raise ToxicPair(fields={"permission": [str(ToxicPair.__doc__)]})
