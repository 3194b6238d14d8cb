"""Decision tables at work: in force from an instant on, asked by runs, kept with their tests and their audit."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from automations.engine import queries
from automations.engine.actions import operate, workflows
from automations.engine.actions.decisions import publish_table, withdraw_table
from automations.engine.dsl.document import read
from automations.engine.errors import TableInForce, TableRefused
from automations.engine.models import DecisionTable, DecisionVersion, Run
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden, Invalid
from tenants.audit.models import AuditEvent

BY = system("test")
TABLE: dict[str, Any] = {
    "inputs": ["amount"],
    "outputs": ["auto"],
    "rules": [{"when": ["<= 50"], "then": [True]}],
    "otherwise": {"auto": False},
    "tests": [{"input": {"amount": 50}, "expect": {"auto": True}}],
}
FLOW = """
document: {dsl: 1.0.3, namespace: t, name: refund, version: 1.0.0}
do: [{limit: {call: 'decide:1@default', with: {table: refund-limit, input: '${ . }'}}}]
"""


def limit(most: int) -> dict[str, Any]:
    found = copy.deepcopy(TABLE)
    found["rules"][0]["when"] = [f"<= {most}"]
    found["tests"][0]["input"] = {"amount": most}
    return found


def publish(most: int, **more: Any) -> DecisionVersion:
    values = {"name": "refund-limit", "title": "Refund limit", "actor": BY, "now": clock.now(), **more}
    return publish_table(document=limit(most), **values)


def ask(amount: Any) -> Any:
    definition = workflows.publish(document=read(FLOW), actor=BY, now=clock.now())
    workflow = workflows.deploy(
        name="refund",
        title="refund",
        definition=definition,
        config={},
        connections={},
        actor=BY,
        now=clock.now(),
    )
    return workflows.start_run(workflow=workflow, given={"amount": amount}, actor=BY, now=clock.now())


def test_a_run_asks_the_table_and_the_journal_says_which_rule_decided(committed, tenant, worker):
    publish(50)
    key = ask(40)
    worker()
    assert queries.run_view(key).output == {"auto": True}
    (step,) = queries.journal(key)
    assert step.decided == {"table": "refund-limit", "version": "1", "rule": "1"}


def test_a_version_counts_from_its_instant_on(committed, tenant, worker):
    publish(50)
    publish(80, effective_from=clock.now() + timedelta(seconds=2))
    early = ask(60)
    worker()
    assert queries.run_view(early).output == {"auto": False}
    DecisionVersion.objects.filter(number=2).update(effective_from=clock.now())  # Monday has come
    late = ask(60)
    worker()
    assert queries.run_view(late).output == {"auto": True}


def test_a_version_that_was_withdrawn_never_counts(committed, tenant, worker):
    publish(50)
    second = publish(80, effective_from=clock.now() + timedelta(milliseconds=300))
    withdraw_table(version=second, actor=BY, now=clock.now(), reason="too early")
    key = ask(60)
    worker(idle=0.6)
    again = ask(60)
    worker()
    assert [queries.run_view(one).output for one in (key, again)] == [{"auto": False}, {"auto": False}]


def test_what_is_in_force_cannot_be_withdrawn(tenant, now):
    version = publish(50, now=now)
    with pytest.raises(TableInForce):
        withdraw_table(version=version, actor=BY, now=now + timedelta(hours=1))


@pytest.mark.parametrize(("amount", "word"), [(None, "in force"), ("many", "cannot be compared")])
def test_without_an_answer_the_run_waits_and_goes_on_when_the_table_is_right(
    committed, tenant, worker, amount, word
):
    if amount is not None:
        publish(50)
    key = ask(amount or 40)
    worker()
    run = Run.objects.get(pk=key)
    assert (run.status, word in run.error["detail"]) == ("suspended", True)
    if amount is None:
        publish(50)
        operate.resume(run_id=key, mode="retry", actor=BY, now=clock.now())
    else:
        operate.resume(run_id=key, mode="edit", value={"amount": 10}, actor=BY, now=clock.now())
    worker()
    assert queries.run_view(key).output == {"auto": True}


def test_publishing_is_audited_with_what_was_in_force_before(tenant, now):
    publish(50, now=now)
    publish(80, now=now, effective_from=now + timedelta(days=3), reason="agreed with finance")
    event = AuditEvent.objects.filter(action="engine.publish_table").order_by("-id").first()
    assert event.reason == "agreed with finance"
    assert (event.before["document"]["rules"], event.after["document"]["rules"]) == (
        limit(50)["rules"],
        limit(80)["rules"],
    )


def test_the_same_again_is_the_same_version_and_nothing_is_changed_in_the_past(tenant, now):
    first = publish(50, now=now)
    assert publish(50, now=now).id == first.id
    assert publish(80, now=now + timedelta(seconds=1)).number == 2
    with pytest.raises(Invalid) as refused:
        publish(90, now=now, effective_from=now - timedelta(days=1))
    assert list(refused.value.fields) == ["effective_from"]


def test_a_table_whose_test_fails_is_not_published(tenant, now):
    document = limit(50)
    document["tests"][0]["expect"] = {"auto": False}
    with pytest.raises(TableRefused) as refused:
        publish_table(name="t", document=document, actor=BY, now=now)
    assert list(refused.value.fields) == ["/tests/0"]
    assert DecisionTable.objects.count() == 0


def test_who_may_not_operate_may_not_publish(tenant, now, cast):
    with pytest.raises(Forbidden):
        publish(50, now=now, actor=cast.actor(cast.analyst))
