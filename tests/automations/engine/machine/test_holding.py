"""Holding a run that did nothing wrong itself, and sending it on as if it had not been held."""

from typing import Any

from automations.engine.machine import interpreter, operating
from automations.engine.machine.moves import Outcome
from automations.engine.machine.state import Run
from tests.support.driving import RUN, TENANT, Driver, drive, program

FORK = """
- both:
    fork:
      branches:
        - left: {do: [{one: {call: http, with: {method: post, endpoint: 'https://x.example/one'}}}]}
        - right: {do: [{nap: {wait: PT1H}}, {two: {set: {two: true}}}]}
- done: {set: {ok: true}}
"""


def parked(text: str, given: Any = None) -> Run:
    """A run that was started and stands where it waits; nobody answers its calls."""
    run = Run(RUN, TENANT, program(text), {} if given is None else given, now=1_000_000.0, config={})
    interpreter.start(run)
    return run


def hold(run: Run) -> None:
    operating.hold(run, "Workers stopped", "three of them", limit="claims")


def test_a_held_call_is_made_again_under_its_key_and_its_sibling_never_noticed():
    run = parked(FORK)
    (call,) = run.effects
    hold(run)
    assert (run.status, run.error["limit"], run.effects) == ("suspended", "claims", [])
    assert run.error["instance"].endswith("/one")
    operating.resume(run, "retry", None, "ann", "")
    operating.reissue(run)
    (again,) = run.effects
    assert again.key == call.key
    interpreter.take_outcome(run, again.strand, again.key, Outcome(200, {}, {"ok": 1}))
    run.now += 3_600
    assert interpreter.fire(run)
    assert (run.status, run.output) == ("completed", {"ok": True})


def test_a_held_wait_ends_when_it_would_have():
    run = parked("- nap: {wait: PT1H}\n- b: {set: {x: 1}}")
    run.now += 60
    hold(run)
    assert interpreter.next_due(run) is None
    run.now += 60
    operating.resume(run, "retry", None, "ann", "")
    assert interpreter.next_due(run) == 1_000_000.0 + 3_600


def test_a_held_listener_still_listens_and_one_that_is_skipped_does_not():
    text = "- l: {listen: {to: {one: {with: {type: x.y}}}}}\n- b: {set: {x: 1}}"
    run = parked(text)
    run.opened = []
    hold(run)
    assert run.closed == []
    operating.resume(run, "retry", None, "ann", "")
    assert interpreter.take_event(run, 0, {"id": "1", "source": "/s", "type": "x.y", "data": {}})
    assert run.status == "completed"
    other = parked(text)
    hold(other)
    operating.resume(other, "skip", None, "ann", "")
    assert other.closed == [0]


def test_a_question_is_withdrawn_when_the_held_run_is_cancelled():
    run = parked("- ask: {call: 'humanTask:1@default', with: {title: Sure?}}")
    hold(run)
    run.facts = []
    operating.cancel(run, "ann")
    assert [fact.data.get("outcome") for fact in run.facts if fact.type == "portal.case.settled"] == [
        "withdrawn"
    ]
    assert run.status == "cancelled"


def test_competitors_are_held_together():
    run = parked(
        "- f: {fork: {compete: true, branches: [{a: {wait: PT1H}}, {b: {wait: PT2H}}]}}\n- c: {set: {x: 1}}"
    )
    hold(run)
    assert run.status == "suspended"
    operating.resume(run, "retry", None, "ann", "")
    run.now += 3_600
    assert interpreter.fire(run)
    assert (run.status, run.output) == ("completed", {"x": 1})


def test_a_run_held_before_its_first_step_begins_with_its_filtered_input():
    head = "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}\ninput: {from: '.[0]'}\n"
    run = Run(RUN, TENANT, program(f"{head}do: [{{a: {{set: '${{ . }}'}}}}]"), [{"x": 1}], now=1.0, config={})
    operating.prepare(run)
    hold(run)
    operating.resume(run, "retry", None, "ann", "")
    interpreter.advance(run)
    assert (run.status, run.output) == ("completed", {"x": 1})


def test_a_run_at_the_end_of_a_list_can_be_held():
    run = drive("- a: {do: [{w: {wait: PT1S}}]}").run
    for strand in run.strands.values():
        strand.pending = None
        strand.frames[-1].index = len(strand.frames[-1].list.tasks)
    hold(run)
    assert (run.status, run.error["instance"]) == ("suspended", "/do/0/a/do/0/w")
    operating.resume(run, "retry", None, "ann", "")
    interpreter.advance(run)
    assert run.status == "completed"


def test_a_held_run_survives_a_restart():
    driver: Driver = drive(FORK.replace("post", "get"), world=lambda _: Outcome(503, {}, None))
    assert driver.status == "suspended"
    run = parked(FORK)
    hold(run)
    again = Run(RUN, TENANT, run.program, {}, now=run.now, config={})
    again.restore(run.snapshot())
    operating.resume(again, "retry", None, "ann", "")
    operating.reissue(again)
    assert len(again.effects) == 1
