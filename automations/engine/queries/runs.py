"""Reads of runs: lists, one run with what it waits for, what it asks a person, the runs that it started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import jsonschema_rs
from django.db.models import Count, Q, QuerySet

from automations.engine.enums import TERMINAL, RunStatus
from automations.engine.machine import apart
from automations.engine.machine.apart import Kept
from automations.engine.models import Definition, Run, RunState, Workflow
from automations.engine.queries.journal import at
from automations.engine.queries.journal import whole as whole_value
from kernel import ids

Json = Any


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for at one place: a timer, an event, a retry, an answer, a person, runs that it started."""

    ref: str
    kind: str
    since: datetime
    until: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its page shows it."""

    id: UUID
    public_id: str
    status: str
    workflow: Workflow | None
    definition: Definition
    cause: str
    business_key: str
    value_minor: int | None
    currency: str
    started_at: datetime
    ended_at: datetime | None
    input: Json
    output: Json
    error: Mapping[str, Json] | None
    waiting: Sequence[Waiting] = field(default=())
    failed_data: Json = None
    position: int = 0
    tasks: str = ""
    event_id: UUID | None = None
    parent_id: UUID | None = None
    step: str = ""
    stripped_at: datetime | None = None
    input_kept: Sequence[Kept] = ()
    output_kept: Sequence[Kept] = ()

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in TERMINAL


def runs(
    *,
    status: Sequence[str] = (),
    workflow_id: UUID | None = None,
    business_key: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    text: str = "",
    items: bool = True,
) -> "QuerySet[Run]":
    """Runs that match every given filter, newest first; blobs are left in the database.

    Without `items`, those that a `map` started for its items are left out.
    """
    found = Run.objects.defer("input", "output")
    if not items:
        found = found.filter(tasks="")
    if status:
        found = found.filter(status__in=status)
    if workflow_id:
        found = found.filter(workflow_id=workflow_id)
    if business_key:
        found = found.filter(business_key=business_key)
    if since:
        found = found.filter(started_at__gte=since)
    if until:
        found = found.filter(started_at__lt=until)
    if text:
        found = found.filter(Q(business_key__icontains=text) | Q(step__icontains=text))
    return found.order_by("-started_at", "-id")


def by_words(text: str, *, limit: int = 5) -> list[Run]:
    """Runs by what people paste: run_…, or an order's key; newest first."""
    wanted = Q(business_key=text)
    if text.startswith(f"{Run.prefix}_"):
        try:
            wanted = Q(pk=ids.parse_public_id(Run.prefix, text))
        except ValueError:
            return []
    return list(Run.objects.defer("input", "output").filter(wanted).order_by("-started_at", "-id")[:limit])


def run_view(run_id: UUID, *, data: bool = True) -> RunView:
    """One run with what it waits for. Raises Run.DoesNotExist.

    Of its input and output, what is kept apart is noted. The data of its failed step are whole; without `data` they
    are left out.
    """
    run = Run.objects.get(pk=run_id)
    definition = Definition.objects.get(pk=run.definition_id)
    state = RunState.objects.filter(pk=run_id).values_list("snapshot", flat=True).first()
    strands = _strands(run_id, state, whole=data and run.status == RunStatus.SUSPENDED)
    given, given_kept = apart.outline(run.input)
    output, output_kept = apart.outline(run.output) if run.output else (None, [])
    return RunView(
        id=run.id,
        public_id=run.public_id,
        status=run.status,
        workflow=Workflow.objects.filter(pk=run.workflow_id).first(),
        definition=definition,
        cause=run.cause,
        business_key=run.business_key,
        value_minor=run.value_minor,
        currency=run.currency,
        started_at=run.started_at,
        ended_at=run.ended_at,
        input=given,
        output=output,
        input_kept=given_kept,
        output_kept=output_kept,
        error=run.error,
        waiting=[waiting for strand in strands for waiting in _waiting(strand)],
        position=run.position,
        tasks=run.tasks,
        failed_data=next((strand[2] for strand in strands if strand[5] and strand[5]["k"] == "fault"), None)
        if data
        else None,
        event_id=run.event_id,
        parent_id=run.parent_id,
        step=run.step,
        stripped_at=run.stripped_at,
    )


def _strands(run_id: UUID, state: bytes | memoryview | None, *, whole: bool = False) -> list[Json]:
    """The strands of a snapshot; their values with notes of what is kept apart, or `whole`."""
    if state is None:
        return []
    found, kept = ({}, []) if whole else apart.outline(state)
    if whole or not all(_is_data(part.path) for part in kept):
        found = whole_value(run_id, state)
    strands: list[Json] = found["s"]
    return strands


def _is_data(path: Sequence[str | int]) -> bool:
    """Whether a place in a snapshot holds data, so that what a run waits for can be told without it."""
    part = (
        path[2] if len(path) > 2 else None
    )  # of a strand: 2 its data, 3 its context, 5 what it waits for, 6 its lists
    return part in (2, 3) or (part == 5 and len(path) > 3) or (part == 6 and len(path) > 4)


def _waiting(strand: list[Json]) -> list[Waiting]:
    pending, frames = strand[5], strand[6]
    if not pending or not frames:
        return []
    kinds = {
        "wait": "timer",
        "retry": "retry",
        "listen": "event",
        "call": "answer",
        "fault": "person",
        "human": "person",
        "brood": "runs",
    }
    kind = kinds.get(pending["k"])
    if kind is None:
        return []
    until = pending.get("until") or pending.get("deadline")
    detail = str((pending.get("e") or {}).get("detail", "")) if kind in ("retry", "person") else ""
    frame = frames[-1]
    return [Waiting(f"{frame[1]}/{frame[2]}", kind, at(pending["b"]), at(until) if until else None, detail)]


@dataclass(frozen=True, slots=True)
class Question:
    """What a run asks a person: the form (a JSON Schema) that the answer must fit, None for a mere yes or no."""

    ref: str
    title: str
    since: datetime
    until: datetime | None
    form: Mapping[str, Json] | None


def question(run_id: UUID, case: str) -> Question | None:
    """What a run asks by the case with this key; None if it does not wait for it (any more)."""
    state = RunState.objects.filter(pk=run_id).values_list("snapshot", flat=True).first()
    for strand in _strands(run_id, state):
        pending, frames = strand[5], strand[6]
        if pending and pending["k"] == "human" and pending["case"] == case:
            until = pending.get("deadline")
            return Question(
                ref=f"{frames[-1][1]}/{frames[-1][2]}",
                title=str(pending["title"]),
                since=at(pending["b"]),
                until=at(until) if until else None,
                form=pending["form"],
            )
    return None


def wrong_answer(run_id: UUID, case: str, value: Json) -> dict[str, list[str]]:
    """What is wrong with an answer, by the place in it; nothing if it fits, or nobody waits for one."""
    asked = question(run_id, case)
    if asked is None or asked.form is None:
        return {}
    found: dict[str, list[str]] = {}
    for error in jsonschema_rs.validator_for(dict(asked.form)).iter_errors(value):
        place = ".".join(str(part) for part in ("value", *error.instance_path))
        found.setdefault(place, []).append(error.message)
    return found


def members(run_id: UUID) -> "QuerySet[Run]":
    """The runs that a run started (workflows that it runs, items of its maps), in their order."""
    return Run.objects.defer("input", "output").filter(parent_id=run_id).order_by("position", "id")


def member_counts(run_id: UUID) -> dict[str, int]:
    """How many of the runs that a run started are in each status."""
    counted = Run.objects.filter(parent_id=run_id).values_list("status").annotate(n=Count("id")).order_by()
    return dict(counted)
