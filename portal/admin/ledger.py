"""The work of all clients: what is due, who works, whose turn it is. No payload is among it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import DateTimeField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Greatest, Least
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from automations.ledger import actions
from automations.ledger.models import IntakeRow, QueueRow, Slot, Worker
from kernel.errors import Invalid
from portal.admin.base import Act, Office
from portal.admin.site import site
from tenants.tenancy.models import Tenant


class OfTenants(Office):
    """Rows that name a client by its key alone."""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """With the client's name."""
        name = Tenant.objects.filter(pk=OuterRef("tenant_id")).values("name")[:1]
        found: QuerySet[Any] = super().get_queryset(request).annotate(tenant_name=Subquery(name))
        return found

    @admin.display(description=_("client"), ordering="tenant_name")
    def tenant(self, row: Any) -> str:
        """Its name."""
        return row.tenant_name or str(row.tenant_id)


@admin.register(QueueRow, site=site)
class QueueOffice(OfTenants):
    """Runs that are not over."""

    list_display = ("run_id", "tenant", "due", "owner", "lease_until", "epoch", "signal", "claims")
    list_filter = (("owner", admin.EmptyFieldListFilter), "signal")
    search_fields = ("run_id", "tenant_id")
    ordering = ("ready_at",)
    exclude = ("ready_at",)
    readonly_fields = ("due",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """With an instant that Python knows: a run that is due at once is due since minus infinity."""
        earliest, latest = (Cast(Value(one), DateTimeField()) for one in ("1970-01-01Z", "9999-01-01Z"))
        due = Least(Greatest(F("ready_at"), earliest), latest)
        rows: QuerySet[Any] = super().get_queryset(request).defer("ready_at").annotate(known_ready_at=due)
        return rows

    @admin.display(description=_("due"), ordering="ready_at")
    def due(self, row: Any) -> Any:
        """When; empty for at once."""
        return row.known_ready_at if row.known_ready_at.year > 1970 else _("at once")


@admin.register(IntakeRow, site=site)
class IntakeOffice(OfTenants):
    """Events that are not dispatched."""

    list_display = ("seq", "tenant", "event_id", "received_at")
    search_fields = ("tenant_id", "event_id")
    ordering = ("seq",)


@admin.register(Worker, site=site)
class WorkerOffice(Office):
    """Processes that work."""

    list_display = ("host", "pid", "running", "started_at", "heartbeat_at", "last_claim_at")
    search_fields = ("host",)
    ordering = ("-heartbeat_at",)


def _pause(*, paused: bool) -> Act:
    def act(row: Slot, *, reason: str, actor: Any, now: Any) -> None:
        if paused and not reason:
            raise Invalid(fields={"reason": [str(_("Give a reason."))]})
        tenant = Tenant.objects.get(pk=row.tenant_id)
        actions.pause_slot(tenant=tenant, paused=paused, reason=reason, actor=actor, now=now)

    return act


@admin.register(Slot, site=site)
class SlotOffice(OfTenants):
    """Each client's place in the fair order."""

    list_display = ("tenant", "open", "paused", "weight", "vtime", "max_running", "virtual_now")
    list_filter = ("open", "paused")
    search_fields = ("tenant_id",)
    ordering = ("vtime",)
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (
        ("pause", _("Keep workers away"), _pause(paused=True)),
        ("open", _("Let workers come back"), _pause(paused=False)),
    )
