"""One case with all that is needed to decide it: what happened, what usually helps, what was done and said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from automations.engine import queries as engine
from automations.engine.enums import RunStatus
from automations.engine.models import Run, Workflow
from automations.inbox import registry
from automations.inbox.contract import Kind, Problem, Words, failures
from automations.inbox.enums import CLOSING, FIXING, PENDING, CaseState, Decide, DecisionOutcome, Visibility
from automations.inbox.errors import CaseUnknown
from automations.inbox.models import Case, Comment, Decision
from automations.inbox.queries.listing import CaseRow, row_of
from automations.inbox.queries.pending import Pending, pending_of
from kernel import ids

Json = Any
_RUN_DECISIONS: Final = frozenset(Decide) - CLOSING


@dataclass(frozen=True, slots=True)
class Answer:
    """Something that may be decided, and what its button says."""

    decision: Decide
    label: Words


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What usually helps, how often it did (`worked` of `times`, in cases of the same cause), and how to decline."""

    decision: Decide
    label: Words
    text: str
    decline: str
    worked: int
    times: int


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done about a case, by a person or (actor_kind system) by the portal."""

    public_id: str
    kind: Decide
    label: Words
    actor: str
    actor_kind: str
    at: datetime
    reason: str
    before: Json
    after: Json
    outcome: str
    audit_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """A comment; internal ones are not among those that the client's people get."""

    public_id: str
    text: str
    visibility: Visibility
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case as its page shows it. `editable` is the data of the failed step, which `edit` would replace.

    `form` is the schema of the answer that a workflow waits for, which `resolve` would give.
    """

    row: CaseRow
    cause: str
    problems: Sequence[Problem]
    error: Mapping[str, Json] | None
    facts: Json
    failures: int
    reopened_at: datetime | None
    decided_at: datetime | None
    decided_by: str
    decision: str
    run_public_id: str
    run_status: str
    workflow: str
    answers: Sequence[Answer]
    suggestion: Suggestion | None
    editable: Json
    has_editable: bool
    acts: Sequence[Act]
    notes: Sequence[Note]
    alike_open: int
    runbook: str
    pending: Pending | None = None
    form: Mapping[str, Json] | None = None
    document: Mapping[str, Json] | None = None
    """The document of its run, where it was read for the case."""


def case(case_id: UUID, *, now: datetime, internal: bool) -> CaseDetail:
    """One case with everything about it, internal comments too if `internal`. Raises CaseUnknown."""
    found: Case | None = Case.objects.filter(pk=case_id).first()
    if found is None:
        raise CaseUnknown
    kind = registry.kind(found.type, of_run=found.of_run)
    run = _run(found)
    waiting = pending_of(found.pk)
    decided = waiting is not None and waiting.state in PENDING
    answers = [] if decided else _answers(found, kind, run.status if run else "")
    notes = found.comments.all() if internal else found.comments.filter(visibility=Visibility.CLIENT)
    return CaseDetail(
        row=row_of(found, now),
        cause=found.cause,
        problems=_problems(found),
        error=found.error,
        facts=found.facts,
        failures=found.failures,
        reopened_at=found.reopened_at,
        decided_at=found.decided_at,
        decided_by=found.decided_by,
        decision=found.decision,
        run_public_id=ids.public_id(Run.prefix, found.run_id) if found.run_id else "",
        run_status=run.status if run else "",
        workflow=_workflow(found, run),
        document=run.definition.document if run else None,
        answers=answers,
        suggestion=_suggestion(found, kind, answers),
        editable=run.failed_data if run and run.status == RunStatus.SUSPENDED else None,
        has_editable=bool(run and run.status == RunStatus.SUSPENDED),
        acts=[_act(one, kind) for one in found.decisions.all()],
        notes=[_note(one) for one in notes],
        alike_open=Case.objects.open().filter(fingerprint=found.fingerprint).exclude(pk=found.pk).count(),
        runbook=kind.runbook,
        pending=waiting,
        form=_form(found),
    )


def _form(found: Case) -> Mapping[str, Json] | None:
    if found.closed or found.of_run or found.run_id is None:
        return None
    asked = engine.question(found.run_id, found.key)
    return asked.form if asked else None


def _run(found: Case) -> engine.RunView | None:
    if found.run_id is None or not found.of_run:
        return None
    try:
        return engine.run_view(found.run_id)
    except Run.DoesNotExist:
        return None


def _workflow(found: Case, run: engine.RunView | None) -> str:
    """What the workflow of a case is called; it came with the run where there is one."""
    if run is not None and run.workflow is not None and run.workflow.id == found.workflow_id:
        return str(run.workflow.title)
    if not found.workflow_id:
        return ""
    return Workflow.objects.filter(pk=found.workflow_id).values_list("title", flat=True).first() or ""


def _problems(found: Case) -> Sequence[Problem]:
    """What the other system found wrong, place by place, to be marked in the editor."""
    return failures.problems_of(found.error) if found.error else ()


def _answers(found: Case, kind: Kind, run_status: str) -> list[Answer]:
    """What may be decided now: about the run while it waits; else to close the case; nothing on a decided one."""
    if found.closed:
        return [Answer(Decide.REOPEN, Decide.REOPEN.label)]
    if found.state == CaseState.RESOLVING:
        return []
    if found.of_run and run_status == RunStatus.SUSPENDED:
        allowed = [one for one in kind.decisions if one in _RUN_DECISIONS]
    else:
        allowed = [one for one in kind.decisions if one in CLOSING] or [Decide.RESOLVE, Decide.DISMISS]
    return [Answer(one, kind.answer(one)) for one in allowed]


def _suggestion(found: Case, kind: Kind, answers: Sequence[Answer]) -> Suggestion | None:
    if found.closed or not answers:
        return None
    first = answers[0]
    record = (
        Decision.objects.filter(fingerprint=found.fingerprint, kind=first.decision)
        .exclude(outcome__in=("", DecisionOutcome.PENDING))
        .aggregate(times=Count("id"), worked=Count("id", filter=Q(outcome=DecisionOutcome.WORKED)))
    )
    what = "; ".join(one.field or one.message for one in _problems(found)[:3]) or found.cause.rstrip(".")
    return Suggestion(
        decision=first.decision,
        label=first.label,
        text=str(kind.suggestion).format(what=what),
        decline=str(kind.decline),
        worked=record["worked"] if first.decision in FIXING else 0,
        times=record["times"] if first.decision in FIXING else 0,
    )


def _act(one: Decision, kind: Kind) -> Act:
    return Act(
        public_id=one.public_id,
        kind=Decide(one.kind),
        label=kind.answer(Decide(one.kind)),
        actor=one.actor,
        actor_kind=one.actor_kind,
        at=one.at,
        reason=one.reason,
        before=one.before,
        after=one.after,
        outcome=one.outcome,
        audit_id=ids.public_id("aud", one.audit_id) if one.audit_id else "",
    )


def _note(one: Comment) -> Note:
    return Note(one.public_id, one.text, Visibility(one.visibility), one.actor, one.at)


def similar(case_id: UUID, *, now: datetime, limit: int = 10) -> list[CaseRow]:
    """Other cases of the same cause, newest first. Raises CaseUnknown."""
    cause = Case.objects.filter(pk=case_id).values_list("fingerprint", flat=True).first()
    if cause is None:
        raise CaseUnknown
    found = Case.objects.filter(fingerprint=cause).exclude(pk=case_id).order_by("-opened_at", "-id")[:limit]
    return [row_of(one, now) for one in found]


def case_of_run(run_id: UUID, *, now: datetime) -> CaseRow | None:
    """The open failure of a run, for the run's page; the last one if none is open."""
    found = Case.objects.filter(run_id=run_id, of_run=True).order_by("-opened_at", "-id")
    best = found.open().first() or found.first()
    return row_of(best, now) if best else None


def find(text: str, *, now: datetime, limit: int = 10) -> list[CaseRow]:
    """Cases by what people paste: EX-1042, case_…, an order, a run's id (run_…)."""
    text = text.strip()
    wanted = Q(business_key=text)
    number = text.upper().removeprefix("EX-")
    if number.isdigit() and len(number) < 18:
        wanted |= Q(number=int(number))
    for prefix, name in ((Case.prefix, "pk"), (Run.prefix, "run_id")):
        if text.startswith(f"{prefix}_"):
            try:
                wanted |= Q(**{name: ids.parse_public_id(prefix, text)})
            except ValueError:
                continue
    return [row_of(one, now) for one in Case.objects.filter(wanted).order_by("-opened_at", "-id")[:limit]]


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case with what was done about it, for a timeline."""

    row: CaseRow
    cause: str
    error: Mapping[str, Json] | None
    reopened_at: datetime | None
    acts: Sequence[Act]


def cases_of(*business_keys: str, now: datetime, limit: int = 200) -> list[CaseHistory]:
    """The cases of one order by its keys, oldest first, each with its acts; two statements."""
    keys = [one for one in business_keys if one]
    if not keys:
        return []
    found = Case.objects.filter(business_key__in=keys).order_by("opened_at", "id")
    return [_history(one, now) for one in found.prefetch_related("decisions")[:limit]]


def _history(one: Case, now: datetime) -> CaseHistory:
    kind = registry.kind(one.type, of_run=one.of_run)
    acts = [_act(act, kind) for act in one.decisions.all()]
    return CaseHistory(row_of(one, now), one.cause, one.error, one.reopened_at, acts)
