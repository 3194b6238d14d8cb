"""Correcting the data of a failed step: a field a place, what changes before it is sent, nothing lost when refused."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from automations.inbox import actions
from automations.inbox.enums import Decide
from automations.inbox.queries import CaseDetail
from kernel import jsonx
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.inbox_acts import address, case_or_404, crumbs, done
from portal.ui.inbox_forms import DecideForm
from portal.ui.kit.dataform import DataForm, Wrong, changes
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from tenants.tenancy import context

Json = Any


@door("inbox.decide")
def correct(request: TenantRequest, case: str) -> HttpResponse:
    """The data of the failed step as a form; then what changes; then the run goes on with it."""
    key = key_of("case", case)
    found = case_or_404(request, key)
    if request.method != "POST":
        return _first(request, found)
    base = _base(request, found)
    data, why = DataForm(base, _wrong(found), request.POST), DecideForm(request.POST, decision=Decide.EDIT)
    both = [data.is_valid(), why.is_valid()]
    changed = changes(base, data.changed) if all(both) else []
    status, shown = 200, ""
    if not all(both):
        status = 422
    elif not changed:
        data.add_error(None, _("Nothing is changed yet. Correct a field, or try again without a change."))
        status = 422
    elif request.POST.get("checked") != _digest(data.changed) or request.POST.get("do") != "send":
        shown = _digest(data.changed)
    else:
        try:
            put = actions.put_decision(
                case_id=key,
                decision=Decide.EDIT,
                value=data.changed,
                reason=why.cleaned_data["reason"],
                seen=why.cleaned_data["seen"],
                actor=request.actor,
                now=context.now(),
                undo=True,
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(data, error)
            status, shown = error.status, _digest(data.changed)
        else:
            return done(request, found, Decide.EDIT, put)
    return _page(request, found, data, why, base, changed=changed, checked=shown, status=status)


def _first(request: TenantRequest, found: CaseDetail) -> HttpResponse:
    if not any(one.decision == Decide.EDIT for one in found.answers):
        messages.error(request, _("There is nothing to correct here now: the case is as you see it."))
        return go(request, address(request, found.row.public_id))
    why = DecideForm(decision=Decide.EDIT, initial={"seen": found.row.version})
    return _page(request, found, DataForm(found.editable, _wrong(found)), why, found.editable)


def _base(request: TenantRequest, found: CaseDetail) -> Json:
    """The data that the visitor corrected: as they were shown, so that nothing is lost when the case has moved on."""
    try:
        return jsonx.loads_strict(request.POST.get("base", "").encode())
    except PortalError:
        return found.editable


def _wrong(found: CaseDetail) -> list[Wrong]:
    return [Wrong(one.pointer, one.message) for one in found.problems]


def _digest(value: Json) -> str:
    return hashlib.sha256(jsonx.dumps(value)).hexdigest()[:16]


def _page(
    request: TenantRequest,
    found: CaseDetail,
    data: DataForm,
    why: DecideForm,
    base: Json,
    *,
    changed: Any = (),
    checked: str = "",
    status: int = 200,
) -> HttpResponse:
    shown = {
        "case": found,
        "form": data,
        "why": why,
        "base": jsonx.text(base),
        "changed": changed if checked else (),
        "checked": checked,
        "query": request.GET.urlencode(),
        "crumbs": crumbs(request, found, _("Correct")),
    }
    return page(request, "inbox/correct.html", shown, status=status)
