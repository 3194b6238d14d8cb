"""The drain on a real database: claims, checkpoints under the fence, effects, what survives what."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from automations.connectors import actions as connectors
from automations.engine import queries
from automations.engine.actions import operate, workflows
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.engine.enums import Signal, WorkflowState
from automations.engine.errors import RunNotSuspended, RunOver
from automations.engine.models import Effect, Run, RunState, Subscription, Workflow
from automations.engine.store import operate as store
from automations.events.actions import publish
from automations.events.models import Event
from automations.ledger.models import QueueRow
from kernel import clock, ids
from kernel.actor import system
from kernel.errors import Forbidden
from tenants.audit.models import AuditEvent
from tests.support import make

BY = system("test")
HEAD = """
document: {dsl: 1.0.3, namespace: test, name: %s, version: 1.0.0, metadata: {business: {key: '.[0].subject', amountMinor: '.[0].data.total_minor', currency: '.[0].data.currency'}}}
schedule: {on: {one: {with: {type: order.placed}}}, read: envelope}
"""
BOOK = """
use: {authentications: {erp: {bearer: {use: erp}}}, retries: {soon: {delay: {milliseconds: 50}, limit: {attempt: {count: 4}}}}}
do:
  - translate:
      set:
        number: '${ .[0].subject }'
        currency: '${ .[0].data.currency }'
        total_minor: '${ .[0].data.total_minor }'
        customer: '${ .[0].data.customer }'
        shipping_address: '${ .[0].data.shipping_address }'
        lines: '${ [.[0].data.lines[] | {sku, quantity, unit_minor: .price_minor}] }'
  - look: {call: http, with: {method: get, endpoint: {uri: /erp/stock/RAIN-01, authentication: {use: erp}}}, output: {as: $input}}
  - book:
      try: [{send: {call: http, with: {method: post, endpoint: {uri: /erp/orders, authentication: {use: erp}}, body: '${ . }'}}}]
      catch: {when: '$error.status >= 500 or $error.status == 429', retry: soon}
"""


def deploy(tasks: str, name: str = "flow", connections: dict[str, str] | None = None) -> Workflow:
    definition = workflows.publish(document=read(HEAD % name + tasks), actor=BY, now=clock.now())
    return workflows.deploy(
        name=name,
        title=name,
        definition=definition,
        config={"limit": 5},
        connections=connections or {},
        actor=BY,
        now=clock.now(),
    )


def place(number: str = "10045", **changes: Any) -> Event:
    data = make.order(order_id=number, number=number, **changes)
    return publish(type="order.placed", subject=number, data=data, source="/shop", time=clock.now())


def erp(estate: Any) -> dict[str, str]:
    found = connectors.create_connection(
        name="ERP",
        connector="erp",
        settings={"base_url": estate.address},
        auth="bearer",
        actor=BY,
        now=clock.now(),
    )
    connectors.set_secret(connection=found, secret="estate-demo-key", actor=BY, now=clock.now())
    return {"erp": str(found.id)}


def bookable(estate: Any, **changes: Any) -> dict[str, Any]:
    from deploy.estate.catalogue import CATALOGUE

    price = CATALOGUE["RAIN-01"].prices["GBP"]
    return {
        "lines": [{"sku": "RAIN-01", "quantity": 1, "price_minor": price}],
        "total_minor": price,
        **changes,
    }


def only_run() -> Run:
    return Run.objects.get()


def test_an_event_starts_a_run_which_ends_and_leaves_nothing_in_the_queue(committed, tenant, worker):
    deploy("do: [{a: {set: {order: '${ .[0].subject }', limit: '${ $runtime.metadata.config.limit }'}}}]")
    place()
    worker()
    run = only_run()
    view = queries.run_view(run.id)
    assert (run.status, view.output, run.business_key, run.value_minor, run.currency) == (
        "completed",
        {"order": "10045", "limit": 5},
        "10045",
        17_895,
        "GBP",
    )
    assert [(step.name, step.status) for step in queries.journal(run.id)] == [("a", "completed")]
    assert (QueueRow.objects.count(), RunState.objects.count()) == (0, 0)


def test_a_workflow_that_is_switched_off_starts_nothing(committed, tenant, worker):
    workflow = deploy("do: [{a: {set: {x: 1}}}]")
    workflows.set_state(workflow=workflow, state=WorkflowState.OFF, actor=BY, now=clock.now())
    place()
    worker()
    assert Run.objects.count() == 0


def test_calls_go_through_the_connection_with_a_key_and_their_answer_is_journaled(
    committed, tenant, worker, estate
):
    deploy(BOOK, connections=erp(estate))
    place(**bookable(estate))
    worker()
    run = only_run()
    assert (run.status, queries.run_view(run.id).output["status"]) == ("completed", "booked")
    steps = {step.name: step for step in queries.journal(run.id)}
    assert (steps["send"].http_status, steps["send"].request["uri"], steps["send"].request["connection"]) == (
        201,
        "/erp/orders",
        "erp",
    )
    assert "estate-demo-key" not in str(list(steps.values()))
    assert steps["send"].key in estate.state()["effects"]["by_key"]


def test_an_erp_that_is_away_is_tried_again_and_one_that_refuses_holds_the_run(
    committed, tenant, worker, estate
):
    deploy(BOOK, connections=erp(estate))
    estate.faults({"match": {"method": "POST", "path": "/erp/orders"}, "times": 2, "status": 503})
    address = {**make.order()["shipping_address"], "postcode": ""}
    place(**bookable(estate, shipping_address=address))
    worker()
    run = only_run()
    assert (run.status, run.error["status"], run.step) == ("suspended", 422, "/do/2/book/try/0/send")
    assert [step.status for step in queries.journal(run.id)] == [
        "completed",
        "completed",
        "retrying",
        "retrying",
        "faulted",
    ]
    fact = Event.objects.get(type="portal.run.suspended")
    assert (fact.subject, fact.data["runId"], fact.data["error"]["status"]) == ("10045", str(run.id), 422)


def test_a_person_corrects_the_data_and_the_run_goes_on_from_the_failed_step(
    committed, tenant, worker, estate
):
    deploy(BOOK, connections=erp(estate))
    address = {**make.order()["shipping_address"], "postcode": ""}
    place(**bookable(estate, shipping_address=address))
    worker()
    run = only_run()
    looked = estate.requests
    data = queries.run_view(run.id).failed_data
    data["shipping_address"]["postcode"] = "BS1 4DB"
    operate.resume(
        run_id=run.id, mode="edit", value=data, actor=BY, now=clock.now(), reason="the customer said so"
    )
    assert Run.objects.get().status == "running"
    worker()
    assert Run.objects.get().status == "completed"
    assert estate.requests == looked + 1  # the stock was not asked for again
    trail = AuditEvent.objects.get(action="engine.operate")
    assert trail.before["data"]["shipping_address"]["postcode"] == ""
    assert trail.after["data"]["shipping_address"]["postcode"] == "BS1 4DB"
    assert (trail.after["mode"], trail.reason) == ("edit", "the customer said so")
    resumed = next(step for step in queries.journal(run.id) if step.status == "resumed")
    assert (
        resumed.before["shipping_address"]["postcode"],
        resumed.after["shipping_address"]["postcode"],
    ) == ("", "BS1 4DB")
    assert Event.objects.filter(type="portal.run.recovered").count() == 1


def test_only_a_run_that_waits_for_a_person_is_resumed_and_only_by_who_may(committed, tenant, worker, cast):
    deploy("do: [{a: {raise: {error: {type: 'https://x/e', status: 400}}}}]")
    place()
    worker()
    run = only_run()
    with pytest.raises(Forbidden):
        operate.resume(run_id=run.id, mode="retry", actor=cast.actor(cast.analyst), now=clock.now())
    assert (Run.objects.get().status, AuditEvent.objects.filter(action="engine.operate").count()) == (
        "suspended",
        0,
    )
    operate.resume(run_id=run.id, mode="skip", actor=BY, now=clock.now())
    with pytest.raises(RunNotSuspended):
        operate.resume(run_id=run.id, mode="skip", actor=BY, now=clock.now())
    worker()
    with pytest.raises(RunOver):
        operate.cancel(run_id=run.id, actor=BY, now=clock.now())


def test_two_people_who_resume_at_once_resume_once(committed, tenant, worker):
    deploy("do: [{a: {raise: {error: {type: 'https://x/e', status: 400}}}}, {b: {set: {b: 1}}}]")
    place()
    worker()
    run, outcomes = only_run(), []

    def resume() -> None:
        from tenants.tenancy import context

        with context.enter(tenant):
            try:
                operate.resume(run_id=run.id, mode="skip", actor=BY, now=clock.now())
                outcomes.append("done")
            except RunNotSuspended:
                outcomes.append("late")
        connection.close()

    threads = [threading.Thread(target=resume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "late"]


def test_cancelling_a_parked_run_ends_it_with_what_it_listened_for(committed, tenant, worker):
    deploy("do: [{l: {listen: {to: {one: {with: {type: order.approved}}}}}}]")
    place()
    worker()
    run = only_run()
    assert (run.status, Subscription.objects.count()) == ("waiting", 1)
    assert operate.cancel(run_id=run.id, actor=BY, now=clock.now(), reason="no longer wanted") is True
    assert (Run.objects.get().status, Subscription.objects.count(), QueueRow.objects.count()) == (
        "cancelled",
        0,
        0,
    )


def test_a_run_that_a_worker_holds_is_cancelled_at_its_next_checkpoint(committed, tenant, worker, estate):
    deploy(
        "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
        "do: [{a: {call: http, with: {method: post, endpoint: {uri: /stub/a, authentication: {use: erp}}}}}, {b: {call: http, with: {method: post, endpoint: {uri: /stub/b, authentication: {use: erp}}}}}]",
        connections=erp(estate),
    )
    estate.faults({"match": {"method": "POST", "path": "/stub/a"}, "times": 1, "slow": 1.0})
    place()
    thread = threading.Thread(target=worker)
    thread.start()
    run = _wait_for(lambda: QueueRow.objects.filter(owner__isnull=False).first())
    store.signal(run.run_id, Signal.CANCEL)
    thread.join()
    assert only_run().status == "cancelled"
    assert estate.requests == 1


def _wait_for(found: Any, seconds: float = 8.0) -> Any:
    import time

    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come")


def test_an_event_that_comes_before_the_run_listens_is_found(committed, tenant, worker):
    deploy(
        "do: [{l: {listen: {to: {one: {with: {type: order.approved}, correlate: {o: {from: .subject, expect: '.[0].subject'}}}}}}}]"
    )
    place()
    publish(
        type="order.approved", subject="10045", data={"order_id": "10045"}, source="/shop", time=clock.now()
    )
    worker()
    assert (only_run().status, Subscription.objects.count()) == ("completed", 0)


def test_an_event_wakes_exactly_the_runs_that_wait_for_its_key(committed, tenant, worker):
    deploy(
        "do: [{l: {listen: {to: {one: {with: {type: order.approved}, correlate: {o: {from: .subject, expect: '.[0].subject'}}}}}}}]"
    )
    place("1")
    place("2")
    worker()
    publish(type="order.approved", subject="2", data={"order_id": "2"}, source="/shop", time=clock.now())
    worker()
    assert dict(Run.objects.values_list("business_key", "status")) == {"1": "waiting", "2": "completed"}


def test_a_timer_fires_when_it_is_due(committed, tenant, worker):
    deploy("do: [{w: {wait: {milliseconds: 400}}}]")
    place()
    worker(idle=0.1, seconds=0.3)
    assert only_run().status == "waiting"
    worker(idle=0.6)
    run = only_run()
    assert run.status == "completed"
    assert run.ended_at - run.started_at >= timedelta(milliseconds=400)


def test_a_worker_whose_run_was_taken_over_writes_nothing(committed, tenant, estate):
    deploy(
        "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
        "do: [{a: {call: http, with: {method: post, endpoint: {uri: /stub/a, authentication: {use: erp}}}}}]",
        connections=erp(estate),
    )
    estate.faults({"match": {"method": "POST", "path": "/stub/a"}, "times": 1, "slow": 1.0})
    place()
    first = Worker()
    thread = threading.Thread(target=lambda: first.run(seconds=8, idle=0.3))
    thread.start()
    row = _wait_for(lambda: QueueRow.objects.filter(owner__isnull=False).first())
    # its lease ended unseen, and somebody else has the run now
    far = clock.now() + timedelta(hours=1)
    QueueRow.objects.filter(pk=row.pk).update(owner=ids.uuid7(), lease_until=far, epoch=row.epoch + 1)
    thread.join()
    assert (only_run().status, queries.journal(only_run().id)) == ("pending", [])
    QueueRow.objects.filter(pk=row.pk).update(owner=None, lease_until=None)
    second = Worker()
    second.run(seconds=8, idle=0.3)
    assert only_run().status == "completed"
    steps = queries.journal(only_run().id)
    assert [step.no for step in steps] == [0]
    sent = estate.state()["stub"]["effects"]
    assert (sent["total"], sent["keys"]) == (
        2,
        1,
    )  # the same key twice: a system that honours it does it once
    first.close()
    second.close()


def test_a_call_to_a_system_that_honours_no_key_is_never_made_twice(committed, tenant, worker, estate):
    deploy(
        "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
        "do: [{a: {call: http, with: {method: post, endpoint: {uri: /stub/a, authentication: {use: erp}}}, metadata: {effect: unsafe}}}]",
        connections=erp(estate),
    )
    event = place()
    worker()
    assert only_run().status == "completed"
    assert list(Effect.objects.values_list("state", flat=True)) == ["confirmed"]
    estate.ask("POST", "/control/reset", {})
    # as if a worker had died between the call and its checkpoint
    place("10046")
    from tenants.tenancy import context

    with context.enter(tenant):
        from automations.events.actions import dispatch

        dispatch(tenant, now=clock.now())
    run = Run.objects.get(business_key="10046")
    key = only_key(run)
    Effect.objects.create(run_id=run.id, key=key, state="intended", at=clock.now())
    worker()
    run.refresh_from_db()
    assert (run.status, run.error["title"]) == ("suspended", "Unknown outcome")
    assert estate.requests == 0
    assert event.subject == "10045"


def only_key(run: Run) -> str:
    """The key that the run's first call will have."""
    import hashlib

    from tenants.tenancy import context

    place_ = hashlib.blake2b(b"/do/0/a", digest_size=4).hexdigest()
    return f"{context.current().id.hex}:{run.id.hex}:0:{place_}:0"


def test_a_run_on_which_workers_die_is_held_for_a_person(committed, tenant, worker):
    deploy("do: [{w: {wait: {seconds: 30}}}]")
    place()
    worker(idle=0.1)
    QueueRow.objects.update(claims=3, ready_at=clock.now())
    worker(idle=0.1)
    run = only_run()
    assert (run.status, run.error["title"]) == ("suspended", "Workers stopped while they worked on this run")


def test_a_run_whose_snapshot_is_damaged_is_held_and_others_go_on(committed, tenant, worker):
    deploy("do: [{l: {listen: {to: {one: {with: {type: order.approved}}}}}}]")
    place("1")
    place("2")
    worker()
    bad = Run.objects.get(business_key="1")
    RunState.objects.filter(pk=bad.id).update(snapshot=b"\x01garbage")
    publish(type="order.approved", subject="x", data={"order_id": "x"}, source="/shop", time=clock.now())
    worker()
    assert dict(Run.objects.values_list("business_key", "status")) == {"1": "suspended", "2": "completed"}


def test_workers_side_by_side_do_each_run_once(committed, tenant, estate):
    deploy(
        "use: {authentications: {erp: {bearer: {use: erp}}}}\n"
        "do: [{a: {call: http, with: {method: post, endpoint: {uri: '/stub/x', authentication: {use: erp}}, body: '${ {n: .[0].subject} }'}}}]",
        connections=erp(estate),
    )
    for number in range(60):
        place(str(number))
    crew = [Worker() for _ in range(3)]
    threads = [threading.Thread(target=lambda one=one: one.run(seconds=10, idle=0.5)) for one in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in crew:
        one.close()
    assert Run.objects.filter(status="completed").count() == 60
    assert (estate.requests, estate.state()["stub"]["effects"]["keys"]) == (60, 60)


def test_runs_live_on_the_clock_of_a_sandbox(committed, cast, worker):
    from tenants.tenancy import actions as tenancy
    from tenants.tenancy import context
    from tenants.tenancy.models import Tenant
    from tenants.tenancy.queries import tenant_ref

    Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True)
    tenancy.advance_clock(
        tenant_id=cast.tenant.id, to=clock.parse_rfc3339("2020-01-01T00:00:00Z"), actor=BY, now=clock.now()
    )
    sandbox = tenant_ref(cast.tenant.id)
    with context.enter(sandbox):
        deploy("do: [{w: {wait: {days: 10}}}]")
        data = make.order()
        publish(
            type="order.placed",
            subject="1",
            data=data,
            source="/s",
            time=clock.parse_rfc3339("2020-01-02T00:00:00Z"),
        )
        worker()
        assert only_run().status == "pending"  # it has not begun there yet
        tenancy.advance_clock(
            tenant_id=sandbox.id, to=clock.parse_rfc3339("2020-01-05T00:00:00Z"), actor=BY, now=clock.now()
        )
        worker()
        assert only_run().status == "waiting"
        tenancy.advance_clock(
            tenant_id=sandbox.id, to=clock.parse_rfc3339("2020-02-01T00:00:00Z"), actor=BY, now=clock.now()
        )
        worker()
        run = only_run()
    assert (run.status, clock.rfc3339(run.ended_at)) == ("completed", "2020-01-12T00:00:00Z")
