"""Every event is handed on exactly once and in order, also when something dies in between."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from automations.events import actions, registry
from automations.events.actions import Receipt
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from kernel import locks
from kernel.secrets import Secret
from tenants.audit.actions import record
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW

Deliver = Callable[..., Receipt]
pytestmark = pytest.mark.usefixtures("handlers")


def noted(*patterns: str, order: int = 50) -> list[str]:
    """Register a handler that notes the ids of what it gets."""
    seen: list[str] = []
    registry.handles(*patterns, order=order)(
        lambda events, now: seen.extend(event.event_id for event in events)
    )
    return seen


def written(events: list[Event], now: datetime) -> None:
    """A handler that writes one row for each event."""
    for event in events:
        record(actor=make.BY, action="test.handled", obj=event, now=now)


def handled() -> list[str]:
    keys = AuditEvent.objects.filter(action="test.handled").order_by("id").values_list("object_id", flat=True)
    names = {event.public_id: event.event_id for event in Event.objects.all()}
    return [names[key] for key in keys]


def test_events_are_handed_on_in_the_order_of_their_intake(deliver: Deliver, tenant: TenantRef) -> None:
    seen = noted("*")
    deliver([make.cloudevent(id=f"e-{number}", time="2020-01-01T00:00:00Z") for number in range(3)])
    deliver(make.cloudevent(id="e-3"))
    assert actions.dispatch(tenant, now=NOW) == 4
    assert seen == ["e-0", "e-1", "e-2", "e-3"]
    assert IntakeRow.objects.count() == 0
    assert actions.dispatch(tenant, now=NOW) == 0


def test_a_handler_gets_whole_events_and_the_instant(deliver: Deliver, tenant: TenantRef) -> None:
    calls: list[Any] = []
    registry.handles("order.placed")(lambda events, now: calls.append((events, now)))
    deliver(make.cloudevent(id="e-1", correlationid="c"))
    actions.dispatch(tenant, now=NOW)
    ((events, now),) = calls
    stored = Event.objects.get()
    assert now == NOW
    assert [event.envelope() for event in events] == [stored.envelope()]
    for field in Event._meta.concrete_fields:
        assert getattr(events[0], field.attname) == getattr(stored, field.attname), field.name
    assert not events[0]._state.adding


def test_a_handler_gets_what_it_asked_for_and_is_not_called_for_nothing(
    deliver: Deliver, tenant: TenantRef
) -> None:
    tills, none = noted("till.*"), []
    registry.handles("stock.adjusted")(lambda events, now: none.append(events))
    deliver([make.cloudevent(id="a"), make.cloudevent("till.opened", id="b")])
    actions.dispatch(tenant, now=NOW)
    assert (tills, none) == (["b"], [])


def test_the_limit_is_kept(deliver: Deliver, tenant: TenantRef) -> None:
    seen = noted("*")
    deliver([make.cloudevent(id=f"e-{number}") for number in range(5)])
    assert [actions.dispatch(tenant, limit=2, now=NOW) for _ in range(4)] == [2, 2, 1, 0]
    assert seen == ["e-0", "e-1", "e-2", "e-3", "e-4"]


def test_only_the_tenants_own_events_leave_the_intake(
    deliver: Deliver, tenant: TenantRef, other_tenant: TenantRef
) -> None:
    seen = noted("*")
    deliver(make.cloudevent(id="ours"))
    with context.enter(other_tenant):
        actions.publish(type="till.opened", subject="", data={}, source="/x", time=NOW, event_id="theirs")
    assert actions.dispatch(tenant, now=NOW) == 1
    assert seen == ["ours"]
    with context.leave():
        assert IntakeRow.objects.get().tenant_id == other_tenant.id


def test_it_enters_the_tenant_itself_and_leaves_it(deliver: Deliver, tenant: TenantRef) -> None:
    places: list[Any] = []
    registry.handles("*")(lambda events, now: places.append(context.current()))
    deliver(make.cloudevent())
    with context.leave():
        assert actions.dispatch(tenant, now=NOW) == 1
        assert context.current_or_none() is None
    assert places == [tenant]


def test_what_a_handler_publishes_waits_for_the_next_round(deliver: Deliver, tenant: TenantRef) -> None:
    def tell(events: list[Event], now: datetime) -> None:
        actions.publish(
            type="portal.seen",
            subject="",
            data={},
            source="/portal",
            time=now,
            event_id="fact",
            internal=True,
        )

    registry.handles("order.placed")(tell)
    seen = noted("portal.*")
    deliver(make.cloudevent())
    assert actions.dispatch(tenant, now=NOW) == 1
    assert seen == []
    assert actions.dispatch(tenant, now=NOW) == 1
    assert seen == ["fact"]


def test_an_event_that_is_gone_is_passed_over(deliver: Deliver, tenant: TenantRef) -> None:
    seen = noted("*")
    deliver([make.cloudevent(id="kept"), make.cloudevent(id="gone")])
    Event.objects.filter(event_id="gone").delete()
    assert actions.dispatch(tenant, now=NOW) == 2
    assert seen == ["kept"]


class TestPoison:
    """One event that cannot be worked on does not stop the others."""

    def poisoned(self, *names: str, error: Exception | None = None) -> None:
        def fail(events: list[Event], now: datetime) -> None:
            written(events, now)
            if any(event.event_id in names for event in events):
                raise error or ValueError("cannot work on this")

        registry.handles("*")(fail)

    @pytest.mark.parametrize("position", [0, 1, 6, 12])
    def test_it_is_set_aside_and_the_others_pass_once_and_in_order(
        self, deliver: Deliver, tenant: TenantRef, position: int
    ) -> None:
        names = [f"e-{number}" for number in range(13)]
        deliver([make.cloudevent(id=name) for name in names])
        self.poisoned(f"e-{position}")
        assert actions.dispatch(tenant, now=NOW) == 13
        assert handled() == [name for name in names if name != f"e-{position}"]
        assert IntakeRow.objects.count() == 0
        aside = Rejection.objects.get()
        event = Event.objects.get(event_id=f"e-{position}")
        assert (aside.code, aside.event, aside.state) == ("handler_failed", event.id, "open")
        assert aside.reason == "ValueError: cannot work on this"
        assert aside.body == event.envelope()

    def test_several_are_set_aside_each(self, deliver: Deliver, tenant: TenantRef) -> None:
        deliver([make.cloudevent(id=f"e-{number}") for number in range(10)])
        self.poisoned("e-0", "e-4", "e-5")
        assert actions.dispatch(tenant, now=NOW) == 10
        assert handled() == ["e-1", "e-2", "e-3", "e-6", "e-7", "e-8", "e-9"]
        assert Rejection.objects.count() == 3

    def test_it_is_found_in_few_steps(self, deliver: Deliver, tenant: TenantRef) -> None:
        calls: list[int] = []

        def fail(events: list[Event], now: datetime) -> None:
            calls.append(len(events))
            if any(event.event_id == "e-77" for event in events):
                raise ValueError

        registry.handles("*")(fail)
        deliver([make.cloudevent(id=f"e-{number}") for number in range(128)])
        actions.dispatch(tenant, now=NOW)
        assert len(calls) == 15  # 128, then at each of seven halvings one that passes and one that does not

    def test_its_reason_holds_no_secret(self, deliver: Deliver, tenant: TenantRef) -> None:
        value = Secret("a-secret-that-was-used").reveal()
        deliver(make.cloudevent(id="bad"))
        self.poisoned("bad", error=RuntimeError(f"401 for {value}"))
        actions.dispatch(tenant, now=NOW)
        assert Rejection.objects.get().reason == "RuntimeError: 401 for •••"

    def test_trouble_with_the_database_is_nobodys_fault(self, deliver: Deliver, tenant: TenantRef) -> None:
        deliver(make.cloudevent(id="fine"))
        self.poisoned("fine", error=OperationalError("the connection is lost"))
        with pytest.raises(OperationalError), transaction.atomic():
            actions.dispatch(tenant, now=NOW)
        assert (IntakeRow.objects.count(), Rejection.objects.count()) == (1, 0)

    def test_but_a_statement_that_the_event_makes_wrong_is(self, deliver: Deliver, tenant: TenantRef) -> None:
        def fail(events: list[Event], now: datetime) -> None:
            with connection.cursor() as cursor:
                cursor.execute("select 1 / 0")

        registry.handles("*")(fail)
        deliver(make.cloudevent())
        assert actions.dispatch(tenant, now=NOW) == 1
        assert Rejection.objects.get().reason == "DataError: division by zero"


class TestCommitted:
    """With real transactions and several connections."""

    @pytest.fixture(autouse=True)
    def _committed(self, committed: Any, rings: list[None]) -> None:
        """Everything here is committed, and nobody hears the bell."""

    def test_a_crash_before_the_commit_leaves_everything_as_it_was(
        self, deliver: Deliver, tenant: TenantRef
    ) -> None:
        registry.handles("*", order=10)(written)
        dying: list[int] = [1]

        def die(events: list[Event], now: datetime) -> None:
            if dying:
                raise SystemExit(9)  # as a worker that is killed between its handlers and the commit

        registry.handles("*", order=90)(die)
        deliver([make.cloudevent(id=f"e-{number}") for number in range(3)])
        with pytest.raises(SystemExit):
            actions.dispatch(tenant, now=NOW)
        assert (handled(), IntakeRow.objects.count(), Rejection.objects.count()) == ([], 3, 0)
        dying.clear()
        assert actions.dispatch(tenant, now=NOW) == 3
        assert actions.dispatch(tenant, now=NOW) == 0
        assert handled() == ["e-0", "e-1", "e-2"]

    def test_a_connection_that_dies_before_the_commit_leaves_everything_as_it_was(
        self, deliver: Deliver, tenant: TenantRef
    ) -> None:
        registry.handles("*", order=10)(written)
        dying: list[int] = [1]

        def cut(events: list[Event], now: datetime) -> None:
            if dying:
                connection.connection.close()

        registry.handles("*", order=90)(cut)
        deliver(make.cloudevent(id="e-0"))
        with pytest.raises(Exception, match="closed"):
            actions.dispatch(tenant, now=NOW)
        connection.close()
        assert (handled(), IntakeRow.objects.count(), Rejection.objects.count()) == ([], 1, 0)
        dying.clear()
        assert actions.dispatch(tenant, now=NOW) == 1
        assert handled() == ["e-0"]

    def test_two_at_once_do_not_handle_twice(self, deliver: Deliver, tenant: TenantRef) -> None:
        def slow(events: list[Event], now: datetime) -> None:
            written(events, now)
            time.sleep(0.01)

        registry.handles("*")(slow)
        names = [f"e-{number:03}" for number in range(60)]
        deliver([make.cloudevent(id=name) for name in names])
        counts: list[int] = []

        def work() -> None:
            try:
                counts.extend(actions.dispatch(tenant, limit=7, now=NOW) for _ in range(12))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while IntakeRow.objects.exists():
            counts.append(actions.dispatch(tenant, now=NOW))
        assert sum(counts) == 60
        assert handled() == names

    def test_who_comes_while_another_is_at_it_goes_away_at_once(
        self, deliver: Deliver, tenant: TenantRef
    ) -> None:
        seen = noted("*")
        deliver(make.cloudevent())
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            try:
                with transaction.atomic():
                    assert locks.try_lock_until_commit("events.dispatch", tenant.id)
                    held.set()
                    done.wait(10)
            finally:
                connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        assert actions.dispatch(tenant, now=NOW) == 0
        done.set()
        thread.join()
        assert actions.dispatch(tenant, now=NOW) == 1
        assert len(seen) == 1


def test_a_batch_of_500_costs_little(deliver: Deliver, tenant: TenantRef) -> None:
    seen = noted("*")
    deliver([make.cloudevent(data=make.order()) for _ in range(500)])
    started = time.thread_time()
    assert actions.dispatch(tenant, limit=500, now=NOW) == 500
    assert time.thread_time() - started < 0.15
    assert len(seen) == 500
