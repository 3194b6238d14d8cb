"""Reads of workflows and runs for pages, the API and rooms above: frozen values, nothing that can be saved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import jsonschema_rs
from django.db import connection
from django.db.models import Count, Max, Q, QuerySet

from automations.engine.enums import TERMINAL, RunStatus
from automations.engine.models import Definition, Run, RunState, Segment, Workflow
from kernel import ids, jsonx

Json = Any
_FIGURES: Final = """
select workflow_id, count(*) filter (where tasks = ''),
  count(*) filter (where status = 'completed' and tasks = ''), count(*) filter (where status = 'suspended'),
  count(*) filter (where status = 'faulted' and tasks = ''), count(*) filter (where status = 'waiting' and tasks = ''),
  max(started_at),
  percentile_cont(0.5) within group (order by extract(epoch from ended_at - started_at))
    filter (where ended_at is not null and tasks = '')
from engine_run where started_at >= %s group by workflow_id
"""
PROBLEMS: Final = frozenset({"faulted", "retrying", "caught", "cancelled"})


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a run's journal. `status`: completed, skipped, retrying, caught, faulted, resumed, cancelled."""

    no: int
    ref: str
    status: str
    begin: datetime
    end: datetime
    output: Json = None
    input: Json = None
    error: Mapping[str, Json] | None = None
    attempt: int = 0
    delay: float = 0.0
    request: Mapping[str, Json] | None = None
    key: str = ""
    http_status: int = 0
    case: str = ""
    by: str = ""
    reason: str = ""
    mode: str = ""
    before: Json = None
    after: Json = None
    decided: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The task's name: the last part of its reference."""
        return self.ref.rsplit("/", 1)[-1]

    @property
    def problem(self) -> bool:
        """Whether something went wrong here."""
        return self.status in PROBLEMS


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


def run_view(run_id: UUID) -> RunView:
    """One run with what it waits for. Raises Run.DoesNotExist."""
    run = Run.objects.get(pk=run_id)
    definition = Definition.objects.get(pk=run.definition_id)
    state = RunState.objects.filter(pk=run_id).values_list("snapshot", flat=True).first()
    strands = jsonx.unpack(state)["s"] if state else []
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
        input=jsonx.unpack(run.input),
        output=jsonx.unpack(run.output) if run.output else None,
        error=run.error,
        waiting=[waiting for strand in strands for waiting in _waiting(strand)],
        position=run.position,
        tasks=run.tasks,
        failed_data=next((strand[2] for strand in strands if strand[5] and strand[5]["k"] == "fault"), None),
        event_id=run.event_id,
        parent_id=run.parent_id,
        step=run.step,
    )


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
    return [Waiting(f"{frame[1]}/{frame[2]}", kind, _at(pending["b"]), _at(until) if until else None, detail)]


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
    for strand in jsonx.unpack(state)["s"] if state else []:
        pending, frames = strand[5], strand[6]
        if pending and pending["k"] == "human" and pending["case"] == case:
            until = pending.get("deadline")
            return Question(
                ref=f"{frames[-1][1]}/{frames[-1][2]}",
                title=str(pending["title"]),
                since=_at(pending["b"]),
                until=_at(until) if until else None,
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


def journal(run_id: UUID, *, after: int = -1, most: int = 500, problems: bool = False) -> list[Step]:
    """Up to `most` journal lines of a run behind line `after`, oldest first; with `problems`, only those."""
    found: list[Step] = []
    segments = Segment.objects.filter(run_id=run_id).order_by("seq").values_list("seq", "steps")
    if after >= 0:
        start = Segment.objects.filter(run_id=run_id, seq__lte=after + 1).aggregate(seq=Max("seq"))["seq"]
        segments = segments.filter(seq__gte=start or 0)
    for _, packed in segments.iterator(chunk_size=50):
        for line in jsonx.unpack(packed):
            if line["n"] <= after or (problems and line["s"] not in PROBLEMS):
                continue
            found.append(step_of(line))
            if len(found) >= most:
                return found
    return found


def tail(
    run_id: UUID, *, before: int | None = None, most: int = 50, problems: bool = False, ref: str = ""
) -> list[Step]:
    """Up to `most` journal lines of a run in front of line `before`, newest first; only problems, or one task's."""
    found: list[Step] = []
    for lines in _backwards(run_id, before):
        for line in reversed(lines):
            if (before is not None and line["n"] >= before) or (problems and line["s"] not in PROBLEMS):
                continue
            if ref and line["r"] != ref:
                continue
            found.append(step_of(line))
            if len(found) >= most:
                return found
    return found


def _backwards(run_id: UUID, before: int | None) -> Iterator[list[Mapping[str, Json]]]:
    """The segments of a journal from the last (or from line `before`) to the first: few at first, then more at once."""
    size = 2
    while size:
        segments = Segment.objects.filter(run_id=run_id).order_by("-seq")
        if before is not None:
            segments = segments.filter(seq__lt=before)
        taken = list(segments.values_list("seq", "steps")[:size])
        for _seq, packed in taken:
            yield jsonx.unpack(packed)
        if len(taken) < size:
            return
        before, size = taken[-1][0], min(size * 4, 128)


@dataclass(slots=True)
class Passage:
    """How often a run came by a task, how that ended last, and the first stretches: (begin, end, what)."""

    ref: str
    status: str = ""
    times: int = 0
    failed: int = 0
    begin: datetime | None = None
    end: datetime | None = None
    stretches: list[tuple[datetime, datetime, str]] = field(default_factory=list)


def passages(run_id: UUID, *, most: int = 2_000, stretches: int = 40) -> dict[str, Passage]:
    """By task what a run did there, from its last `most` journal lines; tasks in the order in which it reached them."""
    back: list[list[Mapping[str, Json]]] = []
    for part in _backwards(run_id, None):
        back.append(part)
        if sum(map(len, back)) >= most:
            break
    lines = [line for part in reversed(back) for line in part]
    found: dict[str, Passage] = {}
    for line in lines[-most:]:
        passage = found.setdefault(line["r"], Passage(line["r"]))
        _pass(passage, line, stretches)
    return found


def _pass(passage: Passage, line: Mapping[str, Json], stretches: int) -> None:
    begin, end = _at(line["b"]), _at(line["e"])
    failed = line["s"] in ("retrying", "caught", "faulted")
    passage.status = line["s"]
    passage.times += 1
    passage.failed += failed
    passage.begin = passage.begin or begin
    passage.end = end
    if len(passage.stretches) < stretches and line["s"] not in ("skipped", "resumed"):
        passage.stretches.append((begin, end, "try" if failed else "work"))
        if line["s"] == "retrying" and line.get("w"):
            passage.stretches.append((end, _at(line["e"] + line["w"]), "wait"))


def line_count(run_id: UUID) -> int:
    """How many lines the journal of a run has."""
    last = Segment.objects.filter(run_id=run_id).order_by("-seq").values_list("seq", "steps").first()
    return last[0] + len(jsonx.unpack(last[1])) if last else 0


def document_of(run_id: UUID) -> Mapping[str, Json]:
    """The document that a run is pinned to; an empty one for a run that is not here."""
    pinned = Run.objects.filter(pk=run_id).values("definition_id")
    found: Mapping[str, Json] | None = (
        Definition.objects.filter(pk__in=pinned).values_list("document", flat=True).first()
    )
    return found or {}


def step_of(line: Mapping[str, Json]) -> Step:
    """A journal line as the machine wrote it, with names."""
    return Step(
        no=line["n"],
        ref=line["r"],
        status=line["s"],
        begin=_at(line["b"]),
        end=_at(line["e"]),
        output=line.get("o"),
        input=line.get("i"),
        error=line.get("x"),
        attempt=line.get("a", 0),
        delay=line.get("w", 0.0),
        request=line.get("q"),
        key=line.get("k", ""),
        http_status=line.get("h", 0),
        case=line.get("c", ""),
        by=line.get("by", ""),
        reason=line.get("why", ""),
        mode=line.get("m", ""),
        before=line.get("was"),
        after=line.get("now"),
        decided=line.get("d"),
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """How a workflow does over a period; the median is of runs that ended, in seconds."""

    workflow: Workflow
    total: int
    completed: int
    suspended: int
    faulted: int
    waiting: int
    last_started_at: datetime | None
    median_seconds: float | None

    @property
    def success(self) -> float | None:
        """Completed over ended or held, as a fraction; None without any."""
        ended = self.completed + self.faulted + self.suspended
        return self.completed / ended if ended else None

    @property
    def health(self) -> str:
        """paused, healthy or degraded (a run waits for a person, or more than 1 % failed)."""
        if self.workflow.state != "active":
            return "paused"
        if self.suspended or (self.success is not None and self.success < 0.99):
            return "degraded"
        return "healthy"


def workflow_figures(since: datetime) -> list[WorkflowFigures]:
    """All workflows with their figures since then; two statements however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [since])
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    nothing = (0, 0, 0, 0, 0, None, None)
    return [WorkflowFigures(workflow, *rows.get(workflow.id, nothing)) for workflow in Workflow.objects.all()]


def unfinished_counts(workflow_id: UUID | None = None) -> dict[str, int]:
    """Runs that are not over, by status; cheap, since there are few of them."""
    found = Run.objects.exclude(status__in=(RunStatus.COMPLETED, RunStatus.CANCELLED))
    if workflow_id:
        found = found.filter(workflow_id=workflow_id)
    return dict(found.values_list("status").annotate(n=Count("id")).order_by())


def titles() -> dict[UUID, str]:
    """What people call each workflow."""
    return dict(Workflow.objects.values_list("id", "title"))


def status_counts(since: datetime | None = None) -> dict[str, int]:
    """Runs by status, started since then; of a map's items only those that wait for a person count."""
    found = Run.objects.filter(Q(tasks="") | Q(status=RunStatus.SUSPENDED))
    if since:
        found = found.filter(started_at__gte=since)
    counts = dict(found.values_list("status").annotate(n=Count("id")).order_by())
    return {status: counts.get(status, 0) for status in RunStatus.values}
