"""Workflows: the list with how each does, and one of them with its steps, settings, latest runs and definition."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.connectors import queries as connectors
from automations.engine import queries
from automations.engine.actions.programs import programs
from automations.engine.dsl.program import Program
from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from automations.engine.queries import WorkflowFigures
from kernel.errors import Forbidden, NotFound
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import holds, runs_shown
from portal.ui.kit import flow, graph, words
from portal.ui.kit.dataform import leaves, place
from portal.ui.kit.pages import key_of, page
from portal.ui.kit.query import moved
from portal.ui.kit.status import LOOKS
from portal.ui.links import address
from templates_lib import queries as templates
from tenants.access import policy
from tenants.tenancy import context

_WEEK: Final = timedelta(days=7)
_LATEST: Final = 8
assert {state.value for state in WorkflowState} <= set(LOOKS) | {"draft"}


@door("engine.read")
def workflows(request: TenantRequest) -> HttpResponse:
    """All workflows, what is wrong first."""
    found = queries.workflow_figures(context.now() - _WEEK)
    text = request.GET.get("q", "").strip().lower()
    fitting = [one for one in found if text in f"{one.workflow.title} {one.workflow.template}".lower()]
    order = {"degraded": 0, "healthy": 1, "paused": 2}
    context_ = {
        "rows": [_row(request, one) for one in sorted(fitting, key=lambda one: order[one.health])],
        "total": len(found),
        "q": request.GET.get("q", ""),
        "may_pause": request.actor.may("engine.pause"),
        "paused_here": holds.paused_here(request.tenant.id),
        "may_install": request.actor.may("templates.install"),
        "library_url": address("templates:library"),
        "crumbs": [(request.tenant.name, "/"), (_("Workflows"), "")],
    }
    return page(request, "workflows/list.html", context_, part="rows")


def _row(request: TenantRequest, one: WorkflowFigures) -> dict[str, Any]:
    return {
        "figures": one,
        "workflow": one.workflow,
        "url": reverse("workflows:detail", args=[one.workflow.public_id]),
        "runs_url": moved(reverse("runs:list"), {"workflow": one.workflow.public_id}),
        "review_url": moved(
            reverse("runs:list"), {"workflow": one.workflow.public_id, "status": "suspended"}
        ),
        "may_operate": policy.may(request.actor, "engine.operate", one.workflow),
        "may_start": policy.may(request.actor, "engine.start", one.workflow),
    }


def figures_or_404(key: UUID) -> WorkflowFigures:
    """The workflow with this key and how it does. Raises NotFound."""
    found = queries.workflow_figures(context.now() - _WEEK)
    one = next((row for row in found if row.workflow.id == key), None)
    if one is None:
        raise NotFound
    return one


def allowed(request: TenantRequest, workflow: str, permission: str) -> Workflow:
    """The workflow, if the role or a grant on it allows `permission`. Raises NotFound and Forbidden."""
    found = Workflow.objects.select_related("definition").filter(pk=key_of("wfl", workflow)).first()
    if found is None or (not request.actor.permissions and not policy.may(request.actor, permission, found)):
        raise NotFound
    if not policy.may(request.actor, permission, found):
        raise Forbidden(permission=permission)
    return found


def program_of(workflow: Workflow) -> Program:
    """What a workflow runs."""
    return programs.compiled(workflow.definition.id, workflow.definition.document)


def crumbs(request: TenantRequest, workflow: Workflow, last: str = "") -> list[tuple[str, str]]:
    """Where one is, at a workflow or at something one does with it."""
    here = [(request.tenant.name, "/"), (_("Workflows"), reverse("workflows:list"))]
    if not last:
        return [*here, (workflow.title, "")]
    return [*here, (workflow.title, reverse("workflows:detail", args=[workflow.public_id])), (last, "")]


@door("engine.read")
def detail(request: TenantRequest, workflow: str) -> HttpResponse:
    """One workflow."""
    figures = figures_or_404(key_of("wfl", workflow))
    found = figures.workflow
    program, now = program_of(found), context.now()
    starts = sorted({one.type for one in program.start.filters})
    drawn = flow.flow(program, starts=starts)
    step = program.tasks.get(request.GET.get("step", ""))
    latest = list(queries.runs(workflow_id=found.id)[:_LATEST])
    context_ = {
        **_row(request, figures),
        "starts": starts,
        "graph": graph.draw(
            drawn.nodes,
            drawn.edges,
            title=found.title,
            chosen=step.ref if step else "",
            href=lambda name: f"?step={name}#steps",
        ),
        "step": {"title": flow.title_of(step), "source": step.source} if step else None,
        "steps": len(program.tasks),
        "stands": holds.of_workflow(found),
        "turns": holds.rule_word(found.concurrency),
        "settings": _settings(found),
        "connections": _connections(found),
        "settings_url": settings_address(request, found),
        "to_move": queries.standing_elsewhere(found),
        "latest": [runs_shown.row(one, found.title, now) for one in latest],
        "crumbs": crumbs(request, found),
    }
    return page(request, "workflows/detail.html", context_)


def _settings(found: Workflow) -> list[tuple[str, str]]:
    """(name, value) of each setting, for people; a list of words in one line."""
    shown: list[tuple[str, str]] = []
    for name, value in found.config.items():
        if isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
            shown.append((place(f"/{name}"), ", ".join(map(_plain, value)) or words.NONE))
        else:
            shown += [(place(pointer), _plain(leaf)) for pointer, leaf in leaves({name: value}, 40)]
    return shown


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (int, float)):
        return words.number(value)
    return words.NONE if value in (None, "") else str(value)


def _connections(found: Workflow) -> list[tuple[str, str]]:
    """(alias, name of the connection behind it)."""
    names = {str(one.id): one.name for one in connectors.connections()} if found.connections else {}
    return [(alias, names.get(str(key), _("not chosen"))) for alias, key in found.connections.items()]


def settings_address(request: TenantRequest, found: Workflow) -> str:
    """Where the settings are changed: at the installation, which knows what they mean; else by their names."""
    if not policy.may(request.actor, "engine.operate", found):
        return ""
    installed = templates.installations_of(request.tenant.id).filter(workflow_id=found.id).first()
    if installed is not None:
        known = address("templates:settings", installed.public_id)
        if known:
            return known
    return reverse("workflows:settings", args=[found.public_id])
