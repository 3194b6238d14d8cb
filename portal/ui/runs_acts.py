"""What one does with a run: send it on from its failed step or behind it, or end it."""

from typing import Any, Final, Literal

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.actions import operate
from automations.engine.queries import RunView
from kernel import jsonx
from kernel.errors import Forbidden, NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import runs_shown as shown
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, key_of, page
from portal.ui.runs import view_or_404
from tenants.access import policy
from tenants.tenancy import context

_WORDS: Final = {
    "cancel": (
        gettext_lazy("Cancel the run"),
        gettext_lazy(
            "The run ends here. What it did so far stays; nothing more is done. This cannot be undone."
        ),
    ),
    "retry": (
        gettext_lazy("Try again from the failed step"),
        gettext_lazy("The failed step is done again, on the same data. Steps before it are not repeated."),
    ),
    "skip": (
        gettext_lazy("Skip the failed step"),
        gettext_lazy(
            "The run goes on behind the failed step, with the data as they are. What the step should have done in"
            " another system is not done: see to it there."
        ),
    ),
    "complete": (
        gettext_lazy("Enter the result by hand"),
        gettext_lazy(
            "The run goes on as if the step had given this. What it should have done in another system is not done:"
            " see to it there."
        ),
    ),
}


class WhyForm(forms.Form):
    """Why."""

    reason = ui(
        forms.CharField(
            label=gettext_lazy("Reason"),
            max_length=500,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=gettext_lazy("It stands in the history and in the audit log beside your name."),
        ),
        optional=True,
    )

    def __init__(self, *args: Any, needed: bool, **more: Any) -> None:
        """`needed`: an act that cannot be taken back asks for it."""
        super().__init__(*args, **more)
        if needed:
            self.fields["reason"].required = True
            ui(self.fields["reason"], optional=False)


class ResultForm(WhyForm):
    """Why, and what the step would have given."""

    value = forms.CharField(
        label=gettext_lazy("Result of the step (JSON)"),
        help_text=gettext_lazy("What the other system would have answered: the run goes on with it."),
        widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false", "rows": 8}),
    )
    field_order = ("value", "reason")

    def clean_value(self) -> Any:
        """The JSON that was entered."""
        try:
            return jsonx.loads_strict(str(self.cleaned_data["value"]).encode())
        except PortalError as error:
            words = {"why": error.message}
            raise forms.ValidationError(_("This cannot be read as JSON: %(why)s.") % words) from error


def operable(request: TenantRequest, run: str) -> RunView:
    """The run, if the role or a grant on its workflow lets it be operated. Raises NotFound and Forbidden."""
    view = view_or_404(key_of("run", run))
    if not policy.may(request.actor, "engine.operate", view.workflow):
        raise Forbidden(permission="engine.operate") if request.actor.permissions else NotFound
    return view


@door("engine.operate", by_grant=True)
def cancel(request: TenantRequest, run: str) -> HttpResponse:
    """End a run where it is, with the reason."""
    view = operable(request, run)
    form = WhyForm(request.POST if request.method == "POST" else None, needed=True)
    if request.method == "POST" and form.is_valid():
        try:
            at_once = operate.cancel(
                run_id=view.id,
                actor=request.actor,
                now=context.now(),
                reason=form.cleaned_data["reason"],
            )
        except PortalError as error:
            return _refused(request, view, form, error, verb="cancel")
        words = _("The run is cancelled.") if at_once else _("The run ends at its next step.")
        return _done(request, view, words)
    return _asked(request, view, form, verb="cancel", status=422 if form.errors else 200)


@door("engine.operate", by_grant=True)
def retry(request: TenantRequest, run: str) -> HttpResponse:
    """Do the failed step again and go on from there."""
    view = operable(request, run)
    form = WhyForm(request.POST if request.method == "POST" else None, needed=False)
    if request.method == "POST" and form.is_valid():
        try:
            operate.resume(
                run_id=view.id,
                mode="retry",
                actor=request.actor,
                now=context.now(),
                reason=form.cleaned_data["reason"],
            )
        except PortalError as error:
            return _refused(request, view, form, error, verb="retry")
        return _done(request, view, _("The run goes on from its failed step."))
    return _asked(request, view, form, verb="retry", status=422 if form.errors else 200)


@door("engine.operate", by_grant=True)
def skip(request: TenantRequest, run: str) -> HttpResponse:
    """Go on behind the failed step, with the data as they are."""
    view = operable(request, run)
    return _override(request, view, WhyForm(_sent(request), needed=True), mode="skip")


@door("engine.operate", by_grant=True)
def complete(request: TenantRequest, run: str) -> HttpResponse:
    """Go on behind the failed step with a result that is entered by hand."""
    view = operable(request, run)
    return _override(request, view, ResultForm(_sent(request), needed=True), mode="complete")


def _sent(request: TenantRequest) -> Any:
    """What was sent, which may be nothing; None where the form is only asked for."""
    return request.POST if request.method == "POST" else None


def _override(
    request: TenantRequest, view: RunView, form: WhyForm, *, mode: Literal["skip", "complete"]
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            operate.resume(
                run_id=view.id,
                mode=mode,
                value=form.cleaned_data.get("value"),
                actor=request.actor,
                now=context.now(),
                reason=form.cleaned_data["reason"],
            )
        except PortalError as error:
            return _refused(request, view, form, error, verb=mode)
        return _done(request, view, _("The run goes on behind its failed step."))
    return _asked(request, view, form, verb=mode, status=422 if form.errors else 200)


def _done(request: TenantRequest, view: RunView, words: str) -> HttpResponse:
    messages.success(request, words)
    return go(request, reverse("runs:run", args=[view.public_id]))


def _refused(
    request: TenantRequest, view: RunView, form: WhyForm, error: PortalError, *, verb: str
) -> HttpResponse:
    if not error.benign:
        raise error
    refuse(form, error)
    return _asked(request, view, form, verb=verb, status=error.status)


def _asked(request: TenantRequest, view: RunView, form: WhyForm, *, verb: str, status: int) -> HttpResponse:
    """The dialog, or its page."""
    ends = verb == "cancel"
    word, effect = (str(one) for one in _WORDS[verb])
    crumbs = [
        (request.tenant.name, "/"),
        (_("Runs"), reverse("runs:list")),
        (shown.title(view), reverse("runs:run", args=[view.public_id])),
        (word, ""),
    ]
    context_ = {
        "run": view,
        "form": form,
        "title": shown.title(view),
        "word": word,
        "effect": effect,
        "ends": ends,
        "action": reverse(f"runs:{verb}", args=[view.public_id]),
        "crumbs": crumbs,
    }
    return page(request, "runs/act.html", context_, part="dialog", status=status)
