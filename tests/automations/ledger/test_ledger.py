"""Whose turn it is, what belongs to whom until when, and who rings for what."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from automations.engine.store import claim as store
from automations.ledger import actions, queries, tasks
from automations.ledger.models import FairClock, QueueRow, Slot, Worker
from kernel import bell, clock, ids, jobs
from kernel.actor import system
from tenants.tenancy import actions as tenancy
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Tenant

BY = system("test")


def enqueue(tenant: Any, count: int = 1, *, due: timedelta = timedelta(seconds=-1)) -> None:
    """`count` runs of `tenant` that are due so much from now; what a claim loads of them is not looked at here."""
    now = clock.now()
    QueueRow.objects.bulk_create(
        QueueRow(run_id=ids.uuid7(), tenant_id=tenant.id, definition_id=ids.uuid7(), ready_at=now + due)
        for _ in range(count)
    )


def claim(most: int, worker: Any = None) -> list[store.Claimed]:
    """One claim on a connection of its own, as a worker does it."""

    async def go() -> list[store.Claimed]:
        dsn = connections["default"].get_connection_params()
        dsn.pop("cursor_factory", None)
        dsn.pop("context", None)
        async with await psycopg.AsyncConnection.connect(
            **{k: v for k, v in dsn.items() if k in ("dbname", "user", "password", "host", "port")},
            autocommit=True,
        ) as held:
            return await store.claim(held, worker or ids.uuid7(), most)

    return asyncio.run(go())


def test_tenants_take_turns_however_much_one_of_them_has(committed, cast):
    enqueue(cast.tenant, 500)
    enqueue(cast.other_tenant, 30)
    turns = [claim(10) for _ in range(6)]
    assert [{found.tenant_id for found in turn} for turn in turns] == [
        {(cast.tenant, cast.other_tenant)[turns[0][0].tenant_id == cast.other_tenant.id].id}
        if number % 2 == 0
        else {turns[1][0].tenant_id}
        for number in range(6)
    ]
    assert {turns[0][0].tenant_id, turns[1][0].tenant_id} == {cast.tenant.id, cast.other_tenant.id}


def test_a_weight_of_three_takes_three_turns_to_one(committed, cast):
    Slot.objects.filter(tenant_id=cast.tenant.id).update(weight=3)
    enqueue(cast.tenant, 300)
    enqueue(cast.other_tenant, 300)
    taken = [claim(10)[0].tenant_id for _ in range(12)]
    assert (taken.count(cast.tenant.id), taken.count(cast.other_tenant.id)) in ((9, 3), (8, 4))


def test_who_was_idle_has_no_credit_to_burn(committed, cast):
    FairClock.objects.update(vtime=1_000)
    Slot.objects.filter(tenant_id=cast.tenant.id).update(vtime=1_000)
    Slot.objects.filter(tenant_id=cast.other_tenant.id).update(vtime=0)  # it did nothing for a long time
    enqueue(cast.tenant, 100)
    enqueue(cast.other_tenant, 100)
    taken = [claim(10)[0].tenant_id for _ in range(6)]
    assert taken.count(cast.other_tenant.id) == 3


def test_only_what_is_due_in_open_tenants_is_claimed(committed, cast):
    enqueue(cast.tenant, 2, due=timedelta(hours=1))
    enqueue(cast.other_tenant, 2)
    Slot.objects.filter(tenant_id=cast.other_tenant.id).update(open=False)
    assert (claim(10), actions.anything_due()) == ([], False)
    Slot.objects.filter(tenant_id=cast.other_tenant.id).update(open=True)
    assert (len(claim(10)), actions.anything_due()) == (2, False)


def test_a_tenant_on_a_clock_of_its_own_is_due_by_that_clock(committed, cast):
    now = clock.now()
    Slot.objects.filter(tenant_id=cast.tenant.id).update(virtual_now=now - timedelta(days=365))
    enqueue(cast.tenant, 1)
    assert claim(10) == []
    Slot.objects.filter(tenant_id=cast.tenant.id).update(virtual_now=now)
    (found,) = claim(10)
    assert (found.virtual, found.now) == (True, pytest.approx(now.timestamp()))


def test_two_workers_never_hold_the_same_run(committed, cast):
    enqueue(cast.tenant, 40)
    first, second = claim(25), claim(25)
    assert (len(first), len(second)) == (25, 15)
    assert not {found.run_id for found in first} & {found.run_id for found in second}


def test_a_lease_that_ran_out_is_freed_and_its_next_holder_has_a_new_epoch(committed, cast):
    enqueue(cast.tenant)
    (held,) = claim(1)
    assert actions.free_expired() == 0
    QueueRow.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    assert (actions.free_expired(), claim(1)[0].epoch) == (1, held.epoch + 1)


def test_what_waits_is_counted(committed, cast):
    enqueue(cast.tenant, 3, due=timedelta(seconds=-30))
    enqueue(cast.tenant, 2, due=timedelta(hours=1))
    claim(1)
    load = queries.load()
    assert (load.due, load.held, load.intake, load.expired) == (2, 1, 0, 0)
    assert 29 < load.oldest < 60
    assert (queries.busy(cast.tenant.id), queries.busy(cast.other_tenant.id)) == (True, False)


def test_a_suspended_tenant_is_shut_and_opens_again(committed, cast):
    tenant = Tenant.objects.get(pk=cast.tenant.id)
    tenancy.set_state(tenant=tenant, state=TenantState.SUSPENDED, actor=BY, now=clock.now(), reason="unpaid")
    assert Slot.objects.get(tenant_id=tenant.id).open is False
    tenancy.set_state(tenant=tenant, state=TenantState.ACTIVE, actor=BY, now=clock.now(), reason="paid")
    assert Slot.objects.get(tenant_id=tenant.id).open is True


# the dispatcher


def test_a_round_rings_and_calls_for_the_workers_that_do_not_listen(committed, cast, jobs, monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda *_: 0)
    enqueue(cast.tenant)
    rounds = tasks.Rounds()
    assert rounds.go() == tasks.BUSY
    drains = [name for name, _, _ in jobs.calls if name == actions.DRAIN]
    assert drains
    rounds.go()
    assert [name for name, _, _ in jobs.calls if name == actions.DRAIN] == drains  # not again within a second


def test_a_round_without_work_is_quiet(committed, cast, jobs, monkeypatch):
    monkeypatch.setattr(bell, "ring", lambda *_: pytest.fail("there is nothing to ring for"))
    assert tasks.Rounds().go() == tasks.QUIET


def test_only_one_dispatcher_leads_and_another_takes_over(committed, cast, jobs):
    first = tasks.Rounds()
    assert first.go() != tasks.STANDBY
    taken: list[float] = []

    def elsewhere() -> None:
        second = tasks.Rounds()
        taken.append(second.go())
        connection.close()

    import threading

    def run() -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    run()
    assert taken == [tasks.STANDBY]
    connection.close()  # the first one dies, and its lock with it
    run()
    assert taken[1] != tasks.STANDBY


def test_a_job_that_was_lost_is_sent_again(committed, cast, jobs, monkeypatch):
    monkeypatch.setattr(tasks, "RESEND", 0.0)
    job = jobs_named("test.lost")
    try:
        rounds = tasks.Rounds()
        rounds.go()
        rounds._jobs_looked = 0.0
        rounds.go()
        assert [name for name, _, _ in jobs.calls if name == job] == [job, job]
    finally:
        del _registry()[job]


def jobs_named(name: str) -> str:
    """A job that is always due."""

    @jobs.job(name, queue="work", due=lambda: [{"number": 1}])
    def _work(**_: object) -> None: ...

    return name


def _registry() -> dict[str, Any]:
    return jobs.registry  # type: ignore[return-value]


def test_workers_are_seen_while_they_are_heard_of(db):
    now = clock.now()
    for age in (1, 120):
        Worker.objects.create(
            id=ids.uuid7(), host="h", pid=age, started_at=now, heartbeat_at=now - timedelta(seconds=age)
        )
    assert [found["pid"] for found in queries.workers(now - timedelta(seconds=30))] == [1]


def test_workers_that_are_gone_are_struck_out(committed, cast, jobs):
    now = clock.now()
    for age in (1, 59 * 60, 61 * 60):
        Worker.objects.create(
            id=ids.uuid7(), host="h", pid=age, started_at=now, heartbeat_at=now - timedelta(seconds=age)
        )
    rounds = tasks.Rounds()
    rounds.go()
    assert sorted(Worker.objects.values_list("pid", flat=True)) == [1, 59 * 60]
    Worker.objects.update(heartbeat_at=now - timedelta(hours=2))
    rounds.go()
    assert Worker.objects.count() == 2  # looked at every ten minutes
