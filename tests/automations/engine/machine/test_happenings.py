"""Events: emit, listen with correlation, until and foreach (L1 to L10), and what came first."""

import pytest

from automations.engine.machine import interpreter, operating
from automations.engine.machine.moves import correlation_key
from automations.engine.machine.waking import Arrival
from tests.support.driving import drive

pytestmark = pytest.mark.parametrize("crash", [False, True], ids=["straight", "crashing"])


def event(kind: str, at: float, no: int = 0, data=None, **more) -> Arrival:
    key = more.pop("key", f"{kind}-{at}-{no}")
    return Arrival(no, key, at, {"id": key, "source": "/t", "type": kind, "data": data, **more})


def test_emit_publishes_and_gives_the_event(crash):
    run = drive(
        "- e: {emit: {event: {with: {type: a.b, subject: '${ .id }', data: {x: '${ .v }'}}}}}",
        {"id": "7", "v": 1},
        crash=crash,
    )
    assert {key: run.output[key] for key in ("type", "subject", "data", "specversion")} == {
        "type": "a.b",
        "subject": "7",
        "data": {"x": 1},
        "specversion": "1.0",
    }
    assert (run.facts[0].id, run.facts[0].type, run.facts[0].data) == (run.output["id"], "a.b", {"x": 1})


def test_listen_to_one_gives_an_array(crash):
    run = drive("- l: {listen: {to: {one: {with: {type: a}}}}}", crash=crash)
    assert (run.status, list(run.opened)) == ("running", [0])
    run.event(0, "a", {"v": 1})
    assert (run.output, run.opened) == ([{"v": 1}], {})


def test_read_envelope_gives_the_whole_event(crash):
    run = drive("- l: {listen: {to: {one: {with: {type: a}}}, read: envelope}}", crash=crash)
    run.event(0, "a", {"v": 1}, subject="s")
    assert (run.output[0]["type"], run.output[0]["subject"], run.output[0]["data"]) == ("a", "s", {"v": 1})


def test_any_takes_the_first_and_all_takes_one_of_each_in_order_of_arrival(crash):
    run = drive("- l: {listen: {to: {any: [{with: {type: a}}, {with: {type: b}}]}}}", crash=crash)
    run.event(1, "b", 2)
    assert run.output == [2]
    run = drive("- l: {listen: {to: {all: [{with: {type: a}}, {with: {type: b}}]}}}", crash=crash)
    run.event(1, "b", 2)
    run.event(1, "b", 3)
    assert run.status == "running"
    run.event(0, "a", 1)
    assert run.output == [2, 1]


def test_until_is_looked_at_after_each_event(crash):
    run = drive("- l: {listen: {to: {any: [{with: {type: a}}], until: '(map(.n) | add) >= 3'}}}", crash=crash)
    for at, n in enumerate((1, 1, 1)):
        assert run.status == "running"
        run.event(0, "a", {"n": n}, at=1_000_000.0 + at)
    assert run.output == [{"n": 1}] * 3


def test_until_an_event_comes_which_is_not_part_of_the_output(crash):
    run = drive(
        "- l: {listen: {to: {any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}}}", crash=crash
    )
    run.event(0, "a", 1)
    run.event(1, "stop", 9)
    assert run.output == [1]


def test_foreach_runs_its_list_on_each_event_and_gathers_what_it_gives(crash):
    text = """
- l:
    listen: {to: {any: [{with: {type: a}}], until: 'length >= 2'}}
    foreach: {item: order, at: n, do: [{d: {set: '${ {twice: ($order.v * 2), at: $n} }'}}]}
"""
    run = drive(text, crash=crash)
    run.event(0, "a", {"v": 1}, at=1_000_001.0)
    run.event(0, "a", {"v": 5}, at=1_000_002.0)
    assert run.output == [{"twice": 2, "at": 0}, {"twice": 10, "at": 1}]


def test_correlation_is_by_key_and_only_the_right_event_is_taken(crash):
    text = "- l: {listen: {to: {one: {with: {type: a}, correlate: {order: {from: .subject, expect: .id}}}}}}"
    run = drive(text, {"id": "7"}, crash=crash)
    assert run.opened[0].key == correlation_key("a", [".subject"], ["7"])
    run.event(0, "a", 1, subject="8")
    assert run.status == "running"
    run.event(0, "a", 2, subject="7", at=1_000_001.0)
    assert run.output == [2]


def test_without_expect_the_first_value_is_what_the_others_must_have(crash):
    text = "- l: {listen: {to: {all: [{with: {type: a}, correlate: {k: {from: .subject}}}, {with: {type: b}, correlate: {k: {from: .subject}}}]}}}"
    run = drive(text, crash=crash)
    run.event(0, "a", 1, subject="x")
    run.event(1, "b", 2, subject="y", at=1_000_001.0)
    assert run.status == "running"
    run.event(1, "b", 3, subject="x", at=1_000_002.0)
    assert run.output == [1, 3]


def test_attributes_are_compared_as_they_stand_or_by_a_pattern(crash):
    text = "- l: {listen: {to: {one: {with: {type: a, source: '^/shops/[a-z]+$'}}}}}"
    run = drive(text, crash=crash)
    run.event(0, "a", 1, source="/erp/1")
    run.event(0, "a", 2, source="/shops/berlin", at=1_000_001.0)
    assert run.output == [2]


def test_a_data_filter_is_a_predicate_or_a_value(crash):
    run = drive("- l: {listen: {to: {one: {with: {type: a, data: '${ .v > 5 }'}}}}}", crash=crash)
    run.event(0, "a", {"v": 1})
    run.event(0, "a", {"v": 9}, at=1_000_001.0)
    assert run.output == [{"v": 9}]


def test_an_event_that_came_before_the_timeout_wins_however_late_it_is_looked_at(crash):
    text = "- l: {listen: {to: {one: {with: {type: a}}}}, timeout: {after: {seconds: 10}}}"
    run = drive(text, crash=crash, now=0.0)
    run.at(500.0, event("a", 9.0))
    assert run.status == "completed"
    run = drive(text, crash=crash, now=0.0)
    run.at(500.0, event("a", 11.0))
    assert (run.status, run.error["status"]) == ("suspended", 408)


def test_an_event_at_the_very_instant_of_the_timeout_is_in_time(crash):
    run = drive(
        "- l: {listen: {to: {one: {with: {type: a}}}}, timeout: {after: {seconds: 10}}}", crash=crash, now=0.0
    )
    run.at(10.0, event("a", 10.0))
    assert run.status == "completed"


def test_timers_and_events_happen_in_their_order_in_one_go(crash):
    text = """
- t:
    try: [{l: {listen: {to: {one: {with: {type: a}}}}, timeout: {after: {seconds: 10}}}}]
    catch:
      do:
        - open: {call: 'case.open:1@default', with: {kind: late, title: Late, key: k}}
        - wait: {listen: {to: {one: {with: {type: a}}}}}
        - close: {call: 'case.close:1@default', with: {key: k}}
"""
    run = drive(text, crash=crash, now=0.0)
    run.at(500.0, event("a", 30.0, 0), event("a", 30.0, 1))
    assert run.status == "completed"
    assert [(fact.type, fact.time) for fact in run.facts] == [
        ("portal.case.requested", 10.0),
        ("portal.case.settled", 30.0),
    ]


def test_an_event_is_taken_once_by_a_run(crash):
    text = "- a: {listen: {to: {one: {with: {type: a}}}}}\n- b: {listen: {to: {one: {with: {type: a}}}}}"
    run = drive(text, crash=crash, now=0.0)
    run.at(1.0, event("a", 1.0, 0, key="same"))
    run.at(2.0, event("a", 1.0, 1, key="same"))
    assert run.status == "running"
    run.at(3.0, event("a", 3.0, 1))
    assert run.status == "completed"


def test_events_for_a_busy_foreach_wait_their_turn(crash):
    text = """
- l:
    listen: {to: {any: [{with: {type: a}}], until: 'length >= 2'}}
    foreach: {do: [{w: {wait: {seconds: 10}}}]}
"""
    run = drive(text, crash=crash, now=0.0)
    run.at(
        1.0,
        event("a", 1.0, data=1),
    )
    from automations.engine.machine.waking import wake

    done, left = wake(run.run, [event("a", 2.0, data=2)], 2.0, virtual=True)
    assert (done, [arrival.at for arrival in left]) == ([], [2.0])
    assert interpreter.next_due(run.run) == 11.0
    run.at(30.0, *left)
    assert run.output == [1, 2]


def test_fork_joins_in_the_order_of_declaration(crash):
    text = "- f: {fork: {branches: [{a: {wait: {seconds: 9}}}, {b: {set: {b: 1}}}]}}"
    run = drive(text, {"in": 1}, crash=crash, now=0.0)
    run.at(9.0)
    assert run.output == [{"in": 1}, {"b": 1}]


def test_compete_keeps_the_first_that_completes(crash):
    text = "- f: {fork: {compete: true, branches: [{a: {wait: {seconds: 9}}}, {b: {wait: {seconds: 3}}}]}}\n- z: {set: '${ {won: .} }'}"
    run = drive(text, {"in": 1}, crash=crash, now=0.0)
    run.at(3.0)
    assert (run.output, len(run.run.strands)) == ({"won": {"in": 1}}, 0)


def test_compete_fails_only_when_all_fail(crash):
    text = """
- f:
    fork:
      compete: true
      branches:
        - a: {raise: {error: {type: 'https://x/e', status: 500}}}
        - b: {wait: {seconds: 3}}
"""
    run = drive(text, {"in": 1}, crash=crash, now=0.0)
    assert run.status == "running"
    run.at(3.0)
    assert run.output == {"in": 1}


def test_a_branch_that_fails_cancels_the_others_and_its_error_can_be_caught(crash):
    text = """
- t:
    try:
      - f: {fork: {branches: [{a: {listen: {to: {one: {with: {type: x}}}}}}, {b: {raise: {error: {type: 'https://x/e', status: 500}}}}]}}
    catch: {do: [{h: {set: {caught: '${ $error.instance }'}}}]}
"""
    run = drive(text, crash=crash)
    assert run.output == {"caught": "/do/0/t/try/0/f/fork/branches/1/0/b"}
    assert run.opened == {}


def test_a_branch_that_fails_uncaught_holds_the_run_at_that_branch(crash):
    text = "- f: {fork: {branches: [{a: {set: {a: 1}}}, {b: {raise: {error: {type: 'https://x/e', status: 500}}}}]}}"
    run = drive(text, crash=crash)
    assert (run.status, run.error["instance"]) == ("suspended", "/do/0/f/fork/branches/1/0/b")
    operating.resume(run.run, "complete", {"b": 2}, by="x", reason="")
    interpreter.advance(run.run)
    run.settle()
    assert run.output == [{"a": 1}, {"b": 2}]


def test_branches_have_a_context_of_their_own_which_is_merged_at_the_join(crash):
    text = """
- c: {set: {x: 0}, export: {as: '{base: 1}'}}
- f:
    fork:
      branches:
        - a: {set: '${ $context }', export: {as: '$context + {a: 1, both: "a"}'}}
        - b: {set: '${ $context }', export: {as: '$context + {b: 1, both: "b"}'}}
- z: {set: '${ $context }'}
"""
    run = drive(text, crash=crash)
    assert run.output == {"base": 1, "a": 1, "b": 1, "both": "b"}


def test_end_inside_a_branch_ends_the_run(crash):
    text = "- f: {fork: {branches: [{a: {wait: {hours: 1}}}, {b: {do: [{x: {set: {done: true}, then: end}}]}}]}}\n- z: {set: {no: 1}}"
    run = drive(text, crash=crash)
    assert (run.status, run.output) == ("completed", {"done": True})
