"""Schedules on a real database: fired once, by the tenant's clock, by whichever worker comes first."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connections

from automations.engine.actions import operate, schedules, workflows
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.engine.enums import WorkflowState
from automations.engine.models import Run, Schedule, Workflow
from automations.engine.queries import run_view
from automations.engine.store import claim as claims
from automations.ledger.models import QueueRow, ScheduleFire, Slot
from kernel import clock, ids
from kernel.actor import system
from tenants.tenancy import actions as tenancy
from tenants.tenancy import context, queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Tenant

BY = system("test")
MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
BODY = "do: [{a: {set: {x: 1}}}]"


@pytest.fixture
def sandbox(committed: Any, cast: Any) -> Iterator[Callable[[datetime], None]]:
    """A tenant on a clock of its own, entered; `sandbox(at)` sets it."""
    Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True)

    def go_to(at: datetime) -> None:
        tenancy.advance_clock(tenant_id=cast.tenant.id, to=at, actor=BY, now=clock.now())

    go_to(MONDAY)
    queries.forget_hosts()
    with context.enter(queries.tenant_ref(cast.tenant.id)):
        yield go_to


def deploy(schedule: str, options: str = "{}", body: str = BODY, version: str = "1.0.0") -> Workflow:
    text = (
        f"document: {{dsl: 1.0.3, namespace: t, name: timed, version: {version},"
        f" metadata: {{schedule: {options}}}}}\nschedule: {schedule}\n{body}"
    )
    definition = workflows.publish(document=read(text), actor=BY, now=clock.now())
    return workflows.deploy(
        name="timed",
        title="timed",
        definition=definition,
        config={},
        connections={},
        actor=BY,
        now=clock.now(),
    )


def started() -> list[str]:
    return [
        at.isoformat()[5:16] for at in Run.objects.order_by("started_at").values_list("started_at", flat=True)
    ]


def test_a_cron_line_starts_a_run_at_each_of_its_instants(sandbox, worker):
    deploy("{cron: '0 */6 * * *'}")
    worker()
    assert started() == []
    sandbox(MONDAY + timedelta(hours=13))
    worker()
    assert started() == ["03-02T06:00", "03-02T12:00"]
    run = Run.objects.order_by("started_at").first()
    assert (run.status, run.cause, run.parent_id) == ("completed", "schedule", Schedule.objects.get().id)
    assert Schedule.objects.get().next_at == MONDAY + timedelta(hours=18)


def test_an_interval_counts_from_when_the_workflow_went_live(sandbox, worker):
    sandbox(MONDAY + timedelta(minutes=7))
    deploy("{every: {minutes: 20}}")
    sandbox(MONDAY + timedelta(hours=1, minutes=10))
    worker()
    assert started() == ["03-02T00:27", "03-02T00:47", "03-02T01:07"]


def test_after_counts_from_the_end_of_the_last_run(sandbox, worker):
    deploy("{after: {minutes: 30}}", body="do: [{w: {wait: {minutes: 10}}}]")
    for minutes in (0, 10, 39, 41, 50, 90):
        sandbox(MONDAY + timedelta(minutes=minutes))
        worker()
    assert started() == ["03-02T00:00", "03-02T00:40", "03-02T01:20"]


def test_a_run_of_after_that_is_cancelled_lets_the_next_come(sandbox, worker):
    deploy("{after: {minutes: 30}}", body="do: [{w: {wait: PT10H}}]")
    worker()
    sandbox(MONDAY + timedelta(minutes=5))
    operate.cancel(run_id=Run.objects.get().id, actor=BY, now=context.now(), reason="stuck")
    sandbox(MONDAY + timedelta(minutes=36))
    worker()
    assert started() == ["03-02T00:00", "03-02T00:35"]


def test_a_freeze_holds_the_day_back(sandbox, worker):
    freeze = "{blackout: [{from: 2026-03-02T05:00, to: 2026-03-02T20:00}], outside: defer}"
    deploy("{cron: '0 */6 * * *'}", freeze)
    sandbox(MONDAY + timedelta(days=1))
    worker()
    assert started() == ["03-02T20:00", "03-03T00:00"]


def test_a_day_at_a_minute_with_two_workers_fires_each_minute_once(sandbox):
    deploy("{cron: '* * * * *'}")
    found = [Worker(), Worker()]

    def work(one: Worker) -> None:
        try:
            one.run(seconds=60, idle=2.0)
        finally:
            one.close()
            connections.close_all()

    threads = [threading.Thread(target=work, args=(one,)) for one in found]
    for thread in threads:
        thread.start()
    for hours in range(1, 25):
        sandbox(MONDAY + timedelta(hours=hours))
    for thread in threads:
        thread.join()
    assert started() == [(MONDAY + timedelta(minutes=n)).isoformat()[5:16] for n in range(1, 1441)]
    assert ScheduleFire.objects.count() == 1440
    assert Schedule.objects.get().fired == 1440


def claim(worker_id: Any) -> Any:
    dsn = connections["default"].get_connection_params()
    kept = {k: v for k, v in dsn.items() if k in ("dbname", "user", "password", "host", "port")}

    async def go() -> Any:
        async with await psycopg.AsyncConnection.connect(**kept, autocommit=True) as held:
            return await claims.claim(held, worker_id, 10)

    return asyncio.run(go()), kept


def test_a_worker_that_lost_its_claim_fires_nothing(sandbox, worker):
    deploy("{cron: '0 6 * * *'}")
    sandbox(MONDAY + timedelta(hours=7))
    late = ids.uuid7()
    (claimed,), dsn = claim(late)
    QueueRow.objects.update(owner=None, lease_until=None)  # its lease is over
    worker()
    assert started() == ["03-02T06:00"]

    async def fire() -> int:
        async with await psycopg.AsyncConnection.connect(**dsn, autocommit=True) as held:
            return await schedules.fire(held, late, claimed)

    assert asyncio.run(fire()) == 0
    assert started() == ["03-02T06:00"]


def test_paused_nothing_fires_and_what_passed_meanwhile_is_not_caught_up_on(sandbox, worker):
    workflow = deploy("{cron: '0 6 * * *'}", "{catchUp: all}")
    workflows.set_state(workflow=workflow, state=WorkflowState.PAUSED, actor=BY, now=clock.now())
    assert QueueRow.objects.count() == 0
    sandbox(MONDAY + timedelta(days=3))
    worker()
    workflows.set_state(workflow=workflow, state=WorkflowState.ACTIVE, actor=BY, now=clock.now())
    sandbox(MONDAY + timedelta(days=3, hours=6))
    worker()
    assert started() == ["03-05T06:00"]


def test_a_new_version_brings_its_own_schedule_or_none(sandbox, worker):
    deploy("{cron: '0 6 * * *'}")
    deploy("{cron: '0 8 * * *'}", version="1.1.0")
    sandbox(MONDAY + timedelta(hours=9))
    worker()
    assert started() == ["03-02T08:00"]
    deploy("{on: {one: {with: {type: order.placed}}}}", version="1.2.0")
    assert (Schedule.objects.count(), QueueRow.objects.count()) == (0, 0)


@pytest.mark.parametrize(("policy", "count"), [("none", 0), ("once", 1), ("all", 3)])
def test_after_an_outage_the_policy_decides(committed, tenant, worker, policy, count):
    deploy("{cron: '0 * * * *'}", f"{{catchUp: {policy}}}")
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    past = hour - timedelta(hours=3, minutes=30)
    Schedule.objects.update(done_at=past, anchor_at=past)
    QueueRow.objects.update(ready_at=past)
    worker()
    late = Run.objects.filter(started_at__lt=hour)
    # the present hour's instant counts as late, too, from a minute past it on
    assert late.count() + (policy == "once" and Run.objects.filter(started_at=hour).count()) == count
    found = Schedule.objects.get()
    assert found.next_at > clock.now()
    worker()
    assert Run.objects.count() == found.fired


def test_a_tenant_that_is_held_back_fires_when_it_is_let_go(sandbox, worker, cast):
    deploy("{cron: '0 6 * * *'}")
    Slot.objects.filter(tenant_id=cast.tenant.id).update(open=False)
    sandbox_slot = Slot.objects.filter(tenant_id=cast.tenant.id)
    sandbox_slot.update(virtual_now=MONDAY + timedelta(hours=7))
    worker()
    assert started() == []
    sandbox_slot.update(open=True)
    worker()
    assert started() == ["03-02T06:00"]


def test_a_suspended_tenant_starts_nothing_until_it_is_resumed(sandbox, worker, cast):
    deploy("{cron: '0 */6 * * *'}")
    row = Tenant.objects.get(pk=cast.tenant.id)
    given = {"reason": "unpaid", "actor": BY, "now": clock.now()}
    tenancy.set_state(tenant=row, state=TenantState.SUSPENDED, **given)
    sandbox(MONDAY + timedelta(hours=7))
    worker()
    assert started() == []
    tenancy.set_state(tenant=row, state=TenantState.ACTIVE, **given)
    worker()
    assert started() == ["03-02T06:00"]


def test_time_has_come_only_as_far_as_the_first_event_that_is_not_dispatched(sandbox):
    from automations.ledger.models import IntakeRow

    deploy("{cron: '0 6 * * *'}")
    sandbox(MONDAY + timedelta(hours=7))
    IntakeRow.objects.create(
        tenant_id=context.current().id, event_id=ids.uuid7(), received_at=MONDAY + timedelta(hours=5)
    )
    found, _ = claim(ids.uuid7())
    assert found == []


def test_a_year_on_a_clock_of_ones_own_makes_no_run_too_old(sandbox, worker):
    deploy("{after: {hours: 1}}", body="do: [{l: {listen: {to: {one: {with: {type: never.comes}}}}}}]")
    sandbox(MONDAY + timedelta(hours=2))
    worker()
    assert Run.objects.get().status == "waiting"
    sandbox(MONDAY + timedelta(days=800))
    worker()
    assert Run.objects.get().status == "waiting"


def test_d2_a_run_by_the_clock_is_given_nothing_and_one_by_hand_an_empty_object(sandbox, worker):
    workflow = deploy("{cron: '0 6 * * *'}", body="do: [{a: {set: {got: '${ . }'}}}]")
    sandbox(MONDAY + timedelta(hours=7))
    workflows.start_run(workflow=workflow, given=None, actor=BY, now=context.now())
    worker()
    given = {run.cause: run_view(run.id).output["got"] for run in Run.objects.all()}
    assert given == {"schedule": None, "manual": {}}
