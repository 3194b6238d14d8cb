"""Driving the state machine without a database: a run, a made-up world that answers, and crashes wherever one likes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.document import read
from automations.engine.dsl.program import Program
from automations.engine.machine import interpreter, operating
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.machine.state import Run
from automations.engine.machine.waking import Arrival, wake
from kernel import jsonx

TENANT = UUID(int=1)
RUN = UUID(int=2)


def program(text: str, **options: Any) -> Program:
    """The program of a YAML document; a list of tasks alone is wrapped."""
    whole = text.lstrip().startswith("document:")
    document = read(text if whole else f"{HEAD}do:\n{text}")
    return compile_document(document, FUNCTIONS, **options)


HEAD = """
document: {dsl: 1.0.3, namespace: test, name: test, version: 1.0.0}
"""


class World:
    """Answers effects in order, or by a function; remembers them."""

    def __init__(self, answers: Sequence[Outcome] | Callable[[Effect], Outcome] = ()) -> None:
        self.answers = answers
        self.seen: list[Effect] = []

    def __call__(self, effect: Effect) -> Outcome:
        self.seen.append(effect)
        if callable(self.answers):
            return self.answers(effect)
        return self.answers[len(self.seen) - 1]


class Driver:
    """Runs a program to where it waits. With `crash`, the run is written down and read back at every yield point."""

    def __init__(
        self,
        made: Program,
        given: Any = None,
        *,
        world: Callable[[Effect], Outcome] | None = None,
        config: Mapping[str, Any] | None = None,
        now: float = 1_000_000.0,
        crash: bool = False,
    ) -> None:
        self.program, self.world, self.crash = made, world or World(), crash
        self.config = dict(config or {})
        self.steps: list[dict[str, Any]] = []
        self.facts: list[Any] = []
        self.opened: dict[int, Any] = {}
        self.crashes = 0
        self.run = Run(RUN, TENANT, made, {} if given is None else given, now=now, config=self.config)
        interpreter.start(self.run)
        self.settle()

    def settle(self) -> "Driver":
        """Answer effects until none is left."""
        while True:
            self._collect()
            if not self.run.effects or self.run.status != "running":
                return self
            effects, self.run.effects = self.run.effects, []
            for effect in effects:
                outcome = self.world(effect)
                if self.crash:
                    self._die()
                    effect = next((again for again in self.run.effects if again.key == effect.key), effect)
                    self.run.effects = []
                interpreter.take_outcome(self.run, effect.strand, effect.key, outcome)
                self._collect()

    def _collect(self) -> None:
        self.steps += self.run.steps
        self.facts += self.run.facts
        self.opened.update({new.no: new for new in self.run.opened})
        for no in self.run.closed:
            self.opened.pop(no, None)
        self.run.steps, self.run.facts, self.run.opened, self.run.closed = [], [], [], []

    def _die(self) -> None:
        """The process ends here; another one takes the run up from what was written."""
        if self.run.status not in ("running", "suspended"):
            return
        self.crashes += 1
        status, error = self.run.status, self.run.error
        written = jsonx.loads(jsonx.dumps(self.run.snapshot()))
        again = Run(RUN, TENANT, self.program, self.run.input, now=self.run.now, config=self.config)
        again.restore(written)
        again.status, again.error, again.now, again.cause = status, error, self.run.now, self.run.cause
        operating.reissue(again)
        self.run = again

    def at(self, seconds: float, *arrivals: Arrival) -> "Driver":
        """Let time come to `seconds` (from 1970) and events arrive."""
        if self.crash:
            self._die()
            self.run.effects = []
        left, moved = list(arrivals), True
        while moved:
            before = self.run.seq
            _, left = wake(self.run, left, seconds, virtual=True)
            self.settle()
            moved = self.run.seq != before
        return self

    def event(
        self, no: int, kind: str, data: Any = None, *, at: float | None = None, **more: Any
    ) -> "Driver":
        """An event arrives for subscription `no`."""
        when = self.run.now if at is None else at
        envelope = {
            "specversion": "1.0",
            "id": f"e{no}-{when}",
            "source": "/t",
            "type": kind,
            "data": data,
            **more,
        }
        return self.at(when, Arrival(no, str(envelope["id"]), when, envelope))

    @property
    def status(self) -> str:
        return self.run.status

    @property
    def output(self) -> Any:
        return self.run.output

    @property
    def error(self) -> Any:
        return self.run.error

    @property
    def order(self) -> list[str]:
        """Names of tasks that completed, in order."""
        return [step["r"].rsplit("/", 1)[-1] for step in self.steps if step["s"] == "completed"]


def drive(text: str, given: Any = None, **options: Any) -> Driver:
    """Compile and run to where it waits."""
    return Driver(program(text), given, **options)
