"""Runs that are long over lose their data first and go later; what went can be proven."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as portal_settings

from automations.engine import queries
from automations.engine.actions.keeping import forget_bulks, forget_runs
from automations.engine.enums import BulkState
from automations.engine.models import Blob, Bulk, BulkItem, Forgetting, Run, RunState, Segment
from automations.events.actions import publish
from kernel import clock, ids, jobs, jsonx
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.automations.engine.actions.test_drain import deploy
from tests.automations.engine.actions.test_large_values import noise
from tests.support import make

TASKS = """
do:
  - a: {set: {order: '${ .[0].subject }', note: '${ .[0].data.note }'}}
  - b: {if: '.order == "bad"', raise: {error: {type: 'https://x/e', status: 409, detail: Not today}}}
"""


@pytest.fixture
def keep(settings: Any) -> Any:
    def set_days(data: int, runs: int) -> None:
        settings.ENV = replace(portal_settings.ENV, keep_data_days=data, keep_runs_days=runs)

    return set_days


def worked(worker: Any, *numbers: str, size: int = 100_000) -> dict[str, Run]:
    deploy(TASKS)
    for number in numbers:
        data = make.order(order_id=number, number=number, note=noise(size))
        publish(type="order.placed", subject=number, data=data, source="/shop", time=clock.now())
    worker()
    return {run.business_key: run for run in Run.objects.all()}


def age(run: Run, days: float) -> None:
    ago = timedelta(days=days)
    ended = run.ended_at - ago if run.ended_at else None
    Run.objects.filter(pk=run.pk).update(started_at=run.started_at - ago, ended_at=ended)


def test_data_go_and_what_happened_stays(committed, tenant, worker, keep):
    runs = worked(worker, "10001", "10002", "bad")
    age(runs["10001"], 91)
    age(runs["bad"], 500)  # it is not over: it waits for a person
    keep(90, 400)
    assert Blob.objects.filter(run_id=runs["10001"].id).exists()
    assert forget_runs() == 1
    old = Run.objects.get(business_key="10001")
    assert old.stripped_at is not None
    assert (jsonx.unpack(old.input), old.output) == (None, None)
    assert not Blob.objects.filter(run_id=old.id).exists()
    steps = queries.journal(old.id)
    assert [(step.name, step.status, step.output) for step in steps] == [
        ("a", "completed", None),
        ("b", "skipped", None),
    ]
    assert Blob.objects.filter(run_id=runs["10002"].id).exists()
    assert RunState.objects.get().run_id == runs["bad"].id
    assert queries.run_view(runs["bad"].id).failed_data["order"] == "bad"
    row = AuditEvent.objects.get(action="engine.forget_runs")
    assert (row.after["what"], row.after["runs"]) == ("data", 1)
    assert row.after["sha256_of_ids"] == hashlib.sha256(old.id.bytes).hexdigest()
    assert forget_runs() == 0
    assert AuditEvent.objects.filter(action="engine.forget_runs").count() == 1


def test_after_long_nothing_is_left_of_a_run(committed, tenant, worker, keep):
    runs = worked(worker, "10001", "10002", "bad")
    for number in ("10001", "bad"):
        age(runs[number], 401)
    keep(0, 400)
    assert forget_runs() == 1
    assert set(Run.objects.values_list("business_key", flat=True)) == {"10002", "bad"}
    for table in (Segment, Blob):
        assert not table.objects.filter(run_id=runs["10001"].id).exists()
    assert (Forgetting.objects.get().what, Forgetting.objects.get().runs) == ("runs", 1)


def test_a_failure_keeps_its_words_and_loses_its_data(committed, tenant, worker, keep):
    from automations.engine.actions import operate
    from kernel.actor import system

    runs = worked(worker, "bad")
    operate.cancel(run_id=runs["bad"].id, actor=system("test"), now=clock.now(), reason="no")
    age(Run.objects.get(), 100)
    keep(90, 400)
    assert forget_runs() == 1
    faulted = next(step for step in queries.journal(runs["bad"].id) if step.status == "faulted")
    assert (faulted.input, faulted.error["detail"], faulted.error["status"]) == (None, "Not today", 409)


def test_forever_is_for_ever(committed, tenant, worker, keep):
    runs = worked(worker, "10001", size=10)
    age(runs["10001"], 5_000)
    keep(0, 0)
    assert (forget_runs(), Run.objects.count(), Forgetting.objects.count()) == (0, 1, 0)


def test_it_goes_in_small_batches_and_each_leaves_its_trace(tenant, keep):
    for _ in range(7):
        Run.objects.create(
            workflow_id=ids.uuid7(),
            definition_id=ids.uuid7(),
            status="completed",
            input=jsonx.pack({"x": 1}),
            started_at=clock.now() - timedelta(days=500),
            ended_at=clock.now() - timedelta(days=500),
        )
    keep(90, 0)
    assert (forget_runs(seconds=0.0, at_once=3), Run.objects.filter(stripped_at=None).count()) == (0, 7)
    assert forget_runs(at_once=3) == 7
    assert [row.runs for row in Forgetting.objects.all()] == [1, 3, 3]
    keep(90, 400)
    assert (forget_runs(at_once=3), Run.objects.count()) == (7, 0)
    assert AuditEvent.objects.filter(action="engine.forget_runs").count() == 6


def test_every_tenant_has_its_turn(cast, other_tenant):
    from automations.engine import tasks

    tenant = cast.tenant
    with jobs.recorded() as calls:
        for arguments in tasks._keepers():
            jobs.send("engine.keep", **arguments)
    assert {tenant.id, other_tenant.id} <= {where for _, where, _ in calls.calls}


def test_a_sandbox_keeps_its_runs_however_fast_its_years_go(committed, tenant, worker, keep):
    runs = worked(worker, "10001")
    age(runs["10001"], 5_000)
    keep(90, 400)
    Tenant.objects.filter(pk=tenant.id).update(sandbox=True)
    with context.enter(tenant.id):
        assert (forget_runs(), Run.objects.filter(stripped_at=None).count()) == (0, 1)
    Tenant.objects.filter(pk=tenant.id).update(sandbox=False)
    with context.enter(tenant.id):
        assert forget_runs() == 1


def test_acts_on_many_go_as_runs_do(tenant, keep):
    def act(days: float) -> Bulk:
        over = clock.now() - timedelta(days=days)
        bulk = Bulk.objects.create(
            act="retry",
            state=BulkState.DONE,
            wanted={},
            rate=5,
            total=1,
            actor={},
            created_at=over,
            next_at=over,
            moved_at=over,
            over_at=over,
        )
        BulkItem.objects.create(bulk_id=bulk.id, position=0, run_id=ids.uuid7())
        return bulk

    _, young = act(401), act(399)
    keep(90, 0)
    assert forget_bulks() == 0
    keep(90, 400)
    assert forget_bulks() == 1
    assert (Bulk.objects.get(), BulkItem.objects.get().bulk_id) == (young, young.id)
    (told,) = AuditEvent.objects.filter(action="engine.forget_runs")
    assert (told.after["what"], told.after["bulks"]) == ("bulks", 1)
