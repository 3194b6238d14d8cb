"""What a run may use up: each limit ends in an error that names it, and no `try` of the workflow catches it."""

from typing import Any

import pytest

from automations.engine.machine import bounds, core
from automations.engine.machine.kinds import broods, flow, fork, happenings
from tests.support.driving import drive

FOREVER = "- a: {set: {x: 1}}\n- b: {set: {x: 2}, then: a}"
FORGIVING = "- t: {try: [%s], catch: {do: [{h: {set: {caught: true}}}]}}"


def limit_of(run: Any) -> tuple[str, str, str]:
    assert run.status == "suspended", run.output
    assert run.error["code"] == f"limit_{run.error['limit']}"
    (fact,) = [fact for fact in run.facts if fact.type == "portal.run.suspended"]
    assert fact.data["error"] == run.error
    return run.error["limit"], run.error["detail"], run.error["instance"]


def test_steps(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_STEPS", 1_000)
    run = drive(FOREVER)
    assert limit_of(run) == ("steps", "the run has 1000 steps", "/do/0/a")
    assert len([step for step in run.steps if step["s"] == "completed"]) == 1_000
    assert run.steps[-1]["s"] == "faulted"


def test_steps_that_a_workflow_would_forgive_itself(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_STEPS", 500)
    text = FORGIVING % "{l: {do: [{a: {set: {x: 1}}}, {b: {set: {x: 2}, then: a}}]}}"
    assert limit_of(drive(text))[0] == "steps"


def test_a_run_at_its_limit_that_is_sent_on_stops_again(monkeypatch):
    from automations.engine.machine import interpreter, operating

    monkeypatch.setattr(bounds, "MAX_STEPS", 100)
    run = drive(FOREVER)
    operating.resume(run.run, "retry", None, "test", "")
    interpreter.advance(run.run)
    assert (run.run.status, run.run.error["limit"]) == ("suspended", "steps")


def test_jumps(monkeypatch):
    monkeypatch.setattr(core, "MAX_JUMPS", 20)
    assert limit_of(drive(FOREVER))[:2] == ("jumps", "the list went back more than 20 times")


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (flow, "- a: {for: {in: '[range(11)]'}, do: [{b: {set: {x: 1}}}]}"),
        (broods, "- a: {call: 'map:1@default', with: {in: '${ [range(11)] }', do: [{b: {set: {x: 1}}}]}}"),
    ],
)
def test_items(monkeypatch, module, text):
    monkeypatch.setattr(module, "MAX_ITEMS", 10)
    run = drive(text)
    assert limit_of(run)[:2] == ("items", "`in` gives 11 items; at most 10 are taken")


def test_branches(monkeypatch):
    monkeypatch.setattr(fork, "MAX_BRANCHES", 8)
    inner = "{fork: {branches: [{a: {wait: PT1H}}, {b: {wait: PT1H}}, {c: {wait: PT1H}}]}}"
    run = drive(f"- f: {{fork: {{branches: [{{x: {inner}}}, {{y: {inner}}}]}}}}")
    assert limit_of(run)[0] == "branches"


def test_depth_of_lists_in_lists(monkeypatch):
    monkeypatch.setattr(core, "MAX_DEPTH", 5)
    inner = "{a: {set: {x: 1}}}"
    for number in range(6):
        inner = f"{{d{number}: {{do: [{inner}]}}}}"
    assert limit_of(drive(f"- {inner[1:-1]}"))[:2] == (
        "depth",
        "the run is inside of 5 lists, one in another",
    )


@pytest.mark.parametrize(
    "text",
    [
        "- a: {run: {workflow: {namespace: t, name: t, version: 1.0.0}}}",
        "- a: {call: 'map:1@default', with: {in: '${ [1] }', do: [{b: {set: {x: 1}}}]}}",
    ],
)
def test_hops(monkeypatch, text):
    monkeypatch.setattr(broods, "MAX_HOPS", 0)
    assert limit_of(drive(text))[0] == "hops"


def test_journal_between_two_checkpoints(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_UNWRITTEN", 1_000_000)
    text = f"- a: {{set: {{x: '{'x' * 10_000}'}}}}\n- b: {{set: {{x: '{'y' * 10_000}'}}, then: a}}"
    run = drive(text)
    assert limit_of(run)[0] == "journal"
    assert 80 <= len(run.steps) <= 400


def test_journal_as_a_whole(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_JOURNAL", 1_000)
    run = drive("- a: {set: {x: 1}}\n- w: {wait: PT1S}\n- b: {set: {x: 2}}")
    run.run.journal = 1_001
    run.run.look_at = 0
    run.at(run.run.now + 1)
    assert limit_of(run) == ("journal", "the run has written 0 MB of steps", "/do/2/b")


def test_an_event_that_a_run_emits(monkeypatch):
    monkeypatch.setattr(happenings, "MAX_EVENT", 100)
    run = drive(f"- a: {{emit: {{event: {{with: {{source: /x, type: x.y, data: {{x: '{'x' * 200}'}}}}}}}}}}")
    assert limit_of(run)[0] == "event"
    assert not [fact for fact in run.facts if fact.type == "x.y"]


def test_the_fuel_of_an_expression():
    run = drive("- a: {set: {x: '${ [range(10000000)] | length }'}}")
    assert (run.status, run.error["type"].rsplit("/", 1)[-1]) == ("suspended", "expression")
    assert run.error["limit"] == "fuel"


def test_fuel_may_be_forgiven_since_nothing_of_the_run_is_used_up():
    assert drive(FORGIVING % "{a: {set: {x: '${ [range(10000000)] | length }'}}}").output == {"caught": True}


def test_what_is_used_up_survives_a_restart():
    run = drive("- a: {set: {x: 1}}\n- w: {wait: PT1S}")
    run.run.journal = 77
    run._die()
    assert run.run.journal == 77


def test_every_limit_is_in_the_paper_with_its_figure():
    from pathlib import Path

    from automations.engine.dsl import limits

    paper = (Path(__file__).parents[4] / "docs" / "limits.md").read_text()
    figures = {
        "steps": limits.MAX_STEPS,
        "jumps": limits.MAX_JUMPS,
        "items": limits.MAX_ITEMS,
        "branches": limits.MAX_BRANCHES,
        "depth": limits.MAX_DEPTH,
        "hops": limits.MAX_HOPS,
        "starts": limits.MAX_STARTS,
        "rate": limits.MAX_RATE,
        "value": limits.MAX_VALUE // limits.MEGABYTE,
        "journal": limits.MAX_JOURNAL // limits.MEGABYTE,
        "event": limits.MAX_EVENT // limits.MEGABYTE,
        "age": int(limits.MAX_AGE / 86_400),
    }
    assert (
        len(figures) == len([name for name in vars(limits) if name.startswith("MAX_")]) - 1
    )  # two are `journal`
    for name, figure in figures.items():
        row = next(line for line in paper.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"| {figure:,}" in row, row
    assert f"| {limits.MAX_UNWRITTEN // limits.MEGABYTE} MB |" in paper
