"""Flows that start themselves come to an end, and a case names the limit and what it all began with."""

from typing import Any

from automations.engine.actions import stopping, workflows
from automations.engine.dsl.document import read
from automations.engine.dsl.limits import MAX_HOPS
from automations.engine.models import Run, Workflow
from automations.events.actions import publish
from automations.events.models import Event
from automations.inbox.models import Case
from kernel import clock
from kernel.actor import system

BY = system("test")


def flow(name: str, listens: str, *emits: str) -> Workflow:
    tasks = [
        {f"e{n}": {"emit": {"event": {"with": {"source": "/loop", "type": kind, "data": {"from": name}}}}}}
        for n, kind in enumerate(emits)
    ]
    document: dict[str, Any] = {
        "document": {"dsl": "1.0.3", "namespace": "test", "name": name, "version": "1.0.0"},
        "schedule": {"on": {"one": {"with": {"type": listens}}}},
        "do": tasks or [{"a": {"set": {"x": 1}}}],
    }
    import json

    definition = workflows.publish(document=read(json.dumps(document)), actor=BY, now=clock.now())
    return workflows.deploy(
        name=name, title=name, definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )


def happen(kind: str, subject: str = "A1") -> Event:
    return publish(type=kind, subject=subject, data={}, source="/outside", time=clock.now())


def only_case() -> Case:
    case = Case.objects.get()
    assert (case.state, case.severity) == ("open", "high")
    return case


def test_a_flow_that_starts_itself(committed, tenant, worker):
    flow("mill", "mill.turn", "mill.turn")
    first = happen("mill.turn")
    worker(seconds=20.0, idle=0.6)
    assert sorted(Run.objects.values_list("hops", flat=True)) == list(range(MAX_HOPS + 1))
    case = only_case()
    assert case.title == "“mill” was not started again"
    assert (
        f"It began with the event mill.turn A1 of {clock.rfc3339(first.received_at.replace(microsecond=0))}"
        in case.cause
    )
    assert first.public_id in case.cause
    assert (case.facts["limit"], case.facts["code"], case.facts["firstEvent"]) == (
        "hops",
        "limit_hops",
        first.public_id,
    )


def test_two_flows_that_start_each_other(committed, tenant, worker):
    flow("ping", "pong.done", "ping.done")
    flow("pong", "ping.done", "pong.done")
    first = happen("ping.done")
    worker(seconds=20.0, idle=0.6)
    assert Run.objects.count() == MAX_HOPS + 1
    assert only_case().facts["firstEvent"] == first.public_id


def test_what_doubles_with_each_turn_is_stopped_by_its_rate(committed, tenant, worker, monkeypatch):
    monkeypatch.setattr(stopping, "MAX_RATE", 40)
    flow("hydra", "head.off", "head.off", "head.off")
    happen("head.off")
    worker(seconds=30.0, idle=0.6)
    assert 1 + 2 + 4 + 8 < Run.objects.count() <= 1 + 2 + 4 + 8 + 40 + 64
    assert {case.facts["limit"] for case in Case.objects.all()} <= {"rate", "hops"}
    assert Case.objects.filter(facts__limit="rate").count() == 1


def test_one_event_starts_so_many_runs_and_no_more(committed, tenant, worker, monkeypatch):
    monkeypatch.setattr(stopping, "MAX_STARTS", 3)
    for number in range(5):
        flow(f"w{number}", "much.ado")
    happen("much.ado")
    worker()
    assert Run.objects.count() == 3
    assert {case.facts["limit"] for case in Case.objects.all()} == {"starts"}
    assert Case.objects.count() == 2
    happen("much.ado")
    worker()
    assert (Run.objects.count(), Case.objects.count()) == (6, 2)  # the same two cases, which count how often


def test_an_event_larger_than_a_value_may_be_starts_nothing(committed, tenant, worker, monkeypatch):
    from automations.engine.actions import intake
    from automations.engine.errors import LimitReached

    def refuse(_value: Any) -> Any:
        raise LimitReached("value", "too large")

    flow("quiet", "big.one")
    monkeypatch.setattr(intake, "lighten", refuse)
    happen("big.one")
    worker()
    assert Run.objects.count() == 0
    assert only_case().facts["limit"] == "value"
