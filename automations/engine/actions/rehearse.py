"""Rehearsing a workflow: the real machine on real or made-up events, with nothing sent and nothing kept.

Used for the dry run before a template is switched on, and for the tests that a template brings along. Time is the
events' own: timers fire between them where they would have fired.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from automations.engine.dsl.program import EventFilter, Listen, Program
from automations.engine.errors import WorkflowError
from automations.engine.machine import interpreter
from automations.engine.machine.kinds.broods import begin_item
from automations.engine.machine.kinds.happenings import LOOKBACK
from automations.engine.machine.moves import (
    Brood,
    Effect,
    Fact,
    Member,
    Outcome,
    Registration,
    correlation_key,
)
from automations.engine.machine.state import Run
from automations.engine.machine.waking import Arrival, wake
from kernel import clock, ids

Json = Any
Answer = Callable[[Effect], Outcome]
MOST_CALLS: Final = 1_000
_NOBODY: Final = UUID(int=0)


@dataclass(slots=True)
class Rehearsal:
    """What would have happened: how it ended, what would have been called, told and waited for."""

    status: str = "running"
    output: Json = None
    error: dict[str, Json] | None = None
    calls: list[dict[str, Json]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    steps: list[dict[str, Json]] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)


def yes(_effect: Effect) -> Outcome:
    """The answer of a system that takes everything: 200 and an empty object."""
    return Outcome(200, {}, {})


def rehearse(
    program: Program,
    *,
    given: Json,
    started_at: float,
    until: float,
    events: Sequence[Mapping[str, Json]] = (),
    config: Mapping[str, Json] | None = None,
    answer: Answer = yes,
) -> Rehearsal:
    """Run `program` on `given` from `started_at` to `until` (epoch seconds), with `events` (envelopes) coming in."""
    stage = _Stage(program, events, answer, until)
    run = Run(ids.uuid7(), _NOBODY, program, given, now=started_at, config=config or {})
    interpreter.start(run)
    stage.play(run)
    seen = stage.seen
    seen.status, seen.output, seen.error = run.status, run.output, run.error
    if stage.held is not None:
        seen.status, seen.error = "suspended", stage.held
    seen.waits_for = sorted({registration.type for registration in stage.listening.values()})
    return seen


class _Stage:
    """The world around a rehearsed run."""

    def __init__(
        self, program: Program, events: Sequence[Mapping[str, Json]], answer: Answer, until: float
    ) -> None:
        self.seen = Rehearsal()
        self.held: dict[str, Json] | None = None
        self.listening: dict[int, Registration] = {}
        self._answer, self._until = answer, until
        filters = [
            part
            for task in program.tasks.values()
            if isinstance(task, Listen)
            for part in (*task.filters, *task.until_filters)
        ]
        self._events = sorted(
            (
                (clock.parse_rfc3339(str(event["time"])).timestamp(), number, event, _keys(event, filters))
                for number, event in enumerate(events)
            ),
            key=lambda entry: entry[:2],
        )
        self.given: set[tuple[int, int]] = set()

    def play(self, run: Run) -> None:
        """Let everything happen to the run that happens until then."""
        while self.collect(run) or self.next(run):
            pass

    def _aside(self) -> "_Stage":
        """The same world for a run that this one starts; what is seen there is seen here."""
        aside = copy.copy(self)
        aside.listening, aside.given = {}, set()
        return aside

    def collect(self, run: Run) -> bool:
        """Take the run's moves out and answer its calls; whether it called."""
        self.seen.steps += run.steps
        self.seen.facts += run.facts
        for registration in run.opened:
            self.listening[registration.no] = registration
        for no in run.closed:
            self.listening.pop(no, None)
        effects, run.effects = run.effects, []
        broods, run.broods = run.broods, []
        run.steps, run.facts, run.opened, run.closed, run.dropped = [], [], [], [], []
        if run.status != "running":
            self.listening.clear()
            return False
        for effect in effects:
            self.seen.calls.append({"task": effect.ref, "kind": effect.kind, **effect.request})
            if len(self.seen.calls) > MOST_CALLS:
                raise WorkflowError("runtime", f"more than {MOST_CALLS} calls in a rehearsal")
            interpreter.take_outcome(run, effect.strand, effect.key, self._answer(effect))
        for brood in broods:
            self._start(run, brood)
        return bool(effects or broods)

    def _start(self, run: Run, brood: Brood) -> None:
        """Play the items of a map; of another workflow is only told that it would run."""
        members: list[dict[str, Json]]
        if brood.workflow:
            called = {"workflow": brood.workflow, "version": brood.version, "input": brood.members[0].given}
            self.seen.calls.append({"task": brood.ref, "kind": "workflow", **called})
            members = [{"id": str(brood.members[0].id), "status": "completed", "output": {}, "error": None}]
        else:
            members = [self._play_item(run, brood, member) for member in brood.members]
        if brood.wait and all(member["status"] in ("completed", "faulted") for member in members):
            interpreter.take_brood(run, str(brood.id), members)

    def _play_item(self, parent: Run, brood: Brood, member: Member) -> dict[str, Json]:
        run = Run(member.id, _NOBODY, parent.program, member.given, now=parent.now, config=parent.config)
        run.tasks = brood.tasks
        begin_item(run, brood.tasks, member.position, brood.shared)
        interpreter.advance(run)
        aside = self._aside()
        aside.play(run)
        if run.status == "suspended" or aside.held:
            self.held = aside.held or run.error
        return {"id": str(run.id), "status": run.status, "output": run.output, "error": run.error}

    def next(self, run: Run) -> bool:
        """Let the next thing happen, an event or a timer; False if there is none in time."""
        until = self._until
        if run.status != "running":
            return False
        due = interpreter.next_due(run)
        arrival = self._arrival(until)
        if arrival is not None and (due is None or arrival.at <= due):
            wake(run, [arrival], arrival.at, virtual=True)
            return True
        if due is not None and due <= until:
            wake(run, [], due, virtual=True)
            return True
        return False

    def _arrival(self, until: float) -> Arrival | None:
        for at, number, event, keys in self._events:
            if at > until:
                return None
            for no, registration in self.listening.items():
                wanted = registration.key in keys and at >= registration.since - LOOKBACK
                if wanted and (no, number) not in self.given:
                    self.given.add((no, number))
                    return Arrival(no, f"{number}", at, event)
        return None


def _keys(event: Mapping[str, Json], filters: Sequence[EventFilter]) -> set[int]:
    """Every key by which one of `filters` would find the event."""
    found = set()
    for part in filters:
        if part.type != event.get("type"):
            continue
        if not part.keyed:
            found.add(correlation_key(part.type, (), ()))
            continue
        try:
            values = [piece.from_(event, {}) for piece in part.correlate]
        except WorkflowError:
            continue
        found.add(correlation_key(part.type, part.sources, values))
    return found
