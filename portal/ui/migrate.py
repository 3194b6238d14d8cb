"""Moving runs that stand still to the version that their workflow works by now: how many can and why others cannot."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.actions import migrating, redriving
from automations.engine.enums import BulkAct
from automations.engine.queries import RunFilter
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.bulk import BeginForm
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.workflows import allowed, crumbs
from tenants.tenancy import context

ACTS["engine.migrate"] = gettext_lazy("Moved a run to another version")


@door("engine.operate", by_grant=True)
def move(request: TenantRequest, workflow: str) -> HttpResponse:
    """What moving would come to, version by version; sent, it begins."""
    found = allowed(request, workflow, "engine.operate")
    form = BeginForm(request.POST if request.method == "POST" else None, act=BulkAct.MIGRATE)
    if request.method == "POST" and form.is_valid():
        try:
            begun = redriving.start_bulk(
                act=BulkAct.MIGRATE,
                wanted=RunFilter(workflow=found.id),
                definition=found.definition,
                actor=request.actor,
                now=context.now(),
                reason=form.cleaned_data["reason"],
                rate=form.cleaned_data["rate"],
                expected=form.cleaned_data["expected"],
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
        else:
            return go(request, reverse("runs:bulk", args=[begun.public_id]))
    forecast = migrating.forecast(found)
    total = forecast.can + forecast.stuck
    form.counted(total)
    form.fields["rate"].initial = redriving.RATE_MOST
    context_: dict[str, Any] = {
        "workflow": found,
        "forecast": forecast,
        "total": total,
        "form": form,
        "crumbs": crumbs(request, found, _("Move runs to this version")),
    }
    return page(request, "workflows/move.html", context_, status=422 if form.errors else 200)
