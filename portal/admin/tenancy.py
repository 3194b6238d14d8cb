"""Partners, their clients, addresses, and the jobs that make clients."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from kernel import clock
from kernel.errors import Conflict, Invalid
from portal.admin.base import Act, Office
from portal.admin.site import site
from tenants.tenancy import actions, store
from tenants.tenancy.actions import fleet
from tenants.tenancy.enums import CLOSED, PartnerState, TenantState
from tenants.tenancy.models import Domain, Partner, ProvisioningJob, Tenant


def _partner(state: PartnerState) -> Act:
    def act(row: Partner, *, reason: str, actor: Any, now: Any) -> None:
        actions.set_partner_state(partner=row, state=state, reason=_given(reason), actor=actor, now=now)

    return act


def _tenant(state: TenantState) -> Act:
    def act(row: Tenant, *, reason: str, actor: Any, now: Any) -> None:
        actions.set_state(tenant=row, state=state, reason=_given(reason), actor=actor, now=now)

    return act


def _given(reason: str) -> str:
    if not reason:
        raise Invalid(fields={"reason": [str(_("Give a reason."))]})
    return reason


@admin.register(Partner, site=site)
class PartnerOffice(Office):
    """Partners; a new one gets its console at once."""

    list_display = ("name", "slug", "state", "clients", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "slug")
    readonly_fields = ("state", "created_at")
    fields = ("slug", "name", "state", "created_at")
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (
        ("suspend", _("Suspend"), _partner(PartnerState.SUSPENDED)),
        ("activate", _("Activate"), _partner(PartnerState.ACTIVE)),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """With the number of clients that are not put away."""
        here = ~Q(tenants__state__in=CLOSED)
        found: QuerySet[Any] = super().get_queryset(request).annotate(n=Count("tenants", filter=here))
        return found

    @admin.display(description=_("clients"), ordering="n")
    def clients(self, row: Any) -> int:
        """How many."""
        return int(row.n)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Operators make partners."""
        return self.admin_site.has_permission(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the room's action, which writes the audit row and the address. Raises AddressTaken."""
        made = actions.create_partner(
            slug=obj.slug,
            name=obj.name,
            actor=request.actor,  # type: ignore[attr-defined] # ours
            now=clock.now(),
        )
        vars(obj).update(vars(made))


class Behind(admin.SimpleListFilter):
    """Clients whose schema does not have the present migrations."""

    title = _("migrations")
    parameter_name = "behind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Two."""
        return [("1", _("behind")), ("0", _("up to date"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Those that are."""
        if self.value() == "1":
            return queryset.exclude(revision=store.revision())
        return queryset.filter(revision=store.revision()) if self.value() == "0" else queryset


def _migrate(row: Tenant, *, reason: str, actor: Any, now: Any) -> None:
    actions.migrate_tenant(tenant=row, actor=actor, now=now, reason=reason)


def _verify(row: Tenant, *, reason: str, actor: Any, now: Any) -> None:
    check = fleet.verify_audit(tenant=row, reason=reason, actor=actor, now=now)
    if not check.ok:
        raise Conflict(
            _("The audit log is not as it was sealed; the first bad row is %(row)s.")
            % {"row": check.first_bad}
        )


def _held(held: bool) -> Act:
    def act(row: Tenant, *, reason: str, actor: Any, now: Any) -> None:
        said = _given(reason) if held else reason
        fleet.hold_tenant(tenant=row, held=held, reason=said, actor=actor, now=now)

    return act


@admin.register(Tenant, site=site)
class TenantOffice(Office):
    """Clients of all partners."""

    list_display = (
        "name",
        "partner",
        "state",
        "sandbox",
        "setup",
        "short_revision",
        "migration",
        "ready_at",
        "created_at",
    )
    list_filter = ("state", "sandbox", Behind, "fleet__step", "fleet__held", "provisioning__state", "partner")
    list_select_related = ("partner", "provisioning", "fleet")
    search_fields = ("name", "slug", "partner__name", "partner__slug", "schema_name")
    exclude = ("schema_name",)
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (
        ("suspend", _("Suspend"), _tenant(TenantState.SUSPENDED)),
        ("resume", _("Resume or take into service"), _tenant(TenantState.ACTIVE)),
        ("archive", _("Archive"), _tenant(TenantState.ARCHIVED)),
        ("verify", _("Verify the audit log"), _verify),
        ("migrate", _("Bring to the present migrations"), _migrate),
        ("hold", _("Hold back from migrations"), _held(held=True)),
        ("release", _("Let migrations go on"), _held(held=False)),
    )

    @admin.display(description=_("setting up"), ordering="provisioning__state")
    def setup(self, row: Tenant) -> str:
        """How far its making is."""
        job = getattr(row, "provisioning", None)
        return str(job.get_state_display()) if job else "-"

    @admin.display(description=_("revision"), ordering="revision")
    def short_revision(self, row: Tenant) -> str:
        """Its first letters."""
        return row.revision[:8] or "-"

    @admin.display(description=_("migration"), ordering="fleet__step")
    def migration(self, row: Tenant) -> str:
        """How its last one went, or that it is kept back."""
        known = getattr(row, "fleet", None)
        if known is None:
            return "-"
        said = known.reason if known.held else known.error
        word = str(_("Held")) if known.held else str(known.get_step_display()) or "-"
        return f"{word}: {said[:80]}" if said else word


@admin.register(Domain, site=site)
class DomainOffice(Office):
    """Host names and where they lead."""

    list_display = ("host", "partner", "tenant", "is_primary", "verified_at")
    list_filter = ("is_primary", ("verified_at", admin.EmptyFieldListFilter), "partner")
    list_select_related = ("partner", "tenant")
    search_fields = ("host",)


def _retry(row: ProvisioningJob, *, reason: str, actor: Any, now: Any) -> None:
    actions.retry_provisioning(job=row, actor=actor, now=now)


@admin.register(ProvisioningJob, site=site)
class ProvisioningOffice(Office):
    """The making of clients."""

    list_display = ("tenant", "partner", "state", "attempts", "lease_until", "created_at", "finished_at")
    list_filter = ("state", ("error", admin.EmptyFieldListFilter))
    list_select_related = ("tenant", "tenant__partner")
    search_fields = ("tenant__name", "tenant__slug")
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (("retry", _("Try again now"), _retry),)

    @admin.display(description=_("partner"), ordering=F("tenant__partner__name"))
    def partner(self, row: ProvisioningJob) -> str:
        """Whose client it makes."""
        return str(row.tenant.partner)
