"""Errors: who catches them, what is tried again and when, what waits for a person (E1 to E4, F10 to F14)."""

import pytest

from automations.engine.machine import interpreter, operating
from automations.engine.machine.moves import Outcome
from tests.support.driving import World, drive

pytestmark = pytest.mark.parametrize("crash", [False, True], ids=["straight", "crashing"])
CALL = "{call: http, with: {method: post, endpoint: 'https://shop.example/x', body: '${ . }'}}"
COMMUNICATION = "https://open-workflow-specification.org/dsl/errors/types/communication"


def trying(catch: str, *, call: str = CALL) -> str:
    return f"- t:\n    try: [{{c: {call}}}]\n    catch: {catch}\n- after: {{set: '${{ {{v: .}} }}'}}"


def test_caught_without_a_handler_the_output_is_the_input_of_the_try(crash):
    run = drive(trying("{}"), {"a": 1}, world=World([Outcome(500)]), crash=crash)
    assert (run.status, run.output) == ("completed", {"v": {"a": 1}})


def test_the_handler_sees_the_error_under_its_name(crash):
    run = drive(
        trying("{as: e, do: [{h: {set: {seen: '${ $e.status }', at: '${ $e.instance }'}}}]}"),
        world=World([Outcome(404)]),
        crash=crash,
    )
    assert run.output == {"v": {"seen": 404, "at": "/do/0/t/try/0/c"}}


@pytest.mark.parametrize(
    "kind",
    [
        "https://serverlessworkflow.io/spec/1.0.0/errors/communication",
        "https://serverlessworkflow.io/dsl/errors/types/communication",
        "https://open-workflow-specification.org/spec/1.0.0/errors/communication",
        COMMUNICATION,
    ],
)
def test_every_spelling_of_a_standard_error_means_the_same(crash, kind):
    run = drive(trying(f"{{errors: {{with: {{type: '{kind}'}}}}}}"), world=World([Outcome(500)]), crash=crash)
    assert run.status == "completed"


def test_a_filter_that_does_not_fit_lets_the_error_through(crash):
    run = drive(trying("{errors: {with: {status: 503}}}"), {"a": 1}, world=World([Outcome(404)]), crash=crash)
    assert (run.status, run.error["status"]) == ("suspended", 404)


def test_when_and_except_when_decide(crash):
    assert (
        drive(trying("{when: $error.status >= 500}"), world=World([Outcome(404)]), crash=crash).status
        == "suspended"
    )
    assert (
        drive(trying("{exceptWhen: $error.status == 404}"), world=World([Outcome(404)]), crash=crash).status
        == "suspended"
    )
    assert (
        drive(trying("{exceptWhen: $error.status == 404}"), world=World([Outcome(500)]), crash=crash).status
        == "completed"
    )


def test_an_inner_error_passes_a_try_that_does_not_want_it_and_reaches_the_outer(crash):
    text = f"""
- outer:
    try:
      - inner: {{try: [{{c: {CALL}}}], catch: {{errors: {{with: {{status: 1}}}}}}}}
    catch: {{do: [{{h: {{set: {{outer: true}}}}}}]}}
"""
    assert drive(text, world=World([Outcome(500)]), crash=crash).output == {"outer": True}


def test_retry_waits_longer_each_time_and_starts_with_the_input_of_the_try(crash):
    retry = "{retry: {delay: {seconds: 2}, backoff: {exponential: {}}, limit: {attempt: {count: 3}}}}"
    world = World([Outcome(503), Outcome(503), Outcome(200, {}, {"ok": True})])
    run = drive(trying(retry), {"a": 1}, world=world, crash=crash, now=100.0)
    assert interpreter.next_due(run.run) == 102.0
    run.at(102.0)
    assert interpreter.next_due(run.run) == 106.0
    run.at(105.9)
    assert len(world.seen) == 2
    run.at(106.0)
    assert (run.status, run.output) == ("completed", {"v": {"ok": True}})
    assert [step["a"] for step in run.steps if step["s"] == "retrying"] == [1, 2]
    assert [effect.request["body"] for effect in world.seen] == [{"a": 1}] * 3


@pytest.mark.parametrize(
    ("backoff", "delays"), [("constant", [2, 2, 2]), ("linear", [2, 4, 6]), ("exponential", [2, 4, 8])]
)
def test_backoff_grows_as_it_is_called(crash, backoff, delays):
    retry = f"{{retry: {{delay: {{seconds: 2}}, backoff: {{{backoff}: {{}}}}, limit: {{attempt: {{count: 3}}}}}}}}"
    run = drive(trying(retry), world=World([Outcome(503)] * 4), crash=crash, now=0.0)
    for _ in range(3):
        run.at(interpreter.next_due(run.run))
    assert [step["w"] for step in run.steps if step["s"] == "retrying"] == delays


def test_count_is_of_retries_after_the_first_try(crash):
    retry = "{retry: {limit: {attempt: {count: 5}}}}"
    world = World([Outcome(503)] * 6)
    run = drive(trying(retry), world=world, crash=crash)
    assert (len(world.seen), run.status) == (6, "suspended")


def test_retry_after_is_honoured_when_it_is_longer(crash):
    retry = "{retry: {delay: {seconds: 2}, limit: {attempt: {count: 1}}}}"
    run = drive(trying(retry), world=World([Outcome(429, {"retry-after": "30"})]), crash=crash, now=0.0)
    assert interpreter.next_due(run.run) == 30.0


def test_the_limit_on_the_whole_ends_the_retries(crash):
    retry = "{retry: {delay: {seconds: 40}, limit: {duration: {minutes: 1}}}}"
    world = World([Outcome(503)] * 3)
    run = drive(trying(retry), world=world, crash=crash, now=0.0)
    run.at(40.0)
    assert (run.status, len(world.seen)) == ("suspended", 2)


def test_when_retries_are_exhausted_the_handler_runs(crash):
    retry = "{retry: {limit: {attempt: {count: 1}}}, do: [{h: {set: {gave: up}}}]}"
    run = drive(trying(retry), world=World([Outcome(503)] * 2), crash=crash)
    assert run.output == {"v": {"gave": "up"}}


def test_a_retry_condition_that_does_not_hold_goes_to_the_handler_at_once(crash):
    retry = "{retry: {when: $error.status >= 500, limit: {attempt: {count: 3}}}, do: [{h: {set: {handled: true}}}]}"
    world = World([Outcome(422)])
    assert drive(trying(retry), world=world, crash=crash).output == {"v": {"handled": True}}
    assert len(world.seen) == 1


def test_jitter_is_added_and_the_same_for_the_same_run(crash):
    retry = "{retry: {delay: {seconds: 1}, jitter: {from: {seconds: 1}, to: {seconds: 3}}, limit: {attempt: {count: 1}}}}"
    due = [
        interpreter.next_due(drive(trying(retry), world=World([Outcome(503)]), crash=crash, now=0.0).run)
        for _ in range(2)
    ]
    assert due[0] == due[1]
    assert 2.0 <= due[0] <= 4.0


def test_the_context_is_not_rolled_back_by_a_retry(crash):
    text = """
- t:
    try:
      - note: {set: '${ . }', export: {as: '{tries: (($context.tries // 0) + 1)}'}}
      - c: {call: http, with: {method: get, endpoint: 'https://x.example/'}}
    catch: {retry: {limit: {attempt: {count: 2}}}}
- end: {set: '${ $context }'}
"""
    world = World([Outcome(503), Outcome(503), Outcome(200, {}, {})])
    assert drive(text, world=world, crash=crash).output == {"tries": 3}


def test_then_of_the_catch_says_where_to_go_on(crash):
    text = f"- t:\n    try: [{{c: {CALL}}}]\n    catch: {{do: [{{h: {{set: {{h: 1}}}}}}], then: last}}\n- mid: {{set: {{m: 1}}}}\n- last: {{set: '${{ . + {{l: 1}} }}'}}"
    assert drive(text, world=World([Outcome(500)]), crash=crash).output == {"h": 1, "l": 1}


def test_a_timeout_raises_408_where_the_task_waits(crash):
    run = drive("- w: {wait: {hours: 1}, timeout: {after: {seconds: 5}}}", crash=crash, now=0.0)
    assert interpreter.next_due(run.run) == 5.0
    run.at(5.0)
    assert (run.status, run.error["status"], run.error["instance"]) == ("suspended", 408, "/do/0/w")


def test_a_timeout_on_a_try_spans_its_retries(crash):
    text = f"- t:\n    try: [{{c: {CALL}}}]\n    catch: {{retry: {{delay: {{seconds: 4}}, limit: {{attempt: {{count: 9}}}}}}}}\n    timeout: {{after: {{seconds: 10}}}}"
    world = World([Outcome(503)] * 9)
    run = drive(text, world=world, crash=crash, now=0.0)
    for at in (4.0, 8.0, 10.0):
        run.at(at)
    assert (len(world.seen), run.status, run.error["status"]) == (3, "suspended", 408)


def test_an_attempt_has_a_time_of_its_own(crash):
    text = """
- t:
    try: [{w: {wait: {minutes: 5}}}]
    catch: {retry: {limit: {attempt: {count: 1, duration: {seconds: 10}}}}, do: [{h: {set: {late: true}}}]}
"""
    run = drive(text, crash=crash, now=0.0)
    run.at(10.0)
    assert (run.status, interpreter.next_due(run.run)) == ("running", 20.0)
    run.at(20.0)
    assert run.output == {"late": True}


def test_a_workflow_timeout_holds_the_run(crash):
    text = "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}\ntimeout: {after: {seconds: 3}}\ndo: [{w: {wait: {seconds: 9}}}]"
    run = drive(text, crash=crash, now=0.0)
    run.at(3.0)
    assert (run.status, run.error["status"]) == ("suspended", 408)


def test_a_timeout_may_be_computed(crash):
    run = drive(
        "- w: {wait: {hours: 1}, timeout: {after: '${ {seconds: (.n + 2)} }'}}",
        {"n": 5},
        crash=crash,
        now=0.0,
    )
    assert interpreter.next_due(run.run) == 7.0


def test_wait_gives_its_input_and_fires_at_its_instant(crash):
    run = drive(
        "- w: {wait: {seconds: 30}}\n- a: {set: '${ . + {done: true} }'}", {"x": 1}, crash=crash, now=0.0
    )
    run.at(29.9)
    assert run.status == "running"
    run.at(30.0)
    assert run.output == {"x": 1, "done": True}


def test_an_error_that_nobody_catches_leaves_the_run_at_the_failed_step(crash):
    run = drive(
        f"- a: {{set: {{v: 1}}}}\n- c: {CALL}\n- z: {{set: {{z: 1}}}}",
        world=World([Outcome(422, {}, {"detail": "postcode missing"})]),
        crash=crash,
    )
    assert (run.status, run.error["instance"], run.error["detail"]) == (
        "suspended",
        "/do/1/c",
        "HTTP 422: postcode missing",
    )
    assert [fact.type for fact in run.facts] == ["portal.run.suspended"]
    assert run.steps[-1]["i"] == {"v": 1}


@pytest.mark.parametrize(
    ("mode", "value", "bodies", "output"),
    [
        ("retry", None, [{"v": 1}, {"v": 1}], {"ok": 1}),
        ("edit", {"v": 2}, [{"v": 1}, {"v": 2}], {"ok": 1}),
        ("skip", None, [{"v": 1}], {"v": 1}),
        ("complete", {"mine": 1}, [{"v": 1}], {"mine": 1}),
    ],
)
def test_a_person_sends_it_on_from_the_failed_step(crash, mode, value, bodies, output):
    world = World([Outcome(422), Outcome(200, {}, {"ok": 1})])
    run = drive(f"- a: {{set: {{v: 1}}}}\n- c: {CALL}\n- z: {{set: '${{ . }}'}}", world=world, crash=crash)
    operating.resume(run.run, mode, value, by="Jess", reason="because")
    interpreter.advance(run.run)
    run.settle()
    assert (run.status, run.output) == ("completed", output)
    assert [effect.request["body"] for effect in world.seen] == bodies
    assert run.order.count("a") == 1
    assert [fact.type for fact in run.facts] == ["portal.run.suspended", "portal.run.recovered"]
    resumed = next(step for step in run.steps if step["s"] == "resumed")
    assert (resumed["by"], resumed["why"], resumed["m"]) == ("Jess", "because", mode)


def test_after_a_definitive_answer_the_next_try_has_a_new_key_and_after_silence_the_same(crash):
    retry = "{retry: {limit: {attempt: {count: 3}}}}"
    world = World(
        [
            Outcome(503),
            Outcome(error="no answer", unknown=True),
            Outcome(error="no answer", unknown=True),
            Outcome(200),
        ]
    )
    run = drive(trying(retry), world=world, crash=crash)
    keys = [effect.key for effect in world.seen]
    assert run.status == "completed"
    assert keys[0] != keys[1]
    assert keys[1] == keys[2] == keys[3]


def test_when_the_output_cannot_be_used_the_repeat_keeps_the_key(crash):
    call = "{call: http, with: {method: post, endpoint: 'https://x.example/'}, output: {as: .a.b}}"
    world = World([Outcome(200, {}, {"a": 1}), Outcome(200, {}, {"a": {"b": 2}})])
    run = drive(f"- c: {call}", world=world, crash=crash)
    assert run.status == "suspended"
    operating.resume(run.run, "retry", None, by="x", reason="")
    interpreter.advance(run.run)
    run.settle()
    assert (run.output, world.seen[0].key) == (2, world.seen[1].key)


def test_an_unsafe_call_without_an_answer_is_an_unknown_outcome(crash):
    call = "{call: http, with: {method: post, endpoint: 'https://x.example/'}, metadata: {effect: unsafe}}"
    run = drive(f"- c: {call}", world=World([Outcome(error="gone", unknown=True)]), crash=crash)
    assert (run.status, run.error["title"], run.error["unknown"]) == ("suspended", "Unknown outcome", True)


def test_cancel_ends_the_run_where_it_is(crash):
    run = drive("- w: {wait: {hours: 1}}", crash=crash)
    operating.cancel(run.run, by="Jess")
    run.settle()
    assert (run.status, run.steps[-1]["s"], run.steps[-1]["by"]) == ("cancelled", "cancelled", "Jess")
