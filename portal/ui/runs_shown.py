"""Runs as pages show them: rows, the graph with what happened at each step, the bars of time, one step in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from automations.engine import queries
from automations.engine.actions.programs import programs
from automations.engine.dsl.limits import MAX_STEPS
from automations.engine.dsl.program import Listen, Program, Wait
from automations.engine.enums import RunStatus
from automations.engine.models import Run
from automations.engine.queries import Passage, RunView, Step, Waiting
from automations.inbox.queries import CaseRow
from kernel.money import Money
from portal.ui import run_data
from portal.ui.kit import flow, timeline, words
from portal.ui.kit import graph as drawing_of
from portal.ui.kit.graph import Node
from portal.ui.links import order_address
from portal.ui.run_data import Shown
from portal.ui.steps_shown import line as line_of
from portal.ui.steps_shown import logged, mode, reason, title_at

Json = Any
_STATES: Final[Mapping[str, str]] = {
    "completed": "succeeded",
    "skipped": "not_taken",
    "retrying": "retrying",
    "caught": "failed",
    "faulted": "failed",
    "resumed": "running",
    "cancelled": "cancelled",
}
_WAITS: Final[Mapping[str, str]] = {"retry": "retrying", "person": "review", "answer": "running"}
_MOST_BARS: Final = 60
_TRIES: Final = 12


def status(run_status: str) -> str:
    """A run's state in the words of the status vocabulary."""
    return "review" if run_status == RunStatus.SUSPENDED else run_status


def row(run: Run, workflow: str, now: datetime) -> dict[str, Any]:
    """A row of the list."""
    return {
        "url": reverse("runs:run", args=[run.public_id]),
        "public_id": run.public_id,
        "status": status(run.status),
        "workflow": workflow or _("A workflow that is gone"),
        "key": run.business_key,
        "order_url": order_address(run.business_key),
        "value": Money(run.value_minor, run.currency)
        if run.value_minor is not None and run.currency
        else None,
        "started_at": run.started_at,
        "took": ((run.ended_at or now) - run.started_at).total_seconds(),
        "note": reason(run.error) if run.error else title_at({}, run.step) if run.step else "",
    }


def title(view: RunView) -> str:
    """What people call a run: its workflow, and what it is about."""
    name = view.workflow.title if view.workflow else view.definition.name
    return f"{name} · {view.business_key}" if view.business_key else name


def line(step: Step, view: RunView) -> dict[str, Any]:
    """A line of the history."""
    return line_of(step, view.definition.document)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A run over the picture of its workflow; `worth_a_look` is the step to open first."""

    program: Program
    picture: flow.Flow
    passages: Mapping[str, Passage]
    waiting: Mapping[str, Waiting]
    start: datetime
    total: float
    worth_a_look: str


def drawing(view: RunView, now: datetime) -> Drawing:
    """What is known of each step of a run."""
    program = programs.compiled(view.definition.id, view.definition.document)
    picture = flow.flow(program, starts=[_cause(view)])
    passages = queries.passages(view.id)
    ids = [node.id for node in picture.nodes]
    waiting = {node: one for one in view.waiting if (node := _node_of(one.ref, ids))}
    total = ((view.ended_at or now) - view.started_at).total_seconds()
    seen = [key for key in passages if key in set(ids)]
    look = next(iter(waiting), "") or (seen[-1] if seen else "")
    if view.error:
        look = str(view.error.get("instance") or look)
    return Drawing(program, picture, passages, waiting, view.started_at, max(total, 0.0), look)


def _cause(view: RunView) -> str:
    return {
        "manual": _("By hand"),
        "schedule": _("By the clock"),
        "parent": _("Another run"),
        "test": _("A test"),
    }.get(view.cause, _("An event"))


def _node_of(place: str, ids: Sequence[str]) -> str:
    """The step at a place of a list, which is known without its name."""
    return next((one for one in ids if one == place or one.startswith(f"{place}/")), "")


def graph(drawn: Drawing, *, chosen: str, title: str) -> SafeString:
    """The picture, each step with how it went."""
    nodes = [_node(node, drawn) for node in drawn.picture.nodes]
    return drawing_of.draw(nodes, drawn.picture.edges, title=title, chosen=chosen, href=_link)


def _link(step: str) -> str:
    return f"?step={step}#step"


def _node(node: Node, drawn: Drawing) -> Node:
    if node.id == flow.START:
        return replace(node, state="succeeded", note="")
    if node.id == flow.FINISH:
        return (
            replace(node, state="not_reached", note="")
            if not _ended(drawn)
            else replace(node, state="succeeded")
        )
    passage, waits = drawn.passages.get(node.id), drawn.waiting.get(node.id)
    if passage is None and waits is None:
        return replace(node, state="not_reached", note="")
    state = (
        _WAITS.get(waits.kind, "waiting")
        if waits
        else _STATES.get(passage.status if passage else "", "running")
    )
    took = words.duration((passage.end - passage.begin).total_seconds()) if passage else ""
    done = passage.times - passage.failed if passage else 0
    return replace(
        node,
        state=state,
        note=took,
        tries=_tried(passage),
        count=_("%(n)d times") % {"n": done} if done > 1 else "",
    )


def _tried(passage: Passage | None) -> int:
    """How often a step was tried; 1 where nothing went wrong."""
    if passage is None or not passage.failed:
        return 1
    return passage.failed + (passage.status == "completed")


def _ended(drawn: Drawing) -> bool:
    last = list(drawn.passages.values())[-1:] if not drawn.waiting else []
    return bool(last) and last[0].status in ("completed", "skipped")


def decided(drawn: Drawing) -> str:
    """How far the run is, in a sentence."""
    steps = [node.id for node in drawn.picture.nodes if node.id not in (flow.START, flow.FINISH)]
    reached = sum(one in drawn.passages or one in drawn.waiting for one in steps)
    return _("%(n)d of %(all)d steps reached") % {"n": reached, "all": len(steps)}


def gantt(drawn: Drawing, *, chosen: str) -> dict[str, Any]:
    """The bars of time: work, failed tries and waits of each step that was reached."""
    known = {node.id: node for node in drawn.picture.nodes}
    rows = [
        _bars(known[key], passage, drawn, chosen)
        for key, passage in drawn.passages.items()
        if key in known and (passage.stretches or key in drawn.waiting)
    ]
    reached = {one.id for one in rows}
    rows += [_bars(known[key], Passage(key), drawn, chosen) for key in drawn.waiting if key not in reached]
    return timeline.gantt(rows[:_MOST_BARS], drawn.total)


def _bars(node: Node, passage: Passage, drawn: Drawing, chosen: str) -> timeline.Step:
    def since(at: datetime) -> float:
        return max((at - drawn.start).total_seconds(), 0.0)

    shown = _node(node, drawn)
    quiet = isinstance(drawn.program.tasks.get(node.id), (Wait, Listen))
    bars = [
        timeline.Bar(since(begin), min(since(end), drawn.total), "wait" if quiet and kind == "work" else kind)
        for begin, end, kind in passage.stretches
    ]
    waits = drawn.waiting.get(node.id)
    if waits is not None and waits.kind in ("timer", "event", "retry", "person"):
        bars.append(timeline.Bar(since(waits.since), drawn.total, "wait"))
    return timeline.Step(node.id, node.title, shown.state, bars, tries=shown.tries, chosen=node.id == chosen)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands over everything else: why a run does not go on."""

    tone: str
    icon: str
    title: str
    text: str


def trouble(view: RunView, case: CaseRow | None, now: datetime) -> Trouble | None:
    """The cause first, in plain words; the raw error is below."""
    if view.status == RunStatus.SUSPENDED:
        where = title_at(view.definition.document, str((view.error or {}).get("instance") or ""))
        said = _("It stopped at “%(step)s”: %(why)s.") % {"step": where, "why": reason(view.error)}
        safe = _("Steps before it are done and are not repeated when you send it on.")
        return Trouble(
            "bad", "octagon-x", case.title if case else _("This run needs a person"), f"{said} {safe}"
        )
    if view.status == RunStatus.FAULTED:
        return Trouble("bad", "octagon-x", _("This run failed for good"), reason(view.error))
    if view.status == RunStatus.CANCELLED:
        return Trouble("wait", "ban", _("This run was cancelled"), _("What it did before stays as it is."))
    if view.waiting and view.status in (RunStatus.WAITING, RunStatus.RUNNING):
        waits = view.waiting[0]
        return Trouble("info", "hourglass", _awaited(waits, view, now), waits.detail)
    return None


def _awaited(waits: Waiting, view: RunView, now: datetime) -> str:
    until = words.ago(waits.until, now) if waits.until else ""
    if waits.kind == "retry":
        return _("The last try failed; the next one comes %(when)s") % {"when": until or _("soon")}
    if waits.kind == "timer":
        return _("It waits; it goes on %(when)s") % {"when": until or _("soon")}
    if waits.kind == "person":
        return _("It waits for somebody to decide")
    if waits.kind == "answer":
        return _("It asks another system and waits for the answer")
    if waits.until:
        return _("It waits for an event, until %(when)s at the latest") % {"when": words.moment(waits.until)}
    return _("It waits for an event")


def nearing(view: RunView, lines: int) -> str:
    """A warning for a run that has made a good part of the steps that one may make."""
    if view.over or lines < MAX_STEPS // 5:
        return ""
    return _("It has made %(n)s of the %(most)s steps that a run may make. At the last one it stops.") % {
        "n": words.number(lines),
        "most": words.number(MAX_STEPS),
    }


def look_again(view: RunView, now: datetime) -> str:
    """How soon the page looks again by itself; empty for a run that is over."""
    if view.over:
        return ""
    moving = view.status in (RunStatus.PENDING, RunStatus.RUNNING)
    soon = any(one.until and (one.until - now).total_seconds() < 60 for one in view.waiting)
    return "2s" if moving or soon else "10s"


@dataclass(frozen=True, slots=True)
class Panel:
    """One step in full: its last line, and its tries, newest first."""

    ref: str
    title: str
    state: str
    what: str
    source: Json
    last: Step | None
    tries: Sequence[Mapping[str, Any]]
    times: int
    given: Shown | None
    output: Shown | None
    sent: Shown | None
    error: Json
    request: Json
    key: str
    log: Sequence[Mapping[str, Any]]
    edited: Sequence[Step]


def step_panel(view: RunView, ref: str, now: datetime) -> Panel | None:
    """The panel of the step that the address names; None for one that the workflow does not have."""
    program = programs.compiled(view.definition.id, view.definition.document)
    task = program.tasks.get(ref)
    if task is None:
        return None
    lines = queries.tail(view.id, ref=ref, most=_TRIES)
    last = lines[0] if lines else None
    call = next((one for one in lines if one.request or (one.error or {}).get("request")), None)
    waits = next((one for one in view.waiting if ref == one.ref or ref.startswith(f"{one.ref}/")), None)
    failed = next((one for one in lines if one.error), None)
    given = next((one for one in lines if one.input is not None), None)
    state = (
        _WAITS.get(waits.kind, "waiting")
        if waits
        else _STATES.get(last.status if last else "", "not_reached")
    )
    return Panel(
        ref=ref,
        title=title_at(view.definition.document, ref),
        state=state,
        what=_what(task.source),
        source=task.source,
        last=last,
        tries=[_try(one) for one in lines],
        times=len(lines),
        given=run_data.of_step(given, given.input, frozenset("i"), view.public_id) if given else None,
        output=run_data.of_step(last, last.output, frozenset("o"), view.public_id)
        if last and last.status == "completed" and last.output is not None
        else None,
        sent=run_data.of_step(call, call.request, frozenset("q"), view.public_id)
        if call and call.request
        else None,
        error=failed.error if failed and last is failed else None,
        request=(call.request or (call.error or {}).get("request")) if call else None,
        key=_key(call),
        log=[logged(one, view.definition.document) for one in lines],
        edited=[one for one in lines if one.status == "resumed"],
    )


def _key(call: Step | None) -> str:
    """The idempotency key that the other system got."""
    return str(call.key or (call.error or {}).get("key") or "") if call else ""


def _what(source: Mapping[str, Json]) -> str:
    """What a step does, in the definition's words."""
    call = source.get("call")
    if call == "http":
        given = source.get("with") or {}
        endpoint = given.get("endpoint") or ""
        uri = endpoint.get("uri", "") if isinstance(endpoint, Mapping) else endpoint
        return f"{str(given.get('method', 'get')).upper()} {uri}"
    if call:
        return str(call)
    known = ("set", "switch", "do", "for", "try", "fork", "listen", "wait", "emit", "raise", "run")
    return next((name for name in known if name in source), "")


def _try(step: Step) -> dict[str, Any]:
    """A line of the panel's list of tries."""
    if step.status == "resumed":
        text = _("%(who)s: %(how)s") % {"who": step.by, "how": mode(step.mode)}
    elif step.error:
        text = reason(step.error)
    else:
        text = str(step.http_status or "") or step.case
    return {
        "no": step.no,
        "state": _STATES.get(step.status, "running"),
        "text": text,
        "took": (step.end - step.begin).total_seconds(),
        "at": step.end,
        "reason": step.reason,
    }
