"""Runs that runs start: another workflow, and `map`, which starts one for each item; on a real database."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from automations.engine import queries
from automations.engine.actions import operate, workflows
from automations.engine.actions.rehearse import rehearse
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.engine.enums import RunStatus
from automations.engine.errors import DefinitionRefused
from automations.engine.models import Brood, Run, Workflow
from automations.events.models import Event
from automations.ledger.models import QueueRow
from kernel import clock
from kernel.actor import system
from kernel.errors import Invalid
from tests.support.driving import program

BY = system("test")
HEAD = "document: {dsl: 1.0.3, namespace: test, name: %s, version: %s, metadata: {business: {key: .order}}}\n"


def publish(name: str, text: str, version: str = "1.0.0") -> Any:
    return workflows.publish(document=read(HEAD % (name, version) + text), actor=BY, now=clock.now())


def deploy(name: str, text: str, **more: Any) -> Workflow:
    values: dict[str, Any] = {"config": {}, "connections": {}, **more}
    definition = publish(name, text)
    return workflows.deploy(name=name, title=name, definition=definition, actor=BY, now=clock.now(), **values)


def start(workflow: Workflow, given: Any = None) -> Any:
    return workflows.start_run(workflow=workflow, given=given, actor=BY, now=clock.now())


def output(key: Any) -> Any:
    view = queries.run_view(key)
    assert view.status == "completed", view.error
    return view.output


def members(key: Any) -> Any:
    return Run.objects.filter(parent_id=key).order_by("position")


CHILD = "do: [{a: {set: {twice: '${ .n * 2 }', limit: '${ $runtime.metadata.config.limit }'}}}]"
PARENT = (
    "do: [{sub: {run: {workflow: {namespace: test, name: child, version: 1.0.0, input: {n: '${ .n }'}}}}}]"
)


def test_a_workflow_runs_another_and_goes_on_with_what_it_gives(committed, tenant, worker):
    deploy("child", CHILD, config={"limit": 7})
    key = start(deploy("parent", PARENT), {"n": 4, "order": "A1"})
    worker()
    assert output(key) == {"twice": 8, "limit": 7}
    (child,) = members(key)
    assert (child.cause, child.business_key, child.hops, child.status) == ("parent", "A1", 1, "completed")
    assert (QueueRow.objects.count(), Brood.objects.count()) == (0, 0)


def test_a_child_without_settings_of_its_own_takes_its_parents(committed, tenant, worker):
    publish("child", CHILD)
    key = start(deploy("parent", PARENT, config={"limit": 3}), {"n": 1})
    worker()
    assert output(key) == {"twice": 2, "limit": 3}


def test_what_a_child_borrows_must_be_chosen(tenant):
    publish(
        "child",
        "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
        "do: [{a: {call: http, with: {method: get, endpoint: {uri: /x, authentication: {use: erp}}}}}]",
    )
    with pytest.raises(Invalid) as refused:
        deploy("parent", PARENT)
    assert list(refused.value.fields) == ["connections.erp"]


def test_without_await_nobody_waits_and_the_output_is_the_input(committed, tenant, worker):
    publish("child", "do: [{w: {wait: PT1H}}]")
    text = PARENT.replace("run: {", "run: {await: false, ")
    key = start(deploy("parent", text), {"n": 4})
    worker()
    assert output(key) == {"n": 4}
    assert members(key).get().status == "waiting"


def test_a_child_that_waits_for_a_person_holds_its_parent_until_it_is_sent_on(committed, tenant, worker):
    publish("child", "do: [{a: {set: {v: '${ .n | error }'}}}]")
    key = start(deploy("parent", PARENT), {"n": "bad"})
    worker()
    child = members(key).get()
    assert (child.status, Run.objects.get(pk=key).status) == ("suspended", "waiting")
    operate.resume(run_id=child.id, mode="complete", value={"v": 1}, actor=BY, now=clock.now())
    worker()
    assert output(key) == {"v": 1}


def test_the_error_of_a_child_reaches_its_parent(committed, tenant, worker):
    publish("child", "input: {schema: {document: {required: [m]}}}\ndo: [{a: {set: {x: 1}}}]")
    text = (
        "do: [{t: {try: [{sub: {run: {workflow: {namespace: test, name: child, version: 1.0.0}}}}],"
        " catch: {as: e, do: [{h: {set: {kind: '${ $e.type }', at: '${ $e.instance }'}}}]}}}]"
    )
    key = start(deploy("parent", text), {})
    worker()
    assert output(key)["kind"].endswith("/validation")
    assert output(key)["at"] == "/do/0/t/try/0/sub"


def test_cancelling_a_run_cancels_what_it_started(committed, tenant, worker):
    publish("grandchild", "do: [{w: {wait: PT1H}}]")
    publish("child", "do: [{sub: {run: {workflow: {namespace: test, name: grandchild, version: 1.0.0}}}}]")
    key = start(deploy("parent", PARENT), {"n": 1})
    worker()
    assert {run.status for run in Run.objects.all()} == {"waiting"}
    operate.cancel(run_id=key, actor=BY, now=clock.now(), reason="not needed")
    worker()
    assert {run.status for run in Run.objects.all()} == {"cancelled"}
    assert Run.objects.count() == 3
    assert (QueueRow.objects.count(), Brood.objects.count()) == (0, 0)


def test_cancelling_a_child_is_an_error_of_its_parent(committed, tenant, worker):
    publish("child", "do: [{w: {wait: PT1H}}]")
    key = start(deploy("parent", PARENT), {"n": 1})
    worker()
    operate.cancel(run_id=members(key).get().id, actor=BY, now=clock.now(), reason="wrong")
    worker()
    run = Run.objects.get(pk=key)
    assert (run.status, "cancelled" in run.error["detail"]) == ("suspended", True)


def test_a_timeout_drops_what_was_started(committed, tenant, worker):
    publish("child", "do: [{w: {wait: PT1H}}]")
    text = PARENT.replace("{sub: {", "{sub: {timeout: {after: {milliseconds: 200}}, ")
    key = start(deploy("parent", text), {"n": 1})
    worker(idle=1.0)
    assert Run.objects.get(pk=key).error["status"] == 408
    assert members(key).get().status == "cancelled"


@pytest.mark.parametrize(
    ("text", "rule"),
    [(PARENT, "unknown-workflow"), (PARENT.replace("child", "parent"), "recursion")],
)
def test_a_workflow_that_does_not_exist_cannot_be_run(tenant, text, rule):
    with pytest.raises(DefinitionRefused) as refused:
        publish("parent", text)
    assert [one.rule for one in refused.value.findings] == [rule]


def test_workflows_run_workflows_eight_deep_and_no_deeper(tenant):
    publish("w1", "do: [{a: {set: {x: 1}}}]")
    chain = "do: [{sub: {run: {workflow: {namespace: test, name: w%d, version: 1.0.0}}}}]"
    for level in range(2, 9):
        publish(f"w{level}", chain % (level - 1))
    with pytest.raises(DefinitionRefused) as refused:
        publish("w9", chain % 8)
    assert refused.value.findings[0].rule == "limit"


MAP = """
do:
  - lines:
      call: map:1@default
      with:
        in: .lines
        each: line
        concurrency: 25
        do:
          - check: {if: '$line.bad', raise: {error: {type: 'https://shop.example/bad', status: 422, title: Bad line}}}
          - keep: {set: {sku: '${ $line.sku }', place: '${ $index }', order: '${ $context.order }'}}
"""


def lines(count: int, bad: Any = ()) -> dict[str, Any]:
    return {"order": "A1", "lines": [{"sku": f"S{n}", "bad": n in bad} for n in range(count)]}


def test_a_map_gives_the_outputs_in_the_order_of_the_items(committed, tenant, worker):
    text = MAP.replace(
        "do:\n  - lines", "do:\n  - first: {set: '${ . }', export: {as: '{order: .order}'}}\n  - lines", 1
    )
    key = start(deploy("map", text), lines(60))
    worker()
    assert output(key) == [{"sku": f"S{n}", "place": n, "order": "A1"} for n in range(60)]
    assert members(key).filter(status="completed").count() == 60
    assert (QueueRow.objects.count(), Brood.objects.count()) == (0, 0)
    (step,) = [step for step in queries.journal(key) if step.name == "lines"]
    assert step.status == "completed"


def test_of_five_hundred_seven_fail_and_going_on_does_those_seven(committed, tenant, worker):
    bad = {3, 40, 41, 99, 250, 251, 499}
    key = start(deploy("map", MAP), lines(500, bad))
    worker(seconds=30)
    assert members(key).filter(status="completed").count() == 493
    held = list(members(key).filter(status="suspended"))
    assert {run.position for run in held} == bad
    assert Run.objects.get(pk=key).status == "waiting"
    told = Event.objects.filter(type="portal.run.suspended")
    assert {event.data["runId"] for event in told} == {str(run.id) for run in held}
    ended = dict(members(key).filter(status="completed").values_list("id", "ended_at"))
    for run in held:
        fixed = {"sku": f"S{run.position}", "bad": False}
        operate.resume(
            run_id=run.id,
            mode="skip" if run.position == 3 else "complete",
            value=fixed,
            actor=BY,
            now=clock.now(),
        )
    worker()
    assert len(output(key)) == 500
    assert output(key)[40] == {"sku": "S40", "place": 40, "order": None}
    assert dict(members(key).filter(id__in=ended).values_list("id", "ended_at")) == ended


def test_items_that_fail_make_room_for_others(committed, tenant, worker):
    key = start(deploy("map", MAP.replace("25", "2")), lines(9, {0, 1, 2, 3}))
    worker()
    assert [run.status for run in members(key)] == ["suspended"] * 4 + ["completed"] * 5


def test_no_more_than_the_cap_move_at_a_time(committed, tenant, worker):
    text = MAP.replace("- check:", "- pause: {wait: PT1H}\n          - check:").replace("25", "4")
    key = start(deploy("map", text), lines(11))
    worker()
    assert [run.status for run in members(key)] == ["waiting"] * 4 + ["pending"] * 7
    operate.cancel(run_id=members(key)[0].id, actor=BY, now=clock.now(), reason="one less")
    worker()
    assert [run.status for run in members(key)] == ["cancelled"] + ["waiting"] * 4 + ["pending"] * 6


def test_errors_may_be_collected_instead(committed, tenant, worker):
    key = start(
        deploy("map", MAP.replace("each: line", "each: line\n        failures: collect")), lines(3, {1})
    )
    worker()
    found = output(key)
    assert (found[0]["sku"], found[1]["error"]["status"], found[2]["sku"]) == ("S0", 422, "S2")
    assert not Event.objects.filter(type="portal.run.suspended").exists()


QUORUM = """
do:
  - ask:
      call: map:1@default
      with:
        in: .carriers
        each: carrier
        enough: %d
        failures: collect
        do:
          - slow: {if: '$carrier.slow', wait: PT1H}
          - fails: {if: '$carrier.bad', raise: {error: {type: 'https://shop.example/bad', status: 422}}}
          - offer: {set: {from: '${ $carrier.name }'}}
"""


def carriers(**kinds: str) -> dict[str, Any]:
    return {"carriers": [{"name": name, kind: True} for name, kind in kinds.items()]}


def test_enough_that_succeed_end_the_step_and_the_others_are_cancelled(committed, tenant, worker):
    key = start(deploy("map", QUORUM % 2), carriers(a="slow", b="ok", c="bad", d="ok", e="slow"))
    worker(idle=1.0)
    assert output(key) == [{"from": "b"}, {"from": "d"}]
    assert [run.status for run in members(key)] == [
        "cancelled",
        "completed",
        "faulted",
        "completed",
        "cancelled",
    ]
    assert (QueueRow.objects.count(), Brood.objects.count()) == (0, 0)


def test_the_first_that_succeeds_is_enough_even_while_others_wait_for_a_person(committed, tenant, worker):
    text = (QUORUM % 1).replace("        failures: collect\n", "")
    key = start(deploy("map", text), carriers(a="bad", b="slow", c="ok"))
    worker(idle=1.0)
    assert output(key) == [{"from": "c"}]
    assert [run.status for run in members(key)] == ["cancelled", "cancelled", "completed"]


@pytest.mark.parametrize(
    ("wanted", "kinds", "said"),
    [
        (2, {"a": "ok", "b": "bad", "c": "bad"}, "2 of 3 items must succeed; 1 did."),
        (3, {"a": "ok"}, "3 items must succeed, and `in` gives 1 of them."),
    ],
)
def test_where_enough_cannot_succeed_the_step_fails(committed, tenant, worker, wanted, kinds, said):
    key = start(deploy("map", QUORUM % wanted), carriers(**kinds))
    worker(idle=1.0)
    run = Run.objects.get(pk=key)
    assert (run.status, run.error["detail"]) == ("suspended", said)


def test_an_item_that_somebody_cancels_gives_nothing(committed, tenant, worker):
    key = start(deploy("map", MAP), lines(3, {1}))
    worker()
    operate.cancel(run_id=members(key)[1].id, actor=BY, now=clock.now(), reason="not wanted")
    worker()
    assert [entry and entry["sku"] for entry in output(key)] == ["S0", None, "S2"]


def test_nothing_to_map_is_an_empty_array(committed, tenant, worker):
    key = start(deploy("map", MAP), {"lines": []})
    worker()
    assert output(key) == []


def test_items_may_have_items(committed, tenant, worker):
    text = """
do:
  - orders:
      call: map:1@default
      with:
        in: .orders
        each: order
        do:
          - lines:
              call: map:1@default
              with: {in: $order.lines, each: line, do: [{a: {set: '${ "\\($order.id)-\\($line)" }'}}]}
"""
    key = start(deploy("nested", text), {"orders": [{"id": 1, "lines": [1, 2]}, {"id": 2, "lines": [3]}]})
    worker()
    assert output(key) == [["1-1", "1-2"], ["2-3"]]


def test_a_map_step_that_fails_afterwards_finds_its_items_again(committed, tenant, worker):
    text = MAP.replace("      call: map", "      output: {as: 'error(\"no\")'}\n      call: map")
    key = start(deploy("map", text), lines(5))
    worker()
    assert Run.objects.get(pk=key).status == RunStatus.SUSPENDED
    assert members(key).filter(status="completed").count() == 5
    operate.resume(run_id=key, mode="retry", actor=BY, now=clock.now())
    worker()
    assert (Run.objects.get(pk=key).status, members(key).count()) == (RunStatus.SUSPENDED, 5)


def test_pages_tell_items_from_runs_that_somebody_started(committed, tenant, worker):
    workflow = deploy("map", MAP)
    key = start(workflow, lines(6, {2}))
    worker()
    assert queries.member_counts(key) == {"completed": 5, "suspended": 1}
    assert [run.position for run in queries.members(key)] == list(range(6))
    assert [run.id for run in queries.runs(items=False)] == [key]
    assert queries.runs().count() == 7
    assert {kind: n for kind, n in queries.status_counts().items() if n} == {"waiting": 1, "suspended": 1}
    (figures,) = queries.workflow_figures(clock.now() - timedelta(days=1))
    assert (figures.total, figures.completed, figures.suspended, figures.waiting) == (1, 0, 1, 1)
    assert [waiting.kind for waiting in queries.run_view(key).waiting] == ["runs"]
    assert queries.run_view(members(key)[2].id).parent_id == key


def test_a_rehearsal_plays_items_and_tells_which_workflows_would_run():
    made = program(f"{HEAD % ('m', '1.0.0')}{MAP}")
    seen = rehearse(made, given=lines(3), started_at=0.0, until=60.0)
    assert (seen.status, [entry["sku"] for entry in seen.output]) == ("completed", ["S0", "S1", "S2"])
    held = rehearse(made, given=lines(3, {1}), started_at=0.0, until=60.0)
    assert (held.status, held.error["status"]) == ("suspended", 422)
    other = rehearse(program(f"{HEAD % ('p', '1.0.0')}{PARENT}"), given={"n": 2}, started_at=0.0, until=60.0)
    assert (other.status, other.calls[0]["workflow"], other.calls[0]["input"]) == (
        "completed",
        "child",
        {"n": 2},
    )


def test_workers_side_by_side_share_many_maps_and_each_item_runs_once(committed, tenant):
    workflow = deploy("map", MAP.replace("25", "7"))
    keys = [start(workflow, lines(25)) for _ in range(16)]
    workers = [Worker() for _ in range(3)]

    def work(one: Worker) -> None:
        try:
            one.run(seconds=60, idle=2.0)
        finally:
            one.close()
            connections.close_all()

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(output(key)) for key in keys} == {25}
    assert Run.objects.exclude(tasks="").filter(status="completed").count() == 16 * 25
    assert sum(len(queries.journal(run.id)) for run in members(keys[0])) == 50  # each did its two steps once
    assert (QueueRow.objects.count(), Brood.objects.count()) == (0, 0)
