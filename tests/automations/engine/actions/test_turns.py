"""Lanes: one order after the other, so many runs of a workflow, so many calls through a connection, per client."""

import os
import signal
import threading
import time
from collections import defaultdict
from itertools import pairwise
from typing import Any, Self

import pytest
from django.db import connection as database

from automations.connectors.models import Connection
from automations.engine.actions import operate, pausing
from automations.engine.models import Run, Workflow
from automations.ledger import actions as ledger
from automations.ledger.models import Hold, Place, QueueRow, Slot
from kernel import clock
from kernel.database import dsn
from kernel.errors import Invalid
from tenants.audit.models import AuditEvent
from tenants.tenancy.models import Tenant
from tests.automations.engine.actions.test_drain import BY, deploy, erp, place
from tests.automations.engine.actions.test_pausing import USE, Crew, pause_tenant, statuses, until

POST = USE + (
    "do: [{a: {call: http, with: {method: post, endpoint: {uri: '/stub/x', authentication: {use: erp}},"
    " body: '${ {n: .[0].data.order_id} }'}}}]"
)
BY_ORDER = {"key": ".[0].subject", "limit": 1}


def limit(workflow: Workflow, concurrency: Any) -> None:
    pausing.limit_workflow(workflow=workflow, concurrency=concurrency, actor=BY, now=clock.now())


class Overlaps:
    """Watches which runs are between their first and last step: the most at a time, in all and of one order."""

    def __init__(self) -> None:
        self.all, self.of_one = 0, 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        import psycopg

        with psycopg.connect(dsn("test"), autocommit=True) as connection:
            while not self._ending.is_set():
                rows = connection.execute(
                    "select run_id from ledger_queue where owner is not null"
                ).fetchall()
                inside: dict[str, int] = defaultdict(int)
                for (run,) in rows:
                    inside[self.orders.get(str(run), str(run))] += 1
                self.all = max(self.all, len(rows))
                self.of_one = max([self.of_one, *inside.values()])
                time.sleep(0.003)

    def __enter__(self) -> Self:
        self.orders = {str(key): order for key, order in Run.objects.values_list("id", "business_key")}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


def ended() -> int:
    return Run.objects.filter(status="completed").count()


def order_of_ends() -> dict[str, list[Any]]:
    """Runs of each order by when they began to be worked on, with their spans, from the journal."""
    from automations.engine import queries

    spans: dict[str, list[Any]] = defaultdict(list)
    for run in Run.objects.order_by("id"):
        steps = queries.journal(run.id)
        spans[run.business_key].append((steps[0].begin, steps[-1].end))
    return spans


def test_fifty_events_of_one_order_go_one_after_the_other_and_other_orders_beside_them(
    committed, tenant, estate
):
    limit(deploy(POST, connections=erp(estate)), BY_ORDER)
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.02})
    for _ in range(50):
        place("A")
    for number in range(50):
        place(f"B{number}")
    with Crew(3):
        until(lambda: ended() == 100, 60)
    spans = order_of_ends()
    assert len(spans["A"]) == 50
    for (_, end), (begin, _) in pairwise(spans["A"]):
        assert end <= begin
    others = [span for key, found in spans.items() if key != "A" for span in found]
    assert max(end for _, end in others) < spans["A"][-1][0]  # none waited for them
    assert (Hold.objects.count(), Place.objects.count(), QueueRow.objects.count()) == (0, 0, 0)
    assert estate.requests == 100


def test_after_a_pause_the_runs_of_an_order_go_on_in_the_order_in_which_they_came(committed, tenant, estate):
    limit(deploy(POST, connections=erp(estate)), BY_ORDER)
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.1})
    for _ in range(8):
        place("A")
    with Crew(2):
        until(lambda: estate.requests >= 2)
        pause_tenant(tenant, True)
        for _ in range(4):
            place("A")
        until(lambda: not QueueRow.objects.filter(owner__isnull=False).exists())
        stopped = ended()
        pause_tenant(tenant, False)
        until(lambda: ended() == 12, 60)
    assert 0 < stopped < 8
    begun = [begin for begin, _ in order_of_ends()["A"]]
    assert begun == sorted(begun)
    assert (len(begun), estate.requests, estate.state()["stub"]["effects"]["keys"]) == (12, 12, 12)


def test_so_many_runs_of_a_workflow_at_a_time(committed, tenant, estate):
    limit(deploy(POST, connections=erp(estate)), {"limit": 3})
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.03})
    for number in range(40):
        place(str(number))
    with Crew(2):
        until(lambda: ended() == 40, 60)
    points = sorted(
        (at, step) for found in order_of_ends().values() for b, e in found for at, step in ((b, 1), (e, -1))
    )
    inside = most = 0
    for _, step in points:
        inside += step
        most = max(most, inside)
    assert most == 3


def test_so_many_calls_through_a_connection_at_a_time_of_all_workers(committed, tenant, estate):
    through = erp(estate)
    deploy(POST, connections=through)
    deploy(POST, "second", connections=through)
    found = Connection.objects.get()
    pausing.limit_connection(connection=found, calls_at_once=2, actor=BY, now=clock.now())
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.05})
    for number in range(15):
        place(str(number))
    most, ending = [0], threading.Event()

    def watch() -> None:
        import psycopg

        with psycopg.connect(dsn("test"), autocommit=True) as connection:
            while not ending.is_set():
                row = connection.execute("select count(*) from ledger_place where kind = 'call'").fetchone()
                most[0] = max(most[0], row[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    with Crew(3):
        until(lambda: ended() == 30, 60)
        took = time.monotonic() - began
    ending.set()
    watcher.join()
    assert most[0] == 2
    assert took >= 30 * 0.05 / 2
    assert (Hold.objects.count(), Place.objects.count()) == (0, 0)
    assert (estate.requests, estate.state()["stub"]["effects"]["keys"]) == (30, 30)


def test_workers_hold_only_so_many_runs_of_a_client(committed, tenant, estate):
    deploy(POST, connections=erp(estate))
    row = Tenant.objects.get(pk=tenant.id)
    ledger.limit_tenant(tenant=row, most=4, actor=BY, now=clock.now())
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.02})
    for number in range(40):
        place(str(number))
    with Overlaps() as seen, Crew(3):
        until(lambda: ended() == 40, 60)
    assert 1 <= seen.all <= 4
    assert Slot.objects.get(tenant_id=tenant.id).max_running == 4


def test_after_a_pause_each_order_goes_on_in_the_order_of_its_events(committed, tenant, estate):
    limit(deploy(POST, connections=erp(estate)), BY_ORDER)
    row = Tenant.objects.get(pk=tenant.id)
    estate.faults({"match": {"path": "/stub/*"}, "slow": 0.03})
    for number in range(60):
        place(f"order-{number % 4}")
    with Crew(2):
        until(lambda: ended() >= 8)
        ledger.pause_tenant(tenant=row, paused=True, reason="", actor=BY, now=clock.now())
        for number in range(8):
            place(f"order-{number % 4}")
        until(lambda: QueueRow.objects.filter(owner__isnull=False).count() == 0)
        stood = ended()
        time.sleep(0.5)
        assert ended() == stood < 60
        ledger.pause_tenant(tenant=row, paused=False, reason="", actor=BY, now=clock.now())
        until(lambda: ended() == 68, 60)
    orders = {key.hex: order for key, order in Run.objects.values_list("id", "business_key")}
    called: dict[str, list[str]] = defaultdict(list)
    for key in estate.state()["stub"]["effects"]["by_key"]:
        called[orders[key.split(":")[1]]].append(key.split(":")[1])
    assert {order: len(runs) for order, runs in called.items()} == {f"order-{n}": 17 for n in range(4)}
    for runs in called.values():  # the keys of runs rise with their events
        assert runs == sorted(runs)
    assert (estate.requests, Hold.objects.count(), Place.objects.count()) == (68, 0, 0)


def test_a_run_that_waits_for_a_person_lets_the_next_of_its_order_go(committed, tenant, worker, estate):
    limit(deploy(POST, connections=erp(estate)), BY_ORDER)
    estate.faults({"match": {"path": "/stub/*"}, "times": 1, "status": 409})
    place("A")
    place("A")
    worker()
    first, second = Run.objects.order_by("id")
    assert (first.status, second.status) == ("suspended", "completed")
    operate.resume(run_id=first.id, mode="retry", actor=BY, now=clock.now())
    worker()
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
    assert Place.objects.count() == 0


def test_a_cancelled_run_makes_room_and_a_rule_taken_away_lets_all_go(committed, tenant, worker):
    workflow = deploy("do: [{w: {wait: {minutes: 5}}}]")
    limit(workflow, BY_ORDER)
    for _ in range(4):
        place("A")
    worker()
    runs = list(Run.objects.order_by("id"))
    assert [run.status for run in runs] == ["waiting", "pending", "pending", "pending"]
    operate.cancel(run_id=runs[0].id, actor=BY, now=clock.now())
    worker()
    assert [run.status for run in Run.objects.order_by("id")] == [
        "cancelled",
        "waiting",
        "pending",
        "pending",
    ]
    operate.cancel(run_id=runs[2].id, actor=BY, now=clock.now())
    limit(workflow, None)
    worker()
    assert [run.status for run in Run.objects.order_by("id")] == [
        "cancelled",
        "waiting",
        "cancelled",
        "waiting",
    ]
    assert (Hold.objects.count(), Place.objects.count()) == (0, 0)


def test_places_that_nobody_gave_up_are_taken_back(committed, tenant, worker):
    limit(deploy("do: [{w: {wait: {minutes: 5}}}]"), BY_ORDER)
    place("A")
    place("A")
    worker()
    first = Run.objects.order_by("id")[0]
    QueueRow.objects.filter(run_id=first.id).delete()  # by something that does not know of lanes
    assert pausing.mend_lanes() == 1
    worker()
    assert [run.status for run in Run.objects.order_by("id")] == ["waiting", "waiting"]
    assert list(Place.objects.values_list("run_id", flat=True)) == [Run.objects.order_by("id")[1].id]


def test_a_worker_that_is_killed_takes_no_place_with_it(committed, tenant, estate):
    limit(deploy(POST, connections=erp(estate)), BY_ORDER)
    pausing.limit_connection(connection=Connection.objects.get(), calls_at_once=1, actor=BY, now=clock.now())
    estate.faults({"match": {"path": "/stub/*"}, "times": 1, "slow": 20.0})
    for _ in range(5):
        place("A")
    place("B")
    pid = os.fork()
    if pid == 0:  # a worker of its own, which is going to die in the middle of a call
        database.connection = None
        from automations.engine.actions.worker import Worker

        Worker().run(seconds=30, idle=5)
        os._exit(0)
    try:
        until(lambda: Place.objects.filter(kind="call").exists())
        time.sleep(0.5)  # it is sent now, and answered much later
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert Place.objects.filter(kind="call").count() == 1
    QueueRow.objects.filter(owner__isnull=False).update(lease_until=clock.now())
    assert ledger.free_expired() >= 1
    estate.faults()
    with Crew(2):
        until(lambda: ended() == 6, 60)
    assert (Hold.objects.count(), Place.objects.count()) == (0, 0)
    assert estate.state()["stub"]["effects"]["keys"] == 6
    spans = order_of_ends()["A"]
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": 0}, "concurrency.limit"),
        ({"limit": True}, "concurrency.limit"),
        ({"key": ".a"}, "concurrency.limit"),
        ({"limit": 1, "key": ".a ["}, "concurrency.key"),
        ({"limit": 1, "key": "$nobody"}, "concurrency.key"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(committed, tenant, given, field):
    workflow = deploy("do: [{x: {set: {x: 1}}}]")
    with pytest.raises(Invalid) as refused:
        limit(workflow, given)
    assert list(refused.value.fields) == [field]


def test_limits_leave_a_trace_and_runs_without_a_key_wait_for_nobody(committed, tenant, worker):
    workflow = deploy("do: [{w: {wait: {minutes: 5}}}]")
    limit(workflow, {"key": ".[0].data.nothing", "limit": 1})
    limit(workflow, {"key": ".[0].data.nothing", "limit": 1})
    assert AuditEvent.objects.filter(action="engine.limit_workflow").count() == 1
    place("1")
    place("2")
    worker()
    assert statuses() == {"1": "waiting", "2": "waiting"}
    limit(workflow, {"key": "$business", "limit": 1})
    place("1")
    worker()
    assert (
        Run.objects.filter(status="waiting").count() == 3
    )  # what was under way before the rule is not counted
