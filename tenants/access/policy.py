"""May this actor do this to that object? Roles first, then grants on single objects, kept in the tenant's schema."""

from typing import Any

from django.db.models import Model, QuerySet
from guardian.shortcuts import get_objects_for_user

from kernel.actor import Actor
from kernel.errors import Forbidden
from tenants.access.models import User


def _codename(permission: str, model: type[Model]) -> str:
    """`engine.operate` on a workflow is guardian's `operate_workflow`."""
    return f"{permission.rsplit('.', 1)[-1]}_{model._meta.model_name}"


def may(actor: Actor, permission: str, obj: Model | None = None) -> bool:
    """Whether the actor's role, or a grant on this very object, allows `permission`."""
    if actor.may(permission):
        return True
    if obj is None:
        return False
    return _granted(actor, permission, QuerySet(type(obj)).filter(pk=obj.pk)).exists()


def require(actor: Actor, permission: str, obj: Model | None = None) -> None:
    """Go on only if `may`. Raises Forbidden."""
    if not may(actor, permission, obj):
        raise Forbidden(permission=permission, actor=actor.label)


def visible(actor: Actor, permission: str, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Those of `rows` on which the actor holds `permission`: all by role, single ones by grant."""
    if actor.may(permission):
        return rows
    return _granted(actor, permission, rows)


def _granted(actor: Actor, permission: str, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Those of `rows` on which the actor was granted `permission` itself.

    Django's own word for an operator, superuser, counts for nothing here: operators have no business in a client's
    portal, and guardian would open every object to them.
    """
    user = User.objects.filter(pk=actor.user_id, is_active=True).first() if actor.user_id else None
    if user is None:
        return rows.none()
    found: QuerySet[Any] = get_objects_for_user(
        user,
        _codename(permission, rows.model),
        klass=rows,
        use_groups=False,
        with_superuser=False,
        accept_global_perms=False,
    )
    return found
