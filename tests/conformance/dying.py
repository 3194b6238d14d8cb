"""Running a workflow in a process that dies: at any yield point all that is in memory is gone, and what was written
is taken up by another process.

A yield point is a line of the journal, a call about to be sent, a call that was answered, and a checkpoint.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from automations.engine.dsl.program import Program
from automations.engine.machine import interpreter, operating
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.machine.state import Run
from automations.engine.machine.waking import wake
from kernel import jsonx
from tests.support.driving import RUN, TENANT

START = 1_000_000.0
OVER = ("completed", "faulted", "cancelled", "suspended")


class Died(BaseException):
    """The process is gone. Nothing that handles errors of workflows may catch it."""


@dataclass(slots=True)
class Ended:
    """What became of a run: the same however often its processes died."""

    status: str
    output: Any
    error: Any
    order: list[str]
    facts: list[tuple[str, str, Any]]


@dataclass(slots=True)
class _Store:
    """What outlives a process."""

    snapshot: bytes = b""
    status: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    facts: list[Any] = field(default_factory=list)


class _Journal(list[dict[str, Any]]):
    """A journal whose every line is a yield point."""

    def __init__(self, clock: "Mortal") -> None:
        super().__init__()
        self._clock = clock

    def append(self, line: dict[str, Any]) -> None:
        super().append(line)
        self._clock.tick()


class Mortal:
    """Runs a program; dies at the yield points whose numbers stand in `deaths`."""

    def __init__(
        self,
        program: Program,
        given: Any,
        world: Callable[[Effect], Outcome],
        deaths: frozenset[int] = frozenset(),
    ) -> None:
        self._program, self._given, self._world, self._deaths = program, given, world, deaths
        self._store = _Store()
        self._now = START
        self.points = 0
        self.died = 0

    def tick(self) -> None:
        """A yield point."""
        self.points += 1
        if self.points - 1 in self._deaths:
            self.died += 1
            raise Died

    def live(self) -> Ended:
        """Run to the end, in as many processes as it takes."""
        while True:
            try:
                run = self._process()
            except Died:
                continue
            steps = [step["r"].rsplit("/", 1)[-1] for step in self._store.steps if step["s"] == "completed"]
            facts = [(fact.id, fact.type, fact.data) for fact in self._store.facts]
            return Ended(run.status, run.output, run.error, steps, facts)

    def _process(self) -> Run:
        run = Run(RUN, TENANT, self._program, self._given, now=START, config={})
        run.steps = _Journal(self)
        if self._store.snapshot:
            run.restore(jsonx.unpack(self._store.snapshot))
            run.now = run.cause = self._now
            operating.reissue(run)
            interpreter.advance(run)
        else:
            interpreter.start(run)
        dirty = False
        while run.status == "running":
            if run.effects:
                dirty = self._call(run, dirty) or dirty
                continue
            self._save(run)
            due = interpreter.next_due(run)
            if due is None:
                break
            self._now = max(self._now, due)
            wake(run, [], self._now, virtual=True)
        self._save(run)
        return run

    def _call(self, run: Run, dirty: bool) -> bool:
        """Carry out what the run asks for, as a worker does: what led to a change is written before it is made."""
        if dirty and any(effect.effect != "safe" for effect in run.effects):
            self._save(run)
        effects, run.effects = run.effects, []
        for effect in effects:
            self.tick()
            outcome = self._world(effect)
            self.tick()
            interpreter.take_outcome(run, effect.strand, effect.key, outcome)
        return True

    def _save(self, run: Run) -> None:
        """A checkpoint: all of it, or nothing."""
        written = b"" if run.status in OVER else jsonx.pack(run.snapshot())
        self._store.snapshot, self._store.status = written, run.status
        self._store.steps += run.steps
        self._store.facts += run.facts
        run.steps, run.facts, run.opened, run.closed = _Journal(self), [], [], []
        if run.status == "running":
            self.tick()
