"""Plans and use, templates and where they work."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from billing import actions as billing
from billing.models import MeterDay, Plan, Subscription
from portal.admin.base import Act, Office, acts_of
from portal.admin.site import site
from templates_lib.actions import publishing
from templates_lib.models import Installation, TemplateVersion


@admin.register(Plan, site=site)
class PlanOffice(Office):
    """What is sold."""

    list_display = (
        "name",
        "code",
        "price_minor",
        "currency",
        "included_runs",
        "included_events",
        "overage_minor",
    )
    search_fields = ("name", "code")


@admin.register(Subscription, site=site)
class SubscriptionOffice(Office):
    """Who is on which plan."""

    list_display = ("tenant", "plan", "since_date")
    list_filter = ("plan",)
    list_select_related = ("tenant", "plan")
    search_fields = ("tenant__name", "tenant__slug")

    def get_actions(self, request: HttpRequest) -> Any:
        """One act a plan."""
        plans = [(f"to-{plan.code}", plan.name, _onto(plan)) for plan in Plan.objects.all()]
        return acts_of(plans)


def _onto(plan: Plan) -> Act:
    def act(row: Subscription, *, reason: str, actor: Any, now: Any) -> None:
        billing.subscribe(tenant=row.tenant, plan=plan, since=now.date(), actor=actor, now=now)

    return act


@admin.register(MeterDay, site=site)
class MeterOffice(Office):
    """What was used, day by day."""

    list_display = ("day_date", "tenant", "runs", "events", "cases", "final", "counted_at")
    list_filter = ("final",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "tenant__slug")
    date_hierarchy = "day_date"


def _recall(row: TemplateVersion, *, reason: str, actor: Any, now: Any) -> None:
    publishing.recall(version=row, reason=reason, actor=actor, now=now)


@admin.register(TemplateVersion, site=site)
class TemplateOffice(Office):
    """Published versions: they never change, and may be recalled."""

    list_display = ("slug", "version", "title", "partner", "published_at", "recalled_at")
    list_filter = (("recalled_at", admin.EmptyFieldListFilter), "slug", "partner")
    list_select_related = ("partner",)
    search_fields = ("slug", "title")
    acts: ClassVar[tuple[tuple[str, Any, Act], ...]] = (("recall", _("Recall"), _recall),)


@admin.register(Installation, site=site)
class InstallationOffice(Office):
    """Which version works where."""

    list_display = ("slug", "version", "tenant", "installed_by", "installed_at", "upgraded_at")
    list_filter = ("slug", "version__version")
    list_select_related = ("tenant", "version")
    search_fields = ("slug", "tenant__name")
