"""humanTask: a case is asked for, the run parks, and the decision is its output."""

from typing import Any

import pytest

from automations.engine.errors import DefinitionRefused
from automations.engine.machine import operating
from automations.engine.machine.moves import correlation_key
from tests.support.driving import Driver, drive, program

pytestmark = pytest.mark.parametrize("crash", [False, True], ids=["straight", "crashing"])
TEXT = "- ok: {call: 'humanTask:1@default', with: {title: 'Refund ${ x }', severity: high%s}%s}\n- then: {set: '${ . + {on: true} }'}"
ASK = TEXT.replace("'Refund ${ x }'", "Refund 50")


def asked(more: str = "", task: str = "", **options: Any) -> Driver:
    run = drive(ASK % (more, task), {"order": "A1"}, **options)
    assert run.status == "running"
    return run


def decide(run: Driver, decision: str, *, key: str = "", at: float = 1_000_060.0, **more: Any) -> Driver:
    (no,) = run.opened
    data = {
        "key": key or run.facts[0].data["key"],
        "decision": decision,
        "by": "Jess",
        "reason": "fine",
        **more,
    }
    return run.event(no, "portal.case.decided", data, at=at, time="2026-01-01T00:00:00Z")


def test_a_case_is_asked_for_and_its_decision_is_listened_for(crash):
    run = asked(", key: refund, subject: A1", crash=crash)
    (fact,) = run.facts
    assert (fact.type, fact.subject) == ("portal.case.requested", "A1")
    assert fact.data["key"] == f"{run.run.id}:refund"
    assert {
        "title": "Refund 50",
        "severity": "high",
        "kind": "approval",
        "task": "/do/0/ok",
    }.items() <= fact.data.items()
    (wanted,) = run.opened.values()
    assert wanted.key == correlation_key("portal.case.decided", (".data.key",), [fact.data["key"]])


@pytest.mark.parametrize(("decision", "outcome"), [("resolve", "approved"), ("dismiss", "rejected")])
def test_the_decision_is_the_output(crash, decision, outcome):
    run = decide(asked(crash=crash), decision, value={"amount": 40})
    assert (run.status, run.order) == ("completed", ["ok", "then"])
    assert run.output == {
        "outcome": outcome,
        "by": "Jess",
        "reason": "fine",
        "value": {"amount": 40},
        "at": "2026-01-01T00:00:00Z",
        "on": True,
    }
    assert run.opened == {}


def test_what_decides_nothing_or_another_case_lets_it_wait(crash):
    run = asked(crash=crash)
    for decision in ("assign", "snooze", "reopen"):
        assert decide(run, decision, at=1_000_061.0).status == "running"
    assert decide(run, "resolve", key="other", at=1_000_062.0).status == "running"
    assert decide(run, "resolve", at=1_000_063.0).status == "completed"


def test_without_a_decision_in_time_the_case_is_withdrawn(crash):
    run = asked(task=", timeout: {after: PT1H}", crash=crash)
    run.at(1_000_000.0 + 3_601)
    assert (run.status, run.error["status"]) == ("suspended", 408)
    assert [(fact.type, fact.data.get("outcome")) for fact in run.facts][1] == (
        "portal.case.settled",
        "withdrawn",
    )
    assert run.facts[1].data["key"] == run.facts[0].data["key"]
    assert run.opened == {}


def test_a_cancelled_run_withdraws_what_it_asked(crash):
    run = asked(crash=crash)
    operating.cancel(run.run, by="Jess")
    assert [fact.type for fact in run.run.facts] == ["portal.case.settled", "portal.run.cancelled"]


def test_each_time_it_is_asked_is_a_case_of_its_own(crash):
    text = "- l: {for: {in: .items}, do: [{ok: {call: 'humanTask:1@default', with: {title: '${ $item }'}}}]}"
    run = drive(text, {"items": ["a", "b"]}, crash=crash)
    decide(run, "resolve")
    first, second = [fact.data["key"] for fact in run.facts]
    assert first != second
    decide(run, "resolve", key=second, at=1_000_070.0)
    assert run.status == "completed"


def test_a_form_is_a_schema(crash):
    program(ASK % (", form: {type: object, required: [amount]}", ""))
    with pytest.raises(DefinitionRefused) as refused:
        program(ASK % (", form: {type: nonsense}", ""))
    assert refused.value.findings[0].pointer == "/do/0/ok/with/form/document"
    with pytest.raises(DefinitionRefused, match="title"):
        program("- ok: {call: 'humanTask:1@default', with: {}}")
