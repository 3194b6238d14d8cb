"""Runs that stand still go on by another version, where every place that they are in is there, too."""

from typing import Any

import pytest

from automations.engine import queries
from automations.engine.actions import migrating, operate, redriving, workflows
from automations.engine.dsl.document import read
from automations.engine.enums import ItemState
from automations.engine.errors import CannotMigrate, RunOver
from automations.engine.models import Definition, Run, Workflow
from automations.engine.queries import RunFilter
from automations.events.actions import publish
from automations.events.models import Event
from automations.ledger.models import QueueRow
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden
from tenants.audit.models import AuditEvent
from tests.support import make

BY = system("test")
HEAD = """
document: {dsl: 1.0.3, namespace: test, name: flow, version: %s, metadata: {business: {key: '.[0].subject'}}}
schedule: {on: {one: {with: {type: order.placed}}}, read: envelope}
"""
LISTEN = "{listen: {to: {one: {with: {type: order.approved}, correlate: {o: {from: .subject, expect: '.[0].subject'}}}}}, output: {as: $input}}"
OLD = f"do: [{{a: {{set: '${{ . }}'}}}}, {{l: {LISTEN}}}, {{end: {{set: {{by: old}}}}}}]"
NEW = f"do: [{{before: {{set: '${{ . }}'}}}}, {{a: {{set: '${{ . }}'}}}}, {{l: {LISTEN}}}, {{end: {{set: {{by: new}}}}}}]"
FAILS = "do: [{block: {do: [{x: {set: '${ error(\"%s\") }'}}]}}, {end: {set: {by: %s}}}]"


def version(number: str, tasks: str) -> Workflow:
    definition = workflows.publish(document=read(HEAD % number + tasks), actor=BY, now=clock.now())
    return workflows.deploy(
        name="flow", title="Flow", definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )


def tell(kind: str, key: str) -> None:
    data = make.order(order_id=key, number=key) if kind == "order.placed" else {"order_id": key}
    publish(type=kind, subject=key, data=data, source="/shop", time=clock.now())


def move(run: Run, definition: Definition, **more: Any) -> None:
    migrating.migrate(
        run_id=run.id, definition=definition, actor=more.pop("actor", BY), now=clock.now(), **more
    )


def test_a_run_that_waits_goes_on_by_the_new_version_though_a_step_was_put_in_before(
    committed, tenant, worker
):
    version("1.0.0", OLD)
    tell("order.placed", "10045")
    worker()
    workflow = version("1.1.0", NEW)
    run = Run.objects.get()
    assert (run.status, run.step) == ("waiting", "/do/1/l")
    move(run, workflow.definition, reason="the end was wrong")
    run.refresh_from_db()
    assert (run.status, run.step, run.definition_id) == ("waiting", "/do/2/l", workflow.definition_id)
    assert QueueRow.objects.values_list("definition_id", flat=True).get() == workflow.definition_id
    tell("order.approved", "10045")
    worker()
    view = queries.run_view(run.id)
    assert (view.status, view.output) == ("completed", {"by": "new"})
    line = next(step for step in queries.journal(run.id) if step.status == "migrated")
    assert (line.mode, line.before, line.by, line.reason) == ("1.1.0", "1.0.0", "test", "the end was wrong")
    trail = AuditEvent.objects.get(action="engine.migrate")
    assert (trail.before["version"], trail.after["version"], trail.reason) == (
        "1.0.0",
        "1.1.0",
        "the end was wrong",
    )


def test_a_run_that_waits_for_review_goes_on_by_the_version_in_which_the_step_is_mended(
    committed, tenant, worker
):
    version("1.0.0", FAILS % ("broken", "old"))
    tell("order.placed", "10045")
    worker()
    mended = "do: [{new: {set: '${ . }'}}, {block: {do: [{x: {set: {ok: true}}}]}}, {end: {set: {by: new}}}]"
    workflow = version("1.1.0", mended)
    run = Run.objects.get()
    move(run, workflow.definition)
    run.refresh_from_db()
    assert (run.status, run.error["instance"]) == ("suspended", "/do/1/block/do/0/x")
    facts = Event.objects.filter(type__startswith="portal.run.").order_by("received_at", "id")
    assert [(fact.type, fact.data["task"]) for fact in facts] == [
        ("portal.run.suspended", "/do/0/block/do/0/x"),
        ("portal.run.recovered", "/do/0/block/do/0/x"),
        ("portal.run.suspended", "/do/1/block/do/0/x"),
    ]
    operate.resume(run_id=run.id, mode="retry", actor=BY, now=clock.now())
    worker()
    assert queries.run_view(run.id).output == {"by": "new"}


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ("do: [{a: {set: {x: 1}}}]", "no step “l”"),
        ("do: [{l: {set: {x: 1}}}]", "of another kind"),
        ("do: [{l: {listen: {to: {one: {with: {type: order.cancelled}}}}}}]", "other events"),
    ],
)
def test_what_is_not_there_any_more_is_refused_with_the_reason_and_nothing_changes(
    committed, tenant, worker, tasks, why
):
    old = version("1.0.0", OLD).definition
    tell("order.placed", "10045")
    worker()
    run = Run.objects.get()
    with pytest.raises(CannotMigrate, match=why):
        move(run, version("1.1.0", tasks).definition)
    run.refresh_from_db()
    queued = QueueRow.objects.values_list("definition_id", flat=True).get()
    assert (run.definition_id, queued) == (old.id, old.id)
    assert not AuditEvent.objects.filter(action="engine.migrate").exists()


def test_who_may_not_and_what_is_over_does_not_move(committed, tenant, worker, cast):
    version("1.0.0", OLD)
    tell("order.placed", "10045")
    worker()
    workflow, run = version("1.1.0", NEW), Run.objects.get()
    with pytest.raises(Forbidden):
        move(run, workflow.definition, actor=cast.actor(cast.analyst))
    operate.cancel(run_id=run.id, actor=BY, now=clock.now())
    with pytest.raises(RunOver):
        move(run, workflow.definition)


def test_many_move_and_those_that_cannot_say_why(committed, tenant, worker):
    version("1.0.0", OLD)
    for number in range(6):
        tell("order.placed", f"o{number}")
    worker()
    version("1.0.1", FAILS % ("broken", "old"))
    for number in range(3):
        tell("order.placed", f"f{number}")
    worker()
    workflow = version("1.1.0", NEW)
    forecast = migrating.forecast(workflow)
    assert (forecast.can, forecast.cannot) == (6, [("The new version has no step “block” there.", 3)])
    assert dict(forecast.versions) == {"1.0.0": 6, "1.0.1": 3}
    bulk = redriving.start_bulk(
        act="migrate",
        wanted=RunFilter(workflow=workflow.id),
        definition=workflow.definition,
        rate=50.0,
        expected=9,
        actor=BY,
        now=clock.now(),
    )
    redriving.carry_on(bulk.id, seconds=4.0)
    view = queries.bulk_view(bulk.id)
    assert (view.counts[ItemState.DONE], view.counts[ItemState.REFUSED]) == (6, 3)
    assert {item.why for item in queries.bulk_items(bulk.id, states=["refused"])} == {
        "The new version has no step “block” there."
    }
    assert Run.objects.filter(definition_id=workflow.definition_id).count() == 6
    assert migrating.forecast(workflow).can == 0
