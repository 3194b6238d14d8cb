"""What one does with a workflow: pause and activate it, change its settings, start a run by hand."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine import queries
from automations.engine.actions import workflows as actions
from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from kernel import clock, jsonx
from kernel.errors import NotFound, PortalError
from kernel.ids import public_id
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.dataform import DataForm
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.runs_acts import WhyForm
from portal.ui.workflows import allowed, crumbs
from templates_lib.actions import installing
from tenants.tenancy import context

Json = Any
_MOVES: Final = {
    WorkflowState.PAUSED: (
        gettext_lazy("Pause"),
        gettext_lazy(
            "Its runs make no further call; each ends the one it is in. Events go on to start runs, which wait."
            " When it is activated again, all of it goes on from there."
        ),
    ),
    WorkflowState.ACTIVE: (
        gettext_lazy("Activate"),
        gettext_lazy("Events start runs of it, and what waited because it was paused goes on, oldest first."),
    ),
    WorkflowState.OFF: (
        gettext_lazy("Switch off"),
        gettext_lazy("Events start no runs of it any more. Runs that are under way go on to their end."),
    ),
}


@door("engine.operate", by_grant=True)
def set_state(request: TenantRequest, workflow: str, state: str) -> HttpResponse:
    """Pause a workflow, switch it off, or activate it."""
    found = allowed(request, workflow, "engine.operate")
    if state not in _MOVES:
        raise NotFound
    wanted = WorkflowState(state)
    verb, effect = _MOVES[wanted]
    form = WhyForm(request.POST if request.method == "POST" else None, needed=False)
    if request.method == "POST" and form.is_valid():
        actions.set_state(
            workflow=found,
            state=wanted,
            actor=request.actor,
            now=context.now(),
            reason=form.cleaned_data["reason"],
        )
        words = {"title": found.title, "state": wanted.label}
        messages.success(request, _("%(title)s is now: %(state)s.") % words)
        return go(request, _home(found))
    context_ = {
        "form": form,
        "workflow": found,
        "verb": str(verb),
        "effect": str(effect),
        "stops": wanted != WorkflowState.ACTIVE,
        "action": reverse("workflows:state", args=[found.public_id, state]),
        "crumbs": crumbs(request, found, str(verb)),
    }
    status = 422 if form.errors else 200
    return page(request, "workflows/state.html", context_, part="dialog", status=status)


def _home(found: Workflow) -> str:
    return reverse("workflows:detail", args=[found.public_id])


class SettingsForm(DataForm):
    """Settings by their names."""

    def clean(self) -> dict[str, Any]:
        """They are an object, whatever the text says."""
        given = super().clean()
        if not isinstance(self.changed, dict):
            self.add_error("whole", _("Settings are an object: names and values."))
        return given


@door("engine.operate", by_grant=True)
def settings(request: TenantRequest, workflow: str) -> HttpResponse:
    """The settings of a workflow by their names; what they may be is checked by the template it came from."""
    found = allowed(request, workflow, "engine.operate")
    sent = request.method == "POST"
    form = SettingsForm(found.config, data=request.POST if sent else None)
    status = 422 if sent else 200
    if sent and form.is_valid():
        try:
            installing.configure(
                workflow=found,
                tenant=request.tenant,
                config=form.changed,
                connections=found.connections,
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
            status = error.status
        else:
            messages.success(request, _("The settings are changed. Runs see them from their next step on."))
            return go(request, _home(found))
    context_ = {"form": form, "workflow": found, "crumbs": crumbs(request, found, _("Settings"))}
    return page(request, "workflows/settings.html", context_, status=status)


@door("engine.start", by_grant=True)
def start(request: TenantRequest, workflow: str) -> HttpResponse:
    """Start a run by hand, on what the last run got or on anything else."""
    found = allowed(request, workflow, "engine.start")
    sent = request.method == "POST"
    sample = _sent_sample(request) if sent else _sample(request, found)
    form = DataForm(sample, data=request.POST if sent else None)
    status = 200
    if sent and form.is_valid():
        try:
            key = actions.start_run(
                workflow=found, given=form.changed, actor=request.actor, now=context.now()
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
            status = error.status
        else:
            messages.success(request, _("The run has started."))
            return go(request, reverse("runs:run", args=[public_id("run", key)]))
    elif sent:
        status = 422
    context_ = {
        "form": form,
        "workflow": found,
        "base": jsonx.text(sample),
        "active": found.state == WorkflowState.ACTIVE,
        "crumbs": crumbs(request, found, _("Start by hand")),
    }
    return page(request, "workflows/start.html", context_, status=status)


def _sample(request: TenantRequest, found: Workflow) -> Json:
    """What a run works on: that of the run which the address names, else of the latest one."""
    like = request.GET.get("like", "")
    key: UUID | None = key_of("run", like) if like else None
    latest = queries.runs(workflow_id=found.id)
    row = (latest.filter(pk=key) if key else latest).first()
    if row is None:
        return {}
    return queries.run_view(row.id).input


def _sent_sample(request: TenantRequest) -> Json:
    """The sample that the visitor changed, as it was shown."""
    try:
        return jsonx.loads_strict(request.POST.get("base", "").encode())
    except PortalError:
        return {}
