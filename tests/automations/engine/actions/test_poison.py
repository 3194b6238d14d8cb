"""A run that kills whoever works on it: three deaths, then it is a case, and everything else goes on."""

import os
import signal
from typing import Any

from django.db import connection, connections

from automations.engine import queries
from automations.engine.actions import operate
from automations.engine.actions.drain import MAX_CLAIMS
from automations.engine.actions.worker import Worker
from automations.engine.dsl.program import Set
from automations.engine.machine import interpreter
from automations.engine.models import Run
from automations.inbox.models import Case
from automations.ledger import actions as ledger
from automations.ledger.models import QueueRow
from kernel import clock
from tests.automations.engine.actions.test_drain import BY, deploy, place


def work_in_a_process(*, poisonous: bool = True) -> int:
    """A worker in a process of its own works until nothing is due; the signal that killed it, 0 if none did."""
    pid = os.fork()
    if pid == 0:  # nothing of ours may run on in the child, whatever happens
        try:
            for one in connections.all():
                one.connection = None  # the socket is the parent's
            harmless = interpreter._ENTER[Set]

            def enter(run: Any, strand: Any, task: Any, *more: Any) -> None:
                if poisonous and task.name == "poison":
                    os.kill(os.getpid(), signal.SIGKILL)
                harmless(run, strand, task, *more)

            interpreter._ENTER[Set] = enter  # type: ignore[index]
            Worker().run(seconds=5.0, idle=0.5)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def let_leases_end() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update ledger_queue set lease_until = clock_timestamp() - interval '1 s' where owner is not null"
        )
    ledger.free_expired()


def test_after_three_deaths_it_is_quarantined_and_the_others_are_done(committed, tenant):
    deploy(
        "do: [{first: {set: {order: '${ .[0].subject }'}}},"
        " {again: {if: '.order == \"bad\"', do: [{poison: {set: {x: 1}}}]}}]"
    )
    for number in ("bad", "10001", "10002", "10003"):
        place(number)
    deaths = []
    while (number := work_in_a_process()) != 0:
        deaths.append(number)
        let_leases_end()
        assert len(deaths) <= MAX_CLAIMS, "it goes on killing"
    assert deaths == [signal.SIGKILL] * MAX_CLAIMS
    assert dict(Run.objects.values_list("business_key", "status")) == {
        "bad": "suspended",
        "10001": "completed",
        "10002": "completed",
        "10003": "completed",
    }
    run = Run.objects.get(business_key="bad")
    assert (run.error["limit"], run.error["code"]) == ("claims", "limit_claims")
    assert run.error["detail"].startswith("three workers")
    assert [step.status for step in queries.journal(run.id)][-1] == "faulted"
    work_in_a_process()
    case = Case.objects.get(run_id=run.id)
    assert (case.state, case.error["limit"]) == ("open", "claims")
    assert QueueRow.objects.count() == 1  # it waits for a person, and nothing else is left


def test_once_the_poison_is_out_a_person_sends_it_on(committed, tenant):
    deploy("do: [{poison: {set: {x: 1}}}]")
    place()
    for _ in range(MAX_CLAIMS):
        assert work_in_a_process() == signal.SIGKILL
        let_leases_end()
    assert work_in_a_process() == 0
    run = Run.objects.get()
    operate.resume(run_id=run.id, mode="retry", actor=BY, now=clock.now())
    assert work_in_a_process(poisonous=False) == 0
    assert Run.objects.get().status == "completed"


def test_a_worker_that_is_asked_to_end_counts_as_no_death(committed, tenant):
    deploy("do: [{a: {set: {x: 1}}}]")
    place()
    worker = Worker()
    worker.run(seconds=0.0, idle=0.0)
    worker.close()
    assert not QueueRow.objects.filter(claims__gt=0).exists()
