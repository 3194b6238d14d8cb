"""People, their roles, and API tokens. Neither password hashes nor digests of tokens are shown."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kernel.errors import Invalid
from portal.admin.base import Act, Office
from portal.admin.site import site
from tenants.access import actions
from tenants.access.models import ApiToken, Membership, User
from tenants.accounts.actions import factors


def _active(*, active: bool) -> Act:
    def act(row: User, *, reason: str, actor: Any, now: Any) -> None:
        if row.id == actor.user_id:
            raise Invalid(fields={"user": [str(_("Nobody locks themselves out."))]})
        if not reason:
            raise Invalid(fields={"reason": [str(_("Give a reason."))]})
        actions.set_active(user=row, active=active, reason=reason, actor=actor, now=now)

    return act


def _reset_factors(row: User, *, reason: str, actor: Any, now: Any) -> None:
    if not reason:
        raise Invalid(fields={"reason": [str(_("Give a reason."))]})
    factors.reset(user=row, reason=reason, actor=actor, now=now)


@admin.register(User, site=site)
class UserOffice(Office):
    """Everybody who can sign in."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = (
        "email",
        "name",
        "is_active",
        "is_staff",
        "is_superuser",
        "language",
        "timezone",
        "last_login",
        "created_at",
    )
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (
        ("deactivate", _("Keep out"), _active(active=False)),
        ("activate", _("Let in again"), _active(active=True)),
        ("reset_factors", _("Reset second factors"), _reset_factors),
    )


@admin.register(Membership, site=site)
class MembershipOffice(Office):
    """Who has which role where."""

    list_display = ("user", "role", "partner", "tenant", "created_at")
    list_filter = ("role", "partner")
    list_select_related = ("user", "partner", "tenant")
    search_fields = ("user__email", "user__name", "tenant__name", "partner__name")


def _revoke(row: ApiToken, *, reason: str, actor: Any, now: Any) -> None:
    actions.revoke_token(token=row, actor=actor, now=now)


@admin.register(ApiToken, site=site)
class TokenOffice(Office):
    """Keys for machines."""

    list_display = (
        "name",
        "hint",
        "partner",
        "tenant",
        "created_by",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = (
        ("revoked_at", admin.EmptyFieldListFilter),
        ("last_used_at", admin.EmptyFieldListFilter),
        "partner",
    )
    list_select_related = ("partner", "tenant", "created_by")
    search_fields = ("name", "hint", "created_by__email", "tenant__name")
    exclude = ("digest",)
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (("revoke", _("Revoke"), _revoke),)
