"""The dry run of a workflow: what it would do with a recent event or with any input; nothing is sent."""

from typing import Any, Final

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.actions import dryrunning
from automations.engine.actions.dryrunning import DryRun
from automations.events.models import Event
from kernel import jsonx
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import key_of, page
from portal.ui.steps_shown import title_at
from portal.ui.workflows import allowed, crumbs
from tenants.tenancy import context

_LOOKS: Final = {
    "completed": "succeeded",
    "skipped": "not_taken",
    "retrying": "retrying",
    "caught": "failed",
    "faulted": "failed",
    "suspended": "review",
    "running": "waiting",
}
_ANSWERS: Final = {
    "runs": gettext_lazy("answered as in the latest runs"),
    "table": gettext_lazy("answered by the decision table in force"),
    "nothing": gettext_lazy("taken to succeed, with nothing in the answer"),
}


class TryForm(forms.Form):
    """On what: a recent event, or an input of one's own."""

    given = ui(
        forms.CharField(
            label=gettext_lazy("Or an input of your own (JSON)"),
            required=False,
            widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false", "rows": 8}),
            help_text=gettext_lazy("What a run is given: of an event a list with the event in it."),
        ),
        optional=True,
    )

    def __init__(self, *args: Any, events: list[Event], **more: Any) -> None:
        """The events that can be chosen."""
        super().__init__(*args, **more)
        known = [(one.public_id, f"{one.subject or one.event_id} · {one.type}") for one in events]
        choices = [("", _("none, the input below")), *known]
        self.fields["event"] = forms.ChoiceField(label=_("A recent event"), required=False, choices=choices)
        self.order_fields(("event", "given"))

    def clean_given(self) -> Any:
        """The JSON that was entered; None if nothing was."""
        text = str(self.cleaned_data["given"]).strip()
        if not text:
            return None
        try:
            return jsonx.loads_strict(text.encode())
        except PortalError as error:
            raise forms.ValidationError(
                _("This cannot be read as JSON: %(why)s.") % {"why": error.message}
            ) from error

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not given.get("event") and given.get("given") is None:
            self.add_error("event", _("Choose an event, or give an input."))
        return given


@door("engine.read")
def dry_run(request: TenantRequest, workflow: str) -> HttpResponse:
    """Choose on what; then what would happen."""
    found = allowed(request, workflow, "engine.read")
    events = dryrunning.recent_events(found)
    sent = request.method == "POST"
    first = {"event": events[0].public_id} if events else {}
    form = TryForm(request.POST if sent else None, events=events, initial=first)
    seen: DryRun | None = None
    if sent and form.is_valid():
        chosen = form.cleaned_data["event"]
        try:
            seen = dryrunning.dry_run(
                found,
                now=context.now(),
                event_id=key_of("evt", chosen) if chosen else None,
                given=form.cleaned_data["given"],
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
    context_ = {
        "workflow": found,
        "form": form,
        "seen": _shown(seen, found.definition.document) if seen else None,
        "crumbs": crumbs(request, found, _("Dry run")),
    }
    return page(request, "workflows/dry_run.html", context_, status=422 if form.errors else 200)


def _shown(seen: DryRun, document: Any) -> dict[str, Any]:
    """The outcome as the page shows it."""
    return {
        "status": _LOOKS.get(seen.status, seen.status),
        "error": seen.error,
        "output": seen.output,
        "calls": [(title_at(document, one.ref), one, str(_ANSWERS[one.answer])) for one in seen.calls],
        "steps": [(title_at(document, ref), _LOOKS.get(state, state)) for ref, state in seen.steps],
        "cases": seen.cases,
        "emitted": seen.emitted,
        "waits_for": seen.waits_for,
    }
