"""Runs: the list, and one run with its cause, its graph, its time, its history and each of its steps."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine import queries
from automations.engine.enums import BulkAct, RunStatus
from automations.engine.models import Run
from automations.engine.queries import RunView
from automations.inbox import queries as inbox
from automations.inbox.queries import CaseRow
from kernel.errors import NotFound
from kernel.ids import public_id
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import holds, run_data
from portal.ui import runs_shown as shown
from portal.ui.kit.acts import ACTS
from portal.ui.kit.pages import key_of, page, slice_by
from portal.ui.kit.query import instant, moved
from portal.ui.links import event_address, order_address
from portal.ui.search import Hit, finds
from tenants.access import policy
from tenants.tenancy import context

HISTORY: Final = 40
_STANDING: Final = (RunStatus.SUSPENDED, RunStatus.WAITING)
_CHIPS: Final = (
    ("", gettext_lazy("All")),
    ("suspended", gettext_lazy("Needs review")),
    ("running", gettext_lazy("Running")),
    ("waiting", gettext_lazy("Waiting")),
    ("completed", gettext_lazy("Succeeded")),
    ("faulted", gettext_lazy("Failed")),
    ("cancelled", gettext_lazy("Cancelled")),
)
_TABS: Final = {
    "summary": gettext_lazy("Summary"),
    "input": gettext_lazy("Input"),
    "output": gettext_lazy("Output"),
    "log": gettext_lazy("Log"),
}

ACTS.update(
    {
        "engine.operate": gettext_lazy("Sent a run on, or cancelled it"),
        "engine.start": gettext_lazy("Started a run by hand"),
        "engine.set_state": gettext_lazy("Paused or activated a workflow"),
        "engine.set_config": gettext_lazy("Changed the settings of a workflow"),
        "engine.publish": gettext_lazy("Published a definition"),
        "engine.deploy": gettext_lazy("Put a definition to work"),
    }
)


@door("engine.read")
def runs(request: TenantRequest) -> HttpResponse:
    """Runs, newest first, as the address filters them."""
    given = {name: str(value).strip() for name, value in request.GET.items()}
    workflow = key_of("wfl", given["workflow"]) if given.get("workflow") else None
    status = [one for one in given.get("status", "").split(",") if one in RunStatus.values]
    found = queries.runs(
        status=status,
        workflow_id=workflow,
        business_key=given.get("order", "")[:120],
        since=instant(given.get("since", "")),
        until=instant(given.get("until", ""), end=True),
        text=given.get("q", "")[:120],
    )
    titles, now = queries.titles(), context.now()
    slice_ = slice_by(found, given.get("after", ""), field="started_at")
    context_ = {
        "slice": slice_,
        "rows": [shown.row(one, titles.get(one.workflow_id, ""), now) for one in slice_.rows],
        "given": given,
        "chips": _chips(request, status, queries.unfinished_counts(workflow)),
        "workflows": sorted(
            ((public_id("wfl", key), title) for key, title in titles.items()), key=lambda one: one[1]
        ),
        "bulk_url": moved(
            reverse("runs:bulk_start"),
            {name: given.get(name, "") for name in ("workflow", "order", "since", "until")},
        ),
        "filtered": any(given.get(name) for name in ("q", "order", "status", "workflow", "since", "until")),
        "crumbs": [(request.tenant.name, "/"), (_("Runs"), "")],
    }
    return page(request, "runs/list.html", context_, part="rows")


def _chips(
    request: TenantRequest, status: list[str], counts: dict[str, int]
) -> list[tuple[str, str, int | None, bool]]:
    here = reverse("runs:list")
    return [
        (
            moved(here, request.GET, status=code, after=""),
            str(word),
            counts.get(code, 0) if code in ("suspended", "running", "waiting") else None,
            status == ([code] if code else []),
        )
        for code, word in _CHIPS
    ]


def view_or_404(key: UUID) -> RunView:
    """The run with this key. Raises NotFound."""
    try:
        return queries.run_view(key, data=False)
    except Run.DoesNotExist as error:
        raise NotFound from error


@door("engine.read")
def run(request: TenantRequest, run: str) -> HttpResponse:
    """One run: what it failed on first, then everything it did; it looks again by itself as long as it moves."""
    view, now = view_or_404(key_of("run", run)), context.now()
    case = _case_of(view, now) if request.actor.may("inbox.read") else None
    drawn, lines = shown.drawing(view, now), queries.line_count(view.id)
    step = request.GET.get("step", "") or drawn.worth_a_look
    tab = request.GET.get("tab", "") if request.GET.get("tab") in _TABS else "summary"
    may_operate = policy.may(request.actor, "engine.operate", view.workflow)
    context_ = {
        "run": view,
        "title": shown.title(view),
        "drawn": drawn,
        "graph": shown.graph(drawn, chosen=step, title=shown.title(view)),
        "gantt": shown.gantt(drawn, chosen=step),
        "steps_word": shown.decided(drawn),
        "trouble": shown.trouble(view, case, now),
        "case": _case(case),
        "alike": _alike(view),
        "may_operate": may_operate and not view.over,
        "stands": holds.of_run(view),
        "may_retry": may_operate and view.status == RunStatus.SUSPENDED,
        "correct_url": _correct(request, case, view),
        "order_url": order_address(view.business_key) if request.actor.may("insights.read") else "",
        "event_url": event_address(view.event_id) if request.actor.may("events.read") else "",
        "nearing": shown.nearing(view, lines),
        "history": _history(request, view, lines, may_go_back=may_operate and view.status in _STANDING),
        "given": run_data.of_run(view, "input"),
        "output": run_data.of_run(view, "output") if view.over and view.output is not None else None,
        "step": shown.step_panel(view, step, now),
        "tab": tab,
        "tabs": _tabs(request, tab),
        "every": shown.look_again(view, now),
        "crumbs": _crumbs(request, view),
    }
    return page(request, "runs/run.html", context_, part="whole")


def _case_of(view: RunView, now: datetime) -> CaseRow | None:
    """The case of a run's failure; else one that its workflow asked for, an open one before all others."""
    failure = inbox.case_of_run(view.id, now=now)
    if failure is not None:
        return failure
    asked = inbox.find(view.public_id, now=now)
    return next((one for one in asked if one.closed_at is None), asked[0] if asked else None)


def _alike(view: RunView) -> dict[str, Any] | None:
    """How many runs stand at this step for this reason, and where all are sent on; None if it is the only one."""
    if view.status != RunStatus.SUSPENDED or view.workflow is None:
        return None
    error = view.error or {}
    kind, code = str(error.get("type") or "").rsplit("/", 1)[-1], error.get("status")
    code = code if isinstance(code, int) else 0
    wanted = queries.RunFilter(workflow=view.workflow.id, step=view.step, error=kind, code=code)
    number = queries.matching(wanted, BulkAct.RETRY).count()
    given = {"workflow": view.workflow.public_id, "step": view.step, "error": kind, "code": code}
    return {"number": number, "url": moved(reverse("runs:bulk_start"), given)} if number > 1 else None


def _crumbs(request: TenantRequest, view: RunView) -> list[tuple[str, str]]:
    found = [(request.tenant.name, "/"), (_("Runs"), reverse("runs:list"))]
    return [*found, (f"{view.public_id[:8]}…{view.public_id[-4:]}", "")]


def _case(case: CaseRow | None) -> dict[str, str] | None:
    if case is None:
        return None
    return {"code": case.code, "url": reverse("inbox:case", args=[case.public_id])}


def _correct(request: TenantRequest, case: CaseRow | None, view: RunView) -> str:
    """Where the data of the failed step are corrected: at its case."""
    waits = view.status == RunStatus.SUSPENDED and case is not None and case.closed_at is None
    if not waits or case is None or not request.actor.may("inbox.decide"):
        return ""
    return reverse("inbox:correct", args=[case.public_id])


def _tabs(request: TenantRequest, tab: str) -> list[tuple[str, str, int | None, bool]]:
    return [
        (f"{moved('', request.GET, tab=name)}#step", str(word), None, tab == name)
        for name, word in _TABS.items()
    ]


def _history(request: TenantRequest, view: RunView, lines: int, *, may_go_back: bool) -> dict[str, Any]:
    """A page of the journal, newest first; a run that stands still can go back to each step of it."""
    problems = request.GET.get("show") == "problems"
    text = request.GET.get("before", "")
    before = int(text) if text.isdigit() and len(text) < 12 else None
    steps = queries.tail(view.id, before=before, most=HISTORY + 1, problems=problems, data=False)
    more = str(steps[HISTORY - 1].no) if len(steps) > HISTORY else ""
    return {
        "lines": [_line(one, view, may_go_back=may_go_back) for one in steps[:HISTORY]],
        "more": moved("", request.GET, before=more) + "#history" if more else "",
        "newest": moved("", request.GET, before="") + "#history" if before is not None else "",
        "chips": [
            (
                moved("?", request.GET, show="", before="") + "#history",
                _("All"),
                lines,
                not problems,
            ),
            (moved("", request.GET, show="problems", before="") + "#history", _("Problems"), None, problems),
        ],
        "problems": problems,
    }


def _line(step: queries.Step, view: RunView, *, may_go_back: bool) -> dict[str, Any]:
    """A line of the journal, and where going back to it begins."""
    can = may_go_back and step.status not in ("resumed", "cancelled", "migrated")
    back = reverse("runs:rewind", args=[view.public_id, step.no]) if can else ""
    return {**shown.line(step, view), "back": back}


@finds
def found(request: SignedIn, text: str) -> Iterable[Hit]:
    """Runs by pasted id or by order."""
    if not text or request.portal.tenant is None or not request.actor.may("engine.read"):
        return
    rows = queries.by_words(text, limit=5)
    titles = queries.titles() if rows else {}
    for one in rows:
        yield Hit(
            gettext_lazy("Runs"),
            f"{titles.get(one.workflow_id, '')} {one.business_key}".strip() or one.public_id,
            reverse("runs:run", args=[one.public_id]),
            icon="activity",
            note=str(RunStatus(one.status).label),
        )
