"""An approval from end to end: a run asks, a case opens, a person decides, the run goes on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from automations.engine import queries as engine
from automations.engine.actions import workflows
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.engine.models import Run, Subscription
from automations.inbox.actions import decide_case
from automations.inbox.enums import CaseState
from automations.inbox.errors import NotDecidable
from automations.inbox.models import Case
from kernel import clock
from kernel.actor import system

BY = system("test")
TEXT = """
document: {dsl: 1.0.3, namespace: t, name: refund, version: 1.0.0, metadata: {business: {key: .order}}}
do:
  - ask:
      call: humanTask:1@default
      with:
        title: ${ "Refund \\(.amount) for \\(.order)?" }
        amountMinor: ${ .amount }
        currency: EUR
        form: {type: object, required: [amount], properties: {amount: {type: integer, maximum: 5000}}}
  - done: {set: {outcome: '${ .outcome }', amount: '${ .value.amount }', by: '${ .by }'}}
"""


@pytest.fixture
def work(committed: Any) -> Iterator[Callable[[], int]]:
    found = Worker()
    yield lambda: found.run(seconds=8.0, idle=0.4)
    found.close()


@pytest.fixture
def asked(tenant: Any, work: Callable[[], int]) -> Case:
    definition = workflows.publish(document=read(TEXT), actor=BY, now=clock.now())
    workflow = workflows.deploy(
        name="refund",
        title="refund",
        definition=definition,
        config={},
        connections={},
        actor=BY,
        now=clock.now(),
    )
    workflows.start_run(workflow=workflow, given={"order": "A1", "amount": 4200}, actor=BY, now=clock.now())
    work()
    return Case.objects.get()


def test_a_person_approves_and_the_run_goes_on(asked, work):
    assert (asked.title, asked.kind, asked.value_minor, asked.business_key) == (
        "Refund 4200 for A1?",
        "approval",
        4200,
        "A1",
    )
    run = Run.objects.get()
    question = engine.question(run.id, asked.key)
    assert (run.status, question.ref, question.form["required"]) == ("waiting", "/do/0", ["amount"])
    assert [waiting.kind for waiting in engine.run_view(run.id).waiting] == ["person"]
    decide_case(case_id=asked.id, decision="resolve", value={"amount": 4000}, actor=BY, now=clock.now())
    work()
    view = engine.run_view(run.id)
    assert (view.status, view.output) == (
        "completed",
        {"outcome": "approved", "amount": 4000, "by": BY.label},
    )
    assert Subscription.objects.count() == 0
    assert engine.question(run.id, asked.key) is None


def test_a_person_declines_with_a_reason(asked, work):
    decide_case(case_id=asked.id, decision="dismiss", reason="not ours", actor=BY, now=clock.now())
    work()
    assert engine.run_view(asked.run_id).output["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("value", "field"), [(None, "value"), ({}, "value"), ({"amount": 9999}, "value.amount")]
)
def test_an_answer_that_does_not_fit_is_refused_and_the_case_stays_open(asked, value, field):
    with pytest.raises(NotDecidable) as refused:
        decide_case(case_id=asked.id, decision="resolve", value=value, actor=BY, now=clock.now())
    assert list(refused.value.fields) == [field]
    asked.refresh_from_db()
    assert asked.state == CaseState.OPEN


def test_a_run_that_is_cancelled_closes_its_case(asked, work):
    from automations.engine.actions import operate

    operate.cancel(run_id=asked.run_id, actor=BY, now=clock.now(), reason="not needed")
    work()
    asked.refresh_from_db()
    assert (asked.closed, asked.outcome) == (True, "withdrawn")
