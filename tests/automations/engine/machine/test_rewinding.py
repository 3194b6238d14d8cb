"""Finding an earlier state again from the journal, and going on from there: the same data, other keys."""

from typing import Any

import pytest

from automations.engine.errors import CannotRewind, UnknownStep
from automations.engine.machine import interpreter, operating, rewinding
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.machine.state import ROOT, Run
from tests.support.driving import RUN, TENANT, Driver, World, drive


def call(name: str, more: str = "") -> str:
    return (
        f"{{call: http, with: {{method: post, endpoint: 'https://x.test/{name}', body: '${{ . }}'}}{more}}}"
    )


def refusing(path: str) -> Any:
    def answer(effect: Effect) -> Outcome:
        if effect.request["uri"].endswith(path):
            return Outcome(422, {}, {"detail": "no"})
        return Outcome(
            200, {}, {"from": effect.request["uri"].rsplit("/", 1)[-1], "was": effect.request.get("body")}
        )

    return answer


def line_of(driver: Driver, name: str, time: int = 0) -> Any:
    found = [line for line in driver.steps if line["r"].endswith(f"/{name}") and line["s"] != "resumed"]
    return found[time]


def back(driver: Driver, name: str, time: int = 0, **edited: Any) -> None:
    """Send the run back to the step of this name, the time it was passed."""
    goal = rewinding.target(driver.steps, line_of(driver, name, time)["n"])
    walker = Run(
        RUN, TENANT, driver.program, driver.run.input, now=driver.run.started_at, config=driver.config
    )
    strand = rewinding.retrace(walker, driver.steps, goal)
    rewinding.go_back(driver.run, strand, goal, by="Rosa", reason="again", **edited)
    interpreter.advance(driver.run)
    driver.settle()


def data_before(driver: Driver, name: str, time: int = 0) -> Any:
    goal = rewinding.target(driver.steps, line_of(driver, name, time)["n"])
    walker = Run(
        RUN, TENANT, driver.program, driver.run.input, now=driver.run.started_at, config=driver.config
    )
    return rewinding.retrace(walker, driver.steps, goal).data


THREE = f"  - first: {call('a')}\n  - second: {call('b')}\n  - third: {call('c')}\n"


def test_the_data_in_front_of_a_step_are_those_of_then():
    run = drive(THREE, {"n": 1}, world=World(refusing("/c")))
    assert run.status == "suspended"
    assert data_before(run, "first") == {"n": 1}
    assert data_before(run, "second") == {"from": "a", "was": {"n": 1}}
    assert data_before(run, "third") == {"from": "b", "was": {"from": "a", "was": {"n": 1}}}


def test_what_is_done_again_is_done_under_other_keys_and_the_rest_is_not_done():
    world = World(refusing("/c"))
    run = drive(THREE, {"n": 1}, world=world)
    first = [(effect.ref, effect.key) for effect in world.seen]
    world.answers = refusing("/nothing")
    back(run, "second")
    again = [(effect.ref, effect.key) for effect in world.seen[len(first) :]]
    assert [ref for ref, _ in again] == [first[1][0], first[2][0]]
    assert not {key for _, key in again} & {key for _, key in first}
    assert run.status == "completed"
    assert run.output["from"] == "c"
    assert [fact.type for fact in run.facts if fact.type.endswith("recovered")] == ["portal.run.recovered"]


def test_a_run_goes_back_a_second_time_over_the_first():
    world = World(refusing("/c"))
    run = drive(THREE, {"n": 1}, world=world)
    back(run, "second", value={"n": 2})
    assert (run.status, data_before(run, "second", 1)) == ("suspended", {"n": 2})
    assert data_before(run, "third", 1)["was"] == {"n": 2}
    back(run, "third", 1)
    assert run.status == "suspended"
    world.answers = refusing("/nothing")
    back(run, "first")
    assert (run.status, run.output["was"]["was"]) == ("completed", {"from": "a", "was": {"n": 1}})
    keys = [effect.key for effect in world.seen]
    assert len(set(keys)) == len(keys)


LOOP = f"""
  - all:
      for: {{each: item, in: .items}}
      do:
        - double: {{set: '${{ . + {{sum: ((.sum // 0) + $item * 2)}} }}', export: {{as: '${{ $context + {{last: $item}} }}'}}}}
        - send: {call("s", ", output: {as: '${ $input }'}")}
  - end: {call("c", ", input: {from: '${ {sum, last: $context.last} }'}")}
"""


def test_a_step_of_a_loop_is_found_in_its_turn_with_the_context_of_then():
    world = World(refusing("/c"))
    run = drive(LOOP, {"items": [1, 2, 3]}, world=world)
    assert (run.status, run.error["instance"]) == ("suspended", "/do/1/end")
    assert [data_before(run, "double", time).get("sum", 0) for time in range(3)] == [0, 2, 6]
    sent = len(world.seen)
    world.answers = refusing("/nothing")
    back(run, "send", 1)
    assert run.status == "completed"
    assert [effect.request["body"] for effect in world.seen[sent:]] == [
        {"items": [1, 2, 3], "sum": 6},
        {"items": [1, 2, 3], "sum": 12},
        {"sum": 12, "last": 3},
    ]


def test_a_whole_loop_is_done_again():
    world = World(refusing("/c"))
    run = drive(LOOP, {"items": [1, 2]}, world=world)
    sent = len(world.seen)
    back(run, "all", value={"items": [5]})
    assert [effect.request["body"]["sum"] for effect in world.seen[sent:]] == [10, 10]


TRIES = f"""
  - safe:
      try: [{{one: {call("a")}}}, {{two: {call("b")}}}]
      catch: {{errors: {{with: {{status: 422}}}}, do: [{{mend: {{set: {{mended: true}}}}}}]}}
  - branch: {{switch: [{{yes: {{when: .mended, then: last}}}}, {{no: {{then: end}}}}]}}
  - never: {{set: {{x: 1}}}}
  - last: {call("c")}
"""


def test_the_way_through_a_caught_error_and_a_switch_is_walked_again():
    world = World(
        lambda effect: Outcome(422 if effect.request["uri"][-1] in "bc" else 200, {}, {"detail": "no"})
    )
    run = drive(TRIES, {"n": 1}, world=world)
    assert run.error["instance"] == "/do/3/last"
    assert data_before(run, "last") == {"mended": True}
    assert data_before(run, "mend") == {"n": 1}
    assert data_before(run, "two") == {"detail": "no"}
    world.answers = lambda effect: Outcome(200, {}, {"ok": True})
    back(run, "two")
    assert (run.status, run.order[-2:]) == ("completed", ["safe", "branch"])


RETRIED = f"""
  - safe:
      try: [{{one: {call("a")}}}]
      catch: {{retry: {{delay: {{seconds: 5}}, limit: {{attempt: {{count: 2}}}}}}}}
  - last: {call("c")}
"""


def test_tries_begin_anew():
    answers = iter([503, 503, 200, 422, 503, 503, 200, 200])
    run = drive(RETRIED, {"n": 1}, world=World(lambda _: Outcome(next(answers), {}, {})))
    run.at(1_000_005.0).at(1_000_010.0)
    assert run.error["instance"] == "/do/1/last"
    assert data_before(run, "one", 2) == {"n": 1}
    back(run, "one", 1)
    run.at(1_000_015.0).at(1_000_020.0)
    assert run.status == "completed"


FORK = f"""
  - before: {{set: {{x: 1}}}}
  - both: {{fork: {{branches: [{{left: {call("l")}}}, {{right: {{set: {{y: 2}}}}}}]}}}}
  - last: {call("c")}
"""


def test_over_branches_one_goes_and_into_them_not():
    run = drive(FORK, {}, world=World(refusing("/c")))
    assert data_before(run, "last")[1] == {"y": 2}
    assert data_before(run, "both") == {"x": 1}
    with pytest.raises(CannotRewind, match="side by side"):
        data_before(run, "left")
    back(run, "both")
    assert (run.status, run.run.strands[ROOT].data[1]) == ("suspended", {"y": 2})


def test_what_a_person_did_stands_in_the_way_no_more():
    world = World(refusing("/b"))
    run = drive(THREE, {"n": 1}, world=world)
    operating.resume(run.run, "complete", {"by": "hand"}, by="Rosa", reason="")
    world.answers = refusing("/c")
    interpreter.advance(run.run)
    run.settle()
    assert data_before(run, "third") == {"by": "hand"}
    resumed = next(line["n"] for line in run.steps if line["s"] == "resumed")
    with pytest.raises(CannotRewind, match="no step"):
        rewinding.target(run.steps, resumed)
    with pytest.raises(UnknownStep):
        rewinding.target(run.steps, 99)


def test_a_journal_that_does_not_fit_the_workflow_is_not_guessed_at():
    run = drive(THREE, {"n": 1}, world=World(refusing("/c")))
    run.steps[0]["r"] = "/do/0/other"
    with pytest.raises(CannotRewind, match="part"):
        data_before(run, "third")


def test_what_it_waits_for_is_withdrawn():
    text = "  - a: {set: {x: 1}}\n  - l: {listen: {to: {one: {with: {type: t}}}}}\n"
    run = drive(text, {})
    assert list(run.opened) == [0]
    goal = rewinding.target(run.steps, 0)
    walker = Run(RUN, TENANT, run.program, run.run.input, now=run.run.started_at, config={})
    rewinding.go_back(run.run, rewinding.retrace(walker, run.steps, goal), goal, by="R", reason="")
    assert run.run.closed == [0]
    interpreter.advance(run.run)
    run.settle()
    assert list(run.opened) == [1]
