"""Keys: which there are, and the acts that rotate them. What they open is nowhere in the office."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kernel import masters
from portal.admin.base import Office, given
from portal.admin.site import site
from tenants.tenancy.models import DataKey
from tenants.vault import actions
from tenants.vault.models import Installation


def _data_key(row: DataKey, *, reason: str, actor: Any, now: Any) -> None:
    actions.rotate_data_key(tenant=row.tenant, reason=given(reason), actor=actor, now=now)


@admin.register(DataKey, site=site)
class DataKeyOffice(Office):
    """Data keys; more than one a tenant while its secrets are being sealed anew."""

    list_display = ("owner", "version", "wrapped_by_present", "created_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    list_select_related = ("tenant", "tenant__partner")
    search_fields = ("tenant__name", "tenant__slug")
    fields = ("owner", "version", "wrapped_by_present", "created_at", "retired_at")
    readonly_fields = fields
    acts: ClassVar[tuple[tuple[str, Any, Any], ...]] = (("rotate", _("Make a new data key"), _data_key),)

    @admin.display(description=_("owner"), ordering="tenant__name")
    def owner(self, row: DataKey) -> str:
        """Whose secrets it seals."""
        return str(row.tenant) if row.tenant else str(_("This installation"))

    @admin.display(description=_("wrapped by the present master key"), boolean=True)
    def wrapped_by_present(self, row: DataKey) -> bool:
        """Whether it would survive forgetting the older ones."""
        return masters.master().present(bytes(row.wrapped))


def _master(_: Installation, *, reason: str, actor: Any, now: Any) -> None:
    actions.rotate_master_key(reason=given(reason), actor=actor, now=now)


def _wrap(_: Installation, *, reason: str, actor: Any, now: Any) -> None:
    actions.wrap_data_keys(reason=given(reason), actor=actor, now=now)


def _forget(_: Installation, *, reason: str, actor: Any, now: Any) -> None:
    actions.forget_master_keys(reason=given(reason), actor=actor, now=now)


@admin.register(Installation, site=site)
class InstallationOffice(Office):
    """This installation, and its master key."""

    list_display = ("id", "data_keys", "behind", "created_at")
    acts: ClassVar[tuple[tuple[str, Any, Any], ...]] = (
        ("rotate", _("Make a new master key"), _master),
        ("wrap", _("Wrap data keys by the present master key"), _wrap),
        ("forget", _("Forget master keys that wrap nothing"), _forget),
    )

    @admin.display(description=_("data keys"))
    def data_keys(self, row: Installation) -> int:
        """How many there are."""
        return DataKey.objects.count()

    @admin.display(description=_("wrapped by an older master key"))
    def behind(self, row: Installation) -> int:
        """How many."""
        present = masters.master().present
        return sum(not present(bytes(one)) for one in DataKey.objects.values_list("wrapped", flat=True))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what is sealed is bound to it."""
        return False
