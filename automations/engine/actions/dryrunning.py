"""A dry run: what a workflow would do with an event or an input as it is set up now. Nothing is sent and nothing kept.

Other systems are not asked: a call is taken to be answered as it was in the latest runs, or else with success and
nothing in it. Decision tables are asked, since they are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from automations.engine.actions.gathering import as_input, fits, starting_events
from automations.engine.actions.programs import programs
from automations.engine.actions.rehearse import Rehearsal, rehearse, yes
from automations.engine.dsl.program import Program
from automations.engine.enums import RunStatus
from automations.engine.machine.kinds.calls import DECIDE
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.models import DecisionTable, Workflow
from automations.engine.queries.clockwork import try_table
from automations.engine.queries.journal import at, tail
from automations.engine.queries.runs import runs
from automations.engine.store import decisions
from automations.events import queries as events
from automations.events.models import Event
from kernel.errors import Invalid, NotFound

Json = Any
AHEAD: Final = timedelta(days=1)
"""How far a dry run looks ahead: what would wait longer is told to wait."""
_LATEST: Final = 5
_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Predicted:
    """A call that would be made, and where its answer was taken from: `runs`, `table` or `nothing`."""

    ref: str
    kind: str
    what: str
    request: Mapping[str, Json]
    answer: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would have happened, in order."""

    status: str
    output: Json
    error: Mapping[str, Json] | None
    given: Json
    calls: Sequence[Predicted]
    steps: Sequence[tuple[str, str]]
    cases: Sequence[Mapping[str, Json]]
    emitted: Sequence[str]
    waits_for: Sequence[str]


def recent_events(workflow: Workflow, *, most: int = 10) -> list[Event]:
    """The latest events that would have started the workflow, newest first."""
    program = programs.compiled(workflow.definition.id, workflow.definition.document)
    found: list[Event] = []
    for part in program.start.filters:
        rows = events.event_rows(events.EventFilter(type=part.type))[: 5 * most]
        found += [event for event in rows if fits(part, event.envelope())]
    return sorted(found, key=lambda event: event.received_at, reverse=True)[:most]


def dry_run(workflow: Workflow, *, now: datetime, event_id: UUID | None = None, given: Json = None) -> DryRun:
    """Rehearse a workflow on an event, as it would have been started by it, or on the input of a run by hand.

    Raises NotFound for an event that is not there, Invalid where there is no such way to start it.
    """
    program = programs.compiled(workflow.definition.id, workflow.definition.document)
    given = given if event_id is None else _as_input(program, event_id)
    answers = _Answers(workflow, program)
    seen = rehearse(
        program,
        given={} if given is None else given,
        started_at=now.timestamp(),
        until=(now + AHEAD).timestamp(),
        config=workflow.config,
        answer=answers,
    )
    return _told(seen, given, answers)


def _as_input(program: Program, event_id: UUID) -> Json:
    event = Event.objects.filter(pk=event_id).first()
    if event is None:
        raise NotFound
    together = starting_events(program, event)
    if together is None:
        raise Invalid(fields={"event": ["This event does not start the workflow."]})
    return as_input(program, [one.envelope() for one in together])


def _told(seen: Rehearsal, given: Json, answers: "_Answers") -> DryRun:
    calls = [
        Predicted(
            ref=str(call["task"]),
            kind=str(call["kind"]),
            what=_what(call),
            request={name: value for name, value in call.items() if name not in _PRIVATE},
            answer=answers.taken.get(str(call["task"]), "nothing"),
        )
        for call in seen.calls
    ]
    return DryRun(
        status=seen.status,
        output=seen.output,
        error=seen.error,
        given=given,
        calls=calls,
        steps=[(step["r"], step["s"]) for step in seen.steps],
        cases=[fact.data for fact in seen.facts if fact.type == "portal.case.requested"],
        emitted=[fact.type for fact in seen.facts if not fact.type.startswith("portal.")],
        waits_for=seen.waits_for,
    )


_PRIVATE: Final = frozenset({"task", "kind", "credentials", "scheme", "redirect", "raw"})


def _what(call: Mapping[str, Json]) -> str:
    """A call in one line."""
    if "method" in call:
        return f"{str(call['method']).upper()} {call['uri']}"
    if call["kind"] == DECIDE:
        return f"{DECIDE} {call.get('table', '')}"
    return f"{call['kind']} {call.get('workflow', '')}".strip()


@dataclass
class _Answers:
    """Answers calls of a rehearsal, and remembers by task where each answer was taken from."""

    workflow: Workflow
    program: Program
    taken: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Json] | None = None

    def __call__(self, effect: Effect) -> Outcome:
        if effect.kind == DECIDE:
            self.taken[effect.ref] = "table"
            return _decided(effect.request)
        if self._known is None:
            self._known = self._answered_lately()
        if effect.ref in self._known:
            self.taken[effect.ref] = "runs"
            return Outcome(200, {}, self._known[effect.ref])
        return yes(effect)

    def _answered_lately(self) -> dict[str, Json]:
        """By task what a call gave in the latest runs of this version, where nothing was made of the answer."""
        found: dict[str, Json] = {}
        latest = runs(workflow_id=self.workflow.id, status=[RunStatus.COMPLETED], items=False)
        for run in latest.filter(definition_id=self.workflow.definition_id)[:_LATEST]:
            for step in tail(run.id, most=_LINES):
                task = self.program.tasks.get(step.ref)
                plain = (
                    task is not None
                    and task.output_as is None
                    and getattr(task, "output", "content") == "content"
                )
                if step.status == "completed" and step.http_status and plain and not step.kept:
                    found.setdefault(step.ref, step.output)
        return found


def _decided(request: Mapping[str, Json]) -> Outcome:
    """What the table in force gives."""
    table = DecisionTable.objects.filter(name=request["table"]).first()
    version = decisions.in_force(table.id, at(request["at"])) if table is not None else None
    if version is None:
        return Outcome(error=f"no version of the decision table {request['table']!r} is in force", status=400)
    verdict = try_table(version.document, request["input"])
    return Outcome(error=verdict.error, status=400) if verdict.error else Outcome(200, {}, verdict.output)
