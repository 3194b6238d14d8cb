"""Many cases at once: those that were chosen, or all that match; asked first, told case by case afterwards."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.inbox import actions, queries
from automations.inbox.enums import Decide
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.inbox import wanted
from portal.ui.inbox_acts import effect
from portal.ui.inbox_forms import BulkForm
from portal.ui.kit.pages import go, key_of, page
from portal.ui.kit.query import moved
from tenants.tenancy import context

MOST: Final = 200
_DECISIONS: Final = (Decide.RETRY, Decide.SKIP, Decide.CANCEL, Decide.RESOLVE, Decide.DISMISS)


@door(post="inbox.decide")
def bulk(request: TenantRequest) -> HttpResponse:
    """Take or decide many cases. At most 200 at a time: what is more stays in the list for the next turn."""
    keys, do = _chosen(request), request.POST.get("do", "")
    back = moved(reverse("inbox:list"), request.GET)
    if not keys:
        messages.error(request, _("No case is chosen."))
        return go(request, back)
    if do == "assign":
        taken, refusals = _take(request, keys)
        messages.success(request, _("%(n)d cases are yours") % {"n": taken})
        for words in refusals[:3]:
            messages.error(request, words)
        return go(request, back)
    if do not in _DECISIONS:
        messages.error(request, _("This cannot be decided for many cases at once."))
        return go(request, back)
    return _decide(request, keys, Decide(do), back)


def _chosen(request: TenantRequest) -> list[UUID]:
    if request.POST.get("all"):
        return queries.case_ids(wanted(request).filter, now=context.now(), limit=MOST)
    return [key_of("case", one) for one in request.POST.getlist("chosen")[:MOST]]


def _take(request: TenantRequest, keys: list[UUID]) -> tuple[int, list[str]]:
    """How many were taken, and why others were not."""
    taken, refusals = 0, []
    for key in keys:
        try:
            actions.claim_case(case_id=key, actor=request.actor, now=context.now())
        except PortalError as error:
            if not error.benign or error.status == 404:
                raise
            refusals.append(_(error.message))
        else:
            taken += 1
    return taken, refusals


def _decide(request: TenantRequest, keys: list[UUID], chosen: Decide, back: str) -> HttpResponse:
    sent = "confirm" in request.POST
    form = BulkForm(request.POST if sent else None, decision=chosen)
    results: list[dict[str, Any]] = []
    if sent and form.is_valid():
        found = actions.put_each(
            case_ids=keys,
            decision=chosen,
            reason=form.cleaned_data["reason"],
            actor=request.actor,
            now=context.now(),
        )
        rows = {row.id: row for row in queries.rows_of(keys, now=context.now())}
        results = [
            {"row": rows[one.case_id], "error": _(one.error) if one.error else ""}
            for one in found
            if one.case_id in rows
        ]
    context_ = {
        "form": form,
        "number": len(keys),
        "rows": [] if results else queries.rows_of(keys[:8], now=context.now()),
        "chosen": request.POST.getlist("chosen"),
        "all": request.POST.get("all", ""),
        "do": chosen.value,
        "verb": str(chosen.label),
        "effect": effect(chosen, approving=False),
        "results": results,
        "worked": sum(not one["error"] for one in results),
        "most": MOST,
        "query": request.GET.urlencode(),
        "back": back,
        "crumbs": [(request.tenant.name, "/"), (_("Exceptions"), back), (str(chosen.label), "")],
    }
    return page(request, "inbox/bulk.html", context_, status=422 if form.errors else 200)
