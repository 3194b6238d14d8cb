"""A7: the tenant of one request or job on a connection that another uses next: threads, a pool, PgBouncer."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from automations.events import actions as events
from automations.events import store
from kernel.actor import system
from tenants.audit.actions import record
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.support.bouncer import pgbouncer
from tests.support.cast import NOW, Cast

THREADS: Final = 8
BY: Final = system("attack")


class Crowd:
    """Threads that do things for one tenant and another, in any order; what went wrong, and how often they did what."""

    def __init__(self, places: list[TenantRef], blocker: Any) -> None:
        self.places, self.blocker = places, blocker
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []

    def go(self, times: int) -> None:
        threads = [
            threading.Thread(target=self._walk, args=(seed, times // THREADS)) for seed in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _walk(self, seed: int, times: int) -> None:
        dice = random.Random(seed)
        with self.blocker.unblock():
            try:
                for number in range(times):
                    does = dice.choice(DOES)
                    try:
                        does(dice.choice(self.places), dice.choice(self.places), number)
                    except BaseException as error:  # noqa: BLE001 - told of at the end
                        self.faults.append(f"{does.__name__}: {error!r}"[:300])
                    self.done[does.__name__] += 1
            finally:
                connection.close()


def _mine(ref: TenantRef) -> None:
    assert set(AuditEvent.objects.filter(action="test.mark").values_list("object_id", flat=True)) == {
        ref.slug
    }


def _plain(ref: TenantRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select object_id, current_user from audit_auditevent where action = 'test.mark'")
        assert cursor.fetchall() == [(ref.slug, ref.schema_name)]


def reads(ref: TenantRef, _other: TenantRef, _number: int) -> None:
    with context.enter(ref):
        _mine(ref)


def sql(ref: TenantRef, _other: TenantRef, _number: int) -> None:
    with context.enter(ref):
        _plain(ref)


def writes(ref: TenantRef, other: TenantRef, number: int) -> None:
    """What is written goes where it belongs, also when work for another begins in the same transaction."""
    with transaction.atomic():
        for one in sorted({ref, other}, key=lambda one: one.slug):  # always in one order: locks
            with context.enter(one):
                before = Tenant.objects.filter(pk=one.id).update(name=f"{one.slug} {number}")
                assert before == 1
                assert Tenant.objects.filter(slug=one.slug).count() == 1
        with connection.cursor() as cursor:
            cursor.execute("select current_user = session_user, current_schema()")
            assert cursor.fetchone() == (True, "public")


def goes_back(ref: TenantRef, other: TenantRef, _number: int) -> None:
    """After a savepoint that was undone, in which the role was set, it is set again."""
    with transaction.atomic():
        with context.enter(ref):
            _plain(ref)
            try:
                with transaction.atomic(), context.enter(other):
                    _plain(other)
                    raise ZeroDivisionError
            except ZeroDivisionError:
                _plain(ref)
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("select 1 / 0")
            except DatabaseError:
                _plain(ref)
        with context.enter(other):
            _plain(other)


def looks_over(ref: TenantRef, other: TenantRef, _number: int) -> None:
    if ref == other:
        return
    with context.enter(ref):
        try:
            with connection.cursor() as cursor:
                cursor.execute(f'select count(*) from "{other.schema_name}".audit_auditevent')
        except DatabaseError as error:
            assert "permission denied" in str(error)  # noqa: PT017 - any other error is a fault
        else:
            raise AssertionError("another schema was read")
        _plain(ref)


def nobody(ref: TenantRef, _other: TenantRef, _number: int) -> None:
    with context.enter(ref):
        _plain(ref)
    with connection.cursor() as cursor:
        cursor.execute("select current_user = session_user, current_schema()")
        assert cursor.fetchone() == (True, "public")


DOES: Final[list[Callable[[TenantRef, TenantRef, int], None]]] = [
    reads,
    sql,
    sql,
    writes,
    goes_back,
    looks_over,
    nobody,
]


@pytest.fixture
def crowd(committed: Any, cast: Cast, django_db_blocker: Any) -> Crowd:
    places = [cast.tenant, cast.other_tenant]
    for ref in places:
        with context.enter(ref), transaction.atomic():
            record(actor=BY, action="test.mark", obj=("test", ref.slug, ref.slug), now=NOW)
    return Crowd(places, django_db_blocker)


@pytest.fixture
def behind_pgbouncer(committed: Any, tmp_path: Path) -> Iterator[None]:
    """Threads that begin from now on come to the database through PgBouncer."""
    database = settings.DATABASES["default"]
    before = {"HOST": database["HOST"], "PORT": database["PORT"], "OPTIONS": database["OPTIONS"]}
    with pgbouncer(database, tmp_path) as port:
        database.update(
            HOST="127.0.0.1", PORT=str(port), OPTIONS={**before["OPTIONS"], "prepare_threshold": None}
        )
        try:
            yield
        finally:
            database.update(before)


@pytest.mark.timeout(600)
def test_nothing_crosses_over_in_threads(crowd: Crowd) -> None:
    crowd.go(20_000)
    assert not crowd.faults, f"{len(crowd.faults)}, such as {crowd.faults[:5]}"
    assert crowd.done.total() == 20_000
    assert set(crowd.done) == {does.__name__ for does in DOES}


@pytest.mark.timeout(600)
def test_nothing_crosses_over_behind_pgbouncer(crowd: Crowd, behind_pgbouncer: None) -> None:
    """Eight clients share three sessions, and each statement may go by another of them."""
    connections.close_all()
    crowd.go(8_000)
    assert not crowd.faults, f"{len(crowd.faults)}, such as {crowd.faults[:5]}"
    assert crowd.done.total() == 8_000


def test_requests_and_events_work_behind_pgbouncer(
    crowd: Crowd, behind_pgbouncer: None, cast: Cast, client_for: Callable[..., Client]
) -> None:
    """Statements that bind on the server included, more often than a session would need to prepare them."""
    connections.close_all()
    browser = client_for(cast.owner, cast.host)
    for number in range(12):
        assert browser.get("/api/v1/runs").status_code == 200
        with context.enter(cast.tenant), transaction.atomic():
            events.publish(
                type="till.opened", subject="", data={}, source="/x", time=NOW, event_id=f"e{number}"
            )
        with context.enter(cast.tenant):
            assert store.waiting(cast.tenant.id, limit=100) == number + 1
    connections.close_all()


def test_a_connection_that_is_handed_on_remembers_nothing(crowd: Crowd) -> None:
    """As a pool does it: the very same session, first one tenant's, then nobody's, then the other's."""
    for ref in crowd.places * 3:
        with context.enter(ref):
            _plain(ref)
        raw = connection.connection
        assert raw.execute(
            "select current_user = session_user, current_setting('search_path')"
        ).fetchone() == (
            True,
            '"$user", public',
        )
