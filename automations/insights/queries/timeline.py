"""One order on one line of time: its events, its runs with their failed tries and waits, its cases, who did what.

Each source is in its own order already (a run by its journal, a case by its life), so the line is merged from them:
what happened at one instant keeps the order in which its source has it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from automations.engine import queries as engine
from automations.engine.enums import RunStatus
from automations.engine.models import Definition, Run, Workflow
from automations.engine.queries import Step
from automations.events import queries as events
from automations.inbox import queries as inbox
from automations.inbox.contract import Words
from automations.inbox.contract.steps import step_title
from automations.inbox.queries import CaseHistory
from automations.insights.enums import EntryKind
from automations.insights.errors import UnknownOrder
from automations.insights.queries.order import OrderView, order_view
from kernel import reach
from tenants.audit.models import AuditEvent

Json = Any
GAP: Final = timedelta(hours=24)
_RUNS: Final = 20
_STEPS: Final = 500
_A_WAIT: Final = timedelta(minutes=1)
_SAME: Final = timedelta(milliseconds=1)
_RANK: Final[Mapping[str, int]] = {
    EntryKind.EVENT: 0,
    EntryKind.RUN: 1,
    EntryKind.STEP: 2,
    EntryKind.CASE: 3,
    EntryKind.DECISION: 4,
    EntryKind.AUDIT: 7,
}
_AFTER_DECISION: Final = 5
_CLOSING: Final = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `source` is the system that says so, `link` the kind and id of what it leads to.

    `began` is when something that took time began; `gap` is the time since the entry before, where that is long.
    """

    at: datetime
    kind: EntryKind
    title: Words
    detail: str
    source: str
    tone: str
    link: tuple[str, str]
    actor: str = ""
    began: datetime | None = None
    gap: timedelta | None = None
    audit: str = ""
    rank: int = 0


@dataclass(frozen=True)
class Timeline:
    """All that is known of one order, in the order in which it happened."""

    key: str
    order: OrderView | None
    entries: Sequence[Entry]
    sources: Sequence[str]
    more_runs: bool

    @property
    def gaps(self) -> int:
        """How many long silences there are."""
        return sum(entry.gap is not None for entry in self.entries)


def timeline(key: str, *, now: datetime, gap: timedelta = GAP) -> Timeline:
    """The timeline of the order (RMA, PO, SKU) with this business key; silences longer than `gap` are marked.

    What was told of an order by its number is part of it. Raises UnknownOrder where nothing is known of it.
    """
    order = order_view(key, at=now)
    seen = reach.present()
    if order is None and seen is not None and seen.keys is not None:
        raise UnknownOrder(f"nothing is known of {key}")  # or it is beyond reach, which is not told
    keys = list(dict.fromkeys([key, *([order.order_id, order.number] if order else [])]))
    keys = [one for one in keys if one]
    runs = list(engine.runs().filter(business_key__in=keys)[: _RUNS + 1])
    cases = inbox.cases_of(*keys, now=now)
    lines: list[Iterable[Entry]] = [_events(keys)]
    lines += _runs(runs[:_RUNS])
    lines += [_case(one) for one in cases]
    known = [entry for line in lines for entry in line]
    lines.append(_audit(runs[:_RUNS], cases, known))
    entries = list(_marked(heapq.merge(*lines, key=lambda entry: (entry.at, entry.rank)), gap))
    if not entries and order is None:
        raise UnknownOrder(f"nothing is known of {key}")
    sources = dict.fromkeys(entry.source for entry in entries if entry.source)
    return Timeline(key, order, entries, list(sources), more_runs=len(runs) > _RUNS)


def _marked(entries: Iterator[Entry], gap: timedelta) -> Iterator[Entry]:
    """The entries, those after a long silence with its length."""
    before: datetime | None = None
    for entry in entries:
        silent = (entry.began or entry.at) - before if before else timedelta()
        yield replace(entry, gap=silent) if silent > gap else entry
        before = max(before, entry.at) if before else entry.at


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    """One source's entries, none earlier than the one before it."""
    found: list[Entry] = []
    for entry in entries:
        late = bool(found) and entry.at < found[-1].at
        found.append(replace(entry, at=found[-1].at) if late else entry)
    return found


def _entry(at: datetime, kind: EntryKind, title: Words, **more: Any) -> Entry:
    given = {"detail": "", "source": "", "tone": "info", "link": ("", ""), "rank": _RANK[kind], **more}
    return Entry(at=at, kind=kind, title=title, **given)


# events


def _events(keys: Sequence[str]) -> list[Entry]:
    return [
        _entry(
            one.time,
            EntryKind.EVENT,
            one.title or one.type,
            detail=one.type,
            source=one.source,
            link=("event", one.public_id),
        )
        for one in events.of_subject(*keys)
        if not one.internal
    ]


# runs


def _runs(runs: Sequence[Run]) -> list[list[Entry]]:
    if not runs:
        return []
    workflows = Workflow.objects.in_bulk({run.workflow_id for run in runs})
    documents = dict(
        Definition.objects.filter(id__in={run.definition_id for run in runs}).values_list("id", "document")
    )
    found = []
    for run in runs:
        workflow = workflows.get(run.workflow_id)
        name = workflow.title if workflow else _("Workflow")
        found.append(_in_order(_run(run, name, documents.get(run.definition_id))))
    return found


def _run(run: Run, name: str, document: Json) -> Iterator[Entry]:
    link = ("run", run.public_id)
    yield _entry(
        run.started_at, EntryKind.RUN, _("%(workflow)s started") % {"workflow": name}, source=name, link=link
    )
    for step in engine.journal(run.id, most=_STEPS):
        entry = _step(step, step_title(document, step.ref), name, link)
        if entry is not None:
            yield entry
    if run.status == RunStatus.WAITING:
        for waiting in engine.run_view(run.id).waiting:
            yield _entry(
                waiting.since,
                EntryKind.STEP,
                _("%(workflow)s waits") % {"workflow": name},
                detail=waiting.detail,
                source=name,
                tone="wait",
                link=link,
            )
    if run.ended_at is not None and run.status != RunStatus.CANCELLED:  # the journal tells who cancelled
        done = run.status == RunStatus.COMPLETED
        title = _("%(workflow)s completed") if done else _("%(workflow)s failed")
        yield _entry(
            run.ended_at,
            EntryKind.RUN,
            title % {"workflow": name},
            source=name,
            tone="ok" if done else "bad",
            link=link,
        )


def _step(step: Step, title: str, name: str, link: tuple[str, str]) -> Entry | None:
    """The entry of a journal line; None for what happened inside the run at once and went well."""
    error = str((step.error or {}).get("detail") or (step.error or {}).get("title") or "")
    source = _system(step) or name
    to = (link[0], f"{link[1]}?step={step.ref}")
    words: dict[str, Any] = {"step": title, "by": step.by}
    match step.status:
        case "retrying":
            text = _("%(step)s: try %(attempt)d failed; the next after %(wait)s s")
            words |= {"attempt": step.attempt, "wait": f"{step.delay:.0f}"}
            tone, detail = "warn", error
        case "caught":
            text, tone, detail = _("%(step)s failed; the workflow handled it"), "warn", error
        case "faulted":
            text, tone, detail = _("%(step)s failed and waits for a person"), "bad", error
        case "cancelled":
            text, tone, detail = _("Cancelled by %(by)s"), "wait", step.reason
        case "resumed":
            text, tone, detail = _("%(step)s sent on by %(by)s (%(mode)s)"), "review", step.reason
            words["mode"] = step.mode
        case "completed" if step.request:
            text, tone, detail = _("%(step)s done"), "ok", str(step.http_status or "")
        case "completed" if step.end - step.begin >= _A_WAIT:
            text, tone, detail = _("%(step)s: over"), "wait", ""
        case _:
            return None
    return _entry(
        step.end,
        EntryKind.STEP,
        text % words,
        detail=detail,
        source=source,
        tone=tone,
        link=to,
        actor=step.by,
        began=step.begin if step.end > step.begin else None,
        rank=_AFTER_DECISION if step.status in ("resumed", "cancelled") else _RANK[EntryKind.STEP],
    )


def _system(step: Step) -> str:
    request = step.request or (step.error or {}).get("request") or {}
    return str(request.get("connection") or urlsplit(str(request.get("uri") or "")).hostname or "")


# cases


def _case(history: CaseHistory) -> list[Entry]:
    """A case's life. What a reopened case did before is in the acts that reopened it."""
    return _in_order(sorted(_life(history), key=lambda entry: entry.at))


def _life(history: CaseHistory) -> Iterator[Entry]:
    row, source = history.row, _("Inbox")
    link, code = ("case", row.public_id), row.code
    yield _entry(
        row.opened_at,
        EntryKind.CASE,
        _("Case %(code)s opened: %(title)s") % {"code": code, "title": row.title},
        detail=history.cause,
        source=source,
        tone="bad" if row.severity == "critical" else "warn",
        link=link,
    )
    for act in history.acts:
        yield _entry(
            act.at,
            EntryKind.DECISION,
            f"{code}: {act.label}",
            detail=act.reason,
            source=source,
            tone="review",
            link=link,
            actor=act.actor,
            audit=act.audit_id,
        )
    if row.closed_at is not None:
        yield _entry(
            row.closed_at,
            EntryKind.CASE,
            _("Case %(code)s closed") % {"code": code},
            detail=row.outcome,
            source=source,
            tone="ok",
            link=link,
            actor=row.closed_by,
            rank=_CLOSING,
        )


# audit


def _audit(runs: Sequence[Run], cases: Sequence[CaseHistory], known: Sequence[Entry]) -> list[Entry]:
    """What the audit holds about these runs and cases and nothing else has told."""
    wanted = {run.public_id for run in runs} | {one.row.public_id for one in cases}
    if not wanted:
        return []
    told = {entry.audit for entry in known if entry.audit}
    done = [(entry.actor, entry.at) for entry in known if entry.actor and entry.kind == EntryKind.STEP]
    rows = AuditEvent.objects.filter(object_type__in=(Run.prefix, "case"), object_id__in=wanted).order_by(
        "at", "id"
    )
    return [
        _entry(
            row.at,
            EntryKind.AUDIT,
            f"{row.action}: {row.object_label}",
            detail=row.reason,
            source=_("Audit"),
            tone="info",
            link=("audit", row.public_id),
            actor=row.actor_label,
            audit=row.public_id,
        )
        for row in rows
        if row.public_id not in told
        and not any(who == row.actor_label and abs(at - row.at) < _SAME for who, at in done)
    ]
