"""Running a workflow in a process that dies: at any yield point all that is in memory is gone, and what was written
is taken up by another process.

A yield point is a line of the journal, a call about to be sent, a call that was answered, and a checkpoint.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from automations.engine.dsl.program import Program
from automations.engine.machine import interpreter, operating
from automations.engine.machine.kinds.broods import begin_item
from automations.engine.machine.moves import Brood, Effect, Member, Outcome, Registration
from automations.engine.machine.state import Run
from automations.engine.machine.waking import BROOD, Arrival, wake
from kernel import jsonx
from tests.support.driving import RUN, TENANT

START = 1_000_000.0
OVER = ("completed", "faulted", "cancelled", "suspended")


class Died(BaseException):
    """The process is gone. Nothing that handles errors of workflows may catch it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event that comes from outside; its data may depend on the facts that the run has told by then."""

    at: float
    type: str
    data: Any = None
    subject: str = ""


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
    opened: dict[int, Registration] = field(default_factory=dict)
    broods: list[Brood] = field(default_factory=list)
    taken: set[tuple[int, str]] = field(default_factory=set)


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
        events: Sequence[Happening] = (),
    ) -> None:
        self._program, self._given, self._world, self._deaths = program, given, world, deaths
        self._events = events
        self._store = _Store()
        self._now = START
        self._item: tuple[Brood, Member] | None = None
        self.points = 0
        self.died = 0

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Every line that was written down."""
        return self._store.steps

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
        run.tasks = self._item[0].tasks if self._item else ""
        self._taken: set[tuple[int, str]] = set()
        run.steps = _Journal(self)
        if self._store.snapshot:
            run.restore(jsonx.unpack(self._store.snapshot))
            run.now = run.cause = self._now
            operating.reissue(run)
            interpreter.advance(run)
        else:
            self._begin(run)
        dirty = False
        while run.status == "running":
            if run.effects:
                dirty = self._call(run, dirty) or dirty
                continue
            self._save(run)
            arrivals = self._arrivals(run)
            due = interpreter.next_due(run)
            moments = [arrival.at for arrival in arrivals] + ([] if due is None else [due])
            if not moments:
                break
            self._now = max(self._now, min(moments))
            done, _ = wake(run, [one for one in arrivals if one.at <= self._now], self._now, virtual=True)
            self._taken |= {(one.no, one.id) for one in done}
        self._save(run)
        return run

    def _begin(self, run: Run) -> None:
        if self._item is None:
            interpreter.start(run)
            return
        brood, member = self._item
        begin_item(run, brood.tasks, member.position, brood.shared)
        interpreter.advance(run)

    def _arrivals(self, run: Run) -> list[Arrival]:
        """What has come or will come for the run as it was written down, in order."""
        found = [
            Arrival(no, f"{number}", START + event.at, self._envelope(number, event))
            for number, event in enumerate(self._events)
            for no, wanted in self._store.opened.items()
            if wanted.type == event.type and (no, f"{number}") not in self._store.taken
        ]
        for brood in self._store.broods:
            if brood.wait and (BROOD, str(brood.id)) not in self._store.taken:
                members = [self._member(brood, member) for member in brood.members]
                found.append(Arrival(BROOD, str(brood.id), run.now, {"members": members}))
        return sorted(found, key=lambda arrival: arrival.at)

    def _envelope(self, number: int, event: Happening) -> dict[str, Any]:
        data = event.data(self._store.facts) if callable(event.data) else event.data
        return {
            "id": f"e{number}",
            "source": "/t",
            "type": event.type,
            "subject": event.subject,
            "data": data,
        }

    def _member(self, brood: Brood, member: Member) -> dict[str, Any]:
        """What becomes of a run that this one started; of another workflow, that it gives its input back."""
        if brood.workflow:
            return {"id": str(member.id), "status": "completed", "output": member.given, "error": None}
        child = Mortal(self._program, member.given, self._world)
        child._item, child._now = (brood, member), self._now
        ended = child.live()
        return {"id": str(member.id), "status": ended.status, "output": ended.output, "error": ended.error}

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
        self._store.opened.update({new.no: new for new in run.opened})
        for no in run.closed:
            self._store.opened.pop(no, None)
        self._store.broods += run.broods
        self._store.taken |= self._taken
        run.steps, run.facts, run.opened, run.closed, run.broods = _Journal(self), [], [], [], []
        if run.status == "running":
            self.tick()
