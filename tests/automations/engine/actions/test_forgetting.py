"""Keys of events are kept as long as a listener may come late for them, and no longer."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from automations.engine.actions.forgetting import forget_event_keys
from automations.engine.models import EventKey
from automations.ledger.models import IntakeRow, QueueRow, Slot
from kernel import clock, ids, jobs
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support.cast import Cast


def keep(*ages: timedelta, before: datetime | None = None) -> None:
    """Keys of events that came in so long ago."""
    for number, age in enumerate(ages):
        EventKey.objects.create(key=number, event_id=ids.uuid7(), received_at=(before or clock.now()) - age)


def left() -> list[int]:
    return sorted(EventKey.objects.values_list("key", flat=True))


OLD, YOUNG, ANCIENT = timedelta(hours=49), timedelta(hours=47), timedelta(days=15)


def test_after_two_days_nobody_comes_late(tenant: TenantRef) -> None:
    keep(OLD, YOUNG, ANCIENT)
    assert (forget_event_keys(), left()) == (2, [1])
    assert forget_event_keys() == 0


@pytest.mark.parametrize("waits", ["due", "at once", "held", "event"])
def test_where_something_waits_its_keys_wait_for_it(tenant: TenantRef, waits: str) -> None:
    keep(OLD, YOUNG, ANCIENT)
    now = clock.now()
    row = {"run_id": ids.uuid7(), "tenant_id": tenant.id, "definition_id": ids.uuid7()}
    if waits == "event":
        IntakeRow.objects.create(tenant_id=tenant.id, event_id=ids.uuid7())
    elif waits == "held":
        QueueRow.objects.create(**row, ready_at=now + timedelta(days=1), owner=ids.uuid7())
    else:
        QueueRow.objects.create(**row, ready_at=now - timedelta(days=3))
    if waits == "at once":
        with connection.cursor() as cursor:
            cursor.execute("update ledger_queue set ready_at = '-infinity'")
    assert (forget_event_keys(), left()) == (1, [0, 1])


def test_a_run_that_is_parked_keeps_nothing_back(tenant: TenantRef) -> None:
    keep(OLD)
    QueueRow.objects.create(
        run_id=ids.uuid7(),
        tenant_id=tenant.id,
        definition_id=ids.uuid7(),
        ready_at=clock.now() + timedelta(days=30),
    )
    assert (forget_event_keys(), left()) == (1, [])


def test_a_shut_tenant_keeps_all_of_its_keys(tenant: TenantRef) -> None:
    keep(ANCIENT)
    Slot.objects.filter(tenant_id=tenant.id).update(open=False)
    assert (forget_event_keys(), left()) == (0, [0])


def test_in_a_sandbox_its_own_clock_counts(tenant: TenantRef) -> None:
    then = clock.now() - timedelta(days=400)
    Slot.objects.filter(tenant_id=tenant.id).update(virtual_now=then)
    keep(OLD, YOUNG, before=then)
    assert (forget_event_keys(), left()) == (1, [1])


def test_in_a_sandbox_nothing_goes_while_something_is_held(tenant: TenantRef) -> None:
    """A worker that was killed holds its runs for half a minute, in which the replayer moves the clock by a year."""
    then = clock.now() - timedelta(days=400)
    Slot.objects.filter(tenant_id=tenant.id).update(virtual_now=then)
    keep(ANCIENT, before=then)
    held = QueueRow.objects.create(
        run_id=ids.uuid7(), tenant_id=tenant.id, definition_id=ids.uuid7(), ready_at=then, owner=ids.uuid7()
    )
    assert (forget_event_keys(), left()) == (0, [0])
    held.delete()
    assert (forget_event_keys(), left()) == (1, [])


def test_each_tenant_loses_its_own(cast: Cast) -> None:
    for place in (cast.tenant, cast.other_tenant):
        with context.enter(place):
            keep(OLD, YOUNG)
    assert forget_event_keys() == 2
    for place in (cast.tenant, cast.other_tenant):
        with context.enter(place):
            assert left() == [1]


def test_it_goes_in_small_parts_and_stops_in_time(tenant: TenantRef) -> None:
    keep(*[OLD] * 7)
    assert (forget_event_keys(seconds=0), len(left())) == (0, 7)
    assert (forget_event_keys(at_once=3), left()) == (7, [])


def test_a_schema_that_is_gone_is_passed_over(tenant: TenantRef) -> None:
    keep(OLD)
    with context.leave():
        Slot.objects.create(tenant_id=ids.uuid7(), schema_name="t_gone")
        assert forget_event_keys() == 1


def test_the_job_comes_every_half_hour(tenant: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(OLD)
    jobs.run_now("engine.forget")
    assert left() == []
    at = [0.0]
    monkeypatch.setattr("kernel.jobs.time.monotonic", lambda: at[0])
    due = jobs.every(1800)
    asked = []
    for at[0] in (0.0, 1.0, 1799.0, 1800.0, 1801.0):
        asked.append(list(due()))
    assert asked == [[{}], [], [], [{}], []]
