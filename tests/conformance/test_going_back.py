"""Going back to each step of every kind of task and of the standard's scenarios: the state is that of then, or refused."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from automations.engine.dsl.program import CallTask, Do, For, Program, Try
from automations.engine.errors import CannotRewind
from automations.engine.machine import interpreter, rewinding
from automations.engine.machine.state import ROOT, Run
from tests.conformance import site as the_site
from tests.conformance.dying import START, Mortal
from tests.conformance.judging import compiled
from tests.conformance.kit import HOME, Scenario, scenarios
from tests.conformance.site import Site
from tests.conformance.test_deaths import KINDS, Shop
from tests.support.driving import RUN, TENANT, program

SCENARIOS = scenarios()
here = pytest.mark.skipif(not SCENARIOS, reason=f"the conformance kit is not at {HOME}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with the_site.running() as found:
        yield found


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, Any]]:
    """Each step that was entered: the number of the line that came next, which step, and the state in front of it."""
    seen: list[tuple[int, str, Any]] = []
    does = interpreter.enter

    def enter(run: Run, strand: Any, task: Any) -> None:
        if strand.id == ROOT and not run.tasks:
            seen.append((run.seq, task.ref, state_of(strand)))
        does(run, strand, task)

    monkeypatch.setattr(interpreter, "enter", enter)
    return seen


def state_of(strand: Any) -> Any:
    """What going on depends on: data, context, the lists it is in, and the variables of each."""
    frames = [
        (frame.kind, frame.list.ref, frame.index, frame.input, (frame.local or {}).get("names"))
        for frame in strand.frames
    ]
    return copy.deepcopy((strand.data, strand.context, frames))


def went_back(made: Program, given: Any, lines: list[Any], entered: list[tuple[int, str, Any]]) -> int:
    """Go back to every line; how many of them had a state to compare with."""
    known, compared = list(entered), 0
    for line in lines:
        run = Run(RUN, TENANT, made, given, now=START, config={})
        holder = next((t for t in made.tasks.values() if _within(line["r"], t)), None)
        if holder is not None or line["s"] in ("resumed", "cancelled"):
            with pytest.raises(CannotRewind):
                rewinding.retrace(run, lines, rewinding.target(lines, line["n"]))
            continue
        strand = rewinding.retrace(run, lines, rewinding.target(lines, line["n"]))
        assert interpreter.current_task(strand).ref == line["r"]
        states = [state for seq, ref, state in known if seq <= line["n"] and ref == line["r"]]
        assert state_of(strand) == states[-1], f"in front of line {line['n']}, {line['r']}"
        compared += 1
    return compared


def _within(ref: str, task: Any) -> bool:
    return ref.startswith(f"{task.ref}/") and not isinstance(task, (Do, For, Try, CallTask))


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_of_a_kind(kind: str, entered: list[tuple[int, str, Any]]) -> None:
    text, given, events = KINDS[kind]
    made = program(text)
    mortal = Mortal(made, given, Shop(), events=events)
    mortal.live()
    assert went_back(made, given, mortal._store.steps, entered) >= 1


@here
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: f"{one.feature}-{one.name}")
def test_each_step_of_a_scenario(scenario: Scenario, site: Site, entered: list[tuple[int, str, Any]]) -> None:
    made = compiled(scenario, site)
    mortal = Mortal(made, scenario.given, site)
    mortal.live()
    went_back(made, scenario.given, mortal._store.steps, entered)
