"""The audit of the platform and of partners' consoles: to be read, never changed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from portal.admin.base import Office
from portal.admin.site import site
from tenants.audit.models import AuditEvent


@admin.register(AuditEvent, site=site)
class AuditOffice(Office):
    """Who did what."""

    list_display = ("at", "actor_label", "action", "object_label", "reason", "address")
    list_filter = ("actor_kind", "action")
    search_fields = ("actor_label", "action", "object_label", "object_id", "reason", "request_id")
    search_help_text = _("Person, action, object, id, reason or request")
    date_hierarchy = "at"
    ordering = ("-at", "-id")

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        """Also one object's acts, which its history leads to."""
        return lookup == "object_id" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
