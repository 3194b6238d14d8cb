"""What one does with a run: send it on from its failed step, or end it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.actions import operate
from automations.engine.queries import RunView
from kernel.errors import Forbidden, NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import runs_shown as shown
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, key_of, page
from portal.ui.runs import view_or_404
from tenants.access import policy
from tenants.tenancy import context


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


def _operable(request: TenantRequest, run: str) -> RunView:
    """The run, if the role or a grant on its workflow lets it be operated. Raises NotFound and Forbidden."""
    view = view_or_404(key_of("run", run))
    if not policy.may(request.actor, "engine.operate", view.workflow):
        raise Forbidden(permission="engine.operate") if request.actor.permissions else NotFound
    return view


@door("engine.operate", by_grant=True)
def cancel(request: TenantRequest, run: str) -> HttpResponse:
    """End a run where it is, with the reason."""
    view = _operable(request, run)
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
    view = _operable(request, run)
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
    word = _("Cancel the run") if ends else _("Try again from the failed step")
    effect = (
        _("The run ends here. What it did so far stays; nothing more is done. This cannot be undone.")
        if ends
        else _("The failed step is done again, on the same data. Steps before it are not repeated.")
    )
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
