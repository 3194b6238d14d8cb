"""Quarantine: events that were set aside, each with the reason; a person takes one after all or discards it."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.events import actions, queries
from automations.events.enums import ACCEPTABLE, RejectionCode, RejectionState
from automations.events.queries import RejectionView
from kernel import clock
from kernel.errors import Invalid, NotFound, PortalError
from portal.permissions import door
from portal.request import PortalRequest, TenantRequest
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.kit.query import moved, typed
from portal.ui.links import address
from portal.ui.shell import count

PAGE: Final = 50
_ALL: Final = "all"
_HELP: Final = {
    RejectionCode.CONTRACT_BROKEN: gettext_lazy(
        "It lacks something that events of its type must have. Have the sender mend it and send it again under a new"
        " id, or take it as it is: workflows may then miss what it lacks."
    ),
    RejectionCode.NOT_AN_EVENT: gettext_lazy(
        "What was sent is no CloudEvent, so there is nothing that could be taken. Have the sender mend it."
    ),
    RejectionCode.RESERVED: gettext_lazy(
        "It claims to be one of the portal's own events. A sender that means well uses another type and source."
    ),
    RejectionCode.ID_REUSED: gettext_lazy(
        "Another event with this source and id was taken before, with another content. Each event needs an id of"
        " its own."
    ),
    RejectionCode.HANDLER_FAILED: gettext_lazy(
        "The event itself is fine, but working on it failed. Take it once more when the cause is mended."
    ),
}


@count("events:quarantine")
def waiting(request: PortalRequest) -> int | None:
    """How many wait for a person, for the sidebar."""
    return queries.open_rejections()


@door("events.quarantine")
def quarantine(request: TenantRequest) -> HttpResponse:
    """What was set aside, the newest first."""
    given = request.GET
    state = given.get("state", "")
    state = state if state in (*RejectionState.values, _ALL) else RejectionState.OPEN.value
    code = given.get("code", "") if given.get("code") in RejectionCode.values else ""
    asked: dict[str, Any] = {
        "state": "" if state == _ALL else state,
        "code": code,
        "endpoint": key_of("ep", given["endpoint"]) if given.get("endpoint") else None,
        "text": typed(given, "q"),
        "limit": PAGE,
    }
    try:
        found = queries.rejections(after=given.get("after", ""), **asked)
    except Invalid:
        found = queries.rejections(**asked)
    here = reverse("events:quarantine")
    names = {**dict(RejectionState.choices), _ALL: _("All")}
    shown = {
        "rows": found.items,
        "after": found.after,
        "filters": {
            "q": given.get("q", ""),
            "code": code,
            "state": state,
            "endpoint": given.get("endpoint", ""),
        },
        "filtered": bool(code or given.get("q") or given.get("endpoint")),
        "codes": RejectionCode.choices,
        "state": state,
        "chips": [
            (moved(here, {"state": name}), str(word), None, name == state) for name, word in names.items()
        ],
        "crumbs": [(request.tenant.name, "/"), (_("Quarantine"), "")],
    }
    return page(request, "events/quarantine.html", shown, part="rows")


class VerdictForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It stands in the audit log beside your name."),
    )


@door("events.quarantine")
def rejection(request: TenantRequest, rejection: str) -> HttpResponse:
    """One event that was set aside, as it was delivered, with what is wrong with it. Raises NotFound."""
    return _show(request, queries.rejection(rejection))


def _show(
    request: TenantRequest, found: RejectionView, form: VerdictForm | None = None, status: int = 200
) -> HttpResponse:
    shown = {
        "rejection": found,
        "code": found.code.label,
        "help": _HELP[found.code],
        "acceptable": found.code in ACCEPTABLE,
        "open": found.state == RejectionState.OPEN,
        "state": found.state.label,
        "form": form or VerdictForm(),
        "trail": moved(address("audit:trail"), {"object": found.public_id})
        if request.actor.may("audit.read")
        else "",
        "crumbs": [
            (request.tenant.name, "/"),
            (_("Quarantine"), reverse("events:quarantine")),
            (found.type or found.code.label, ""),
        ],
    }
    return page(request, "events/rejection.html", shown, status=status)


@door(post="events.quarantine")
def decide(request: TenantRequest, rejection: str, decision: str) -> HttpResponse:
    """Take an event after all, or discard it; where that is refused, the reason stands above what was typed."""
    acts = {"accept": actions.accept_rejection, "discard": actions.discard_rejection}
    if decision not in acts:
        raise NotFound
    row, form = queries.rejection_row(rejection), VerdictForm(request.POST)
    if form.is_valid():
        try:
            acts[decision](
                rejection=row, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
            return _show(request, queries.rejection(rejection), form, error.status)
        said = (
            _("The event is taken and worked on.") if decision == "accept" else _("The event is discarded.")
        )
        messages.success(request, said)
        return go(request, reverse("events:rejection", args=[rejection]))
    return _show(request, queries.rejection(rejection), form, 422)
