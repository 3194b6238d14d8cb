"""Sending a run back to a step that it has passed: what it will do again is said first, its data can be corrected."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.actions import rewinding
from automations.engine.actions.rewinding import Outlook
from automations.engine.errors import Because
from automations.engine.queries import RunView
from kernel import jsonx
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import runs_shown as shown
from portal.ui.kit.acts import ACTS
from portal.ui.kit.dataform import DataForm, changes
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.runs_acts import WhyForm, operable
from portal.ui.steps_shown import title_at
from tenants.tenancy import context

Json = Any
_SHOWN = 20

ACTS["engine.rewind"] = gettext_lazy("Sent a run back to an earlier step")


@door("engine.operate", by_grant=True)
def rewind(request: TenantRequest, run: str, line: int) -> HttpResponse:
    """What going back to this line of the history means; sent, the run goes on from there."""
    view = operable(request, run)
    try:
        found = rewinding.outlook(view.id, line)
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        return _refused(request, view, error.told(_) if isinstance(error, Because) else _(error.message))
    if request.method != "POST":
        return _page(request, view, line, found, DataForm(found.data), WhyForm(needed=True))
    data, why = DataForm(found.data, data=request.POST), WhyForm(request.POST, needed=True)
    status, checked = 422, ""
    if all([data.is_valid(), why.is_valid()]):
        edited = data.changed != found.data
        digest = _digest(data.changed)
        if edited and request.POST.get("checked") != digest:
            status, checked = 200, digest
        else:
            try:
                rewinding.rewind(
                    run_id=view.id,
                    no=line,
                    actor=request.actor,
                    now=context.now(),
                    reason=why.cleaned_data["reason"],
                    value=data.changed,
                    edited=edited,
                )
            except PortalError as error:
                if not error.benign:
                    raise
                refuse(data, error)
                status = error.status
            else:
                messages.success(request, _("The run goes on from this step."))
                return go(request, reverse("runs:run", args=[view.public_id]))
    return _page(request, view, line, found, data, why, checked=checked, status=status)


def _digest(value: Json) -> str:
    return hashlib.sha256(jsonx.dumps(value)).hexdigest()[:16]


def _crumbs(request: TenantRequest, view: RunView) -> list[tuple[str, str]]:
    return [
        (request.tenant.name, "/"),
        (_("Runs"), reverse("runs:list")),
        (shown.title(view), reverse("runs:run", args=[view.public_id])),
        (_("From an earlier step"), ""),
    ]


def _refused(request: TenantRequest, view: RunView, why: str) -> HttpResponse:
    context_ = {"run": view, "title": shown.title(view), "why_not": why, "crumbs": _crumbs(request, view)}
    return page(request, "runs/rewind.html", context_)


def _page(
    request: TenantRequest,
    view: RunView,
    line: int,
    found: Outlook,
    data: DataForm,
    why: WhyForm,
    *,
    checked: str = "",
    status: int = 200,
) -> HttpResponse:
    document = view.definition.document
    context_ = {
        "run": view,
        "line": line,
        "title": shown.title(view),
        "step": title_at(document, found.ref),
        "found": found,
        "calls": [(title_at(document, one.ref), one) for one in found.calls[:_SHOWN]],
        "more": max(len(found.calls) - _SHOWN, 0),
        "form": data,
        "why": why,
        "checked": checked,
        "changed": changes(found.data, data.changed) if checked else (),
        "crumbs": _crumbs(request, view),
    }
    return page(request, "runs/rewind.html", context_, status=status)
