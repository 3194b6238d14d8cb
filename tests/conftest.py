"""What every test stands on: a database with the cast in it, a tenant, a clock that stands, jobs that are written down.

A test that asks for `db` or `tenant` runs in a transaction that is rolled back. One that needs commits (threads,
crashes, `on_commit`) asks for `committed` as well and gets a fresh copy of the database behind it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from kernel import clock
from kernel import jobs as kernel_jobs
from tenants.access.models import User
from tenants.tenancy import context, queries
from tenants.tenancy.queries import TenantRef
from tests.support import cast as the_cast
from tests.support.admitting import admit
from tests.support.cast import Cast
from tests.support.databases import TestDatabase


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """No test reaches the network: Unix sockets and 127.0.0.1 only."""
    config.option.allow_hosts = "127.0.0.1"
    config.option.allow_unix_socket = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`django_db(transaction=True)` would empty every table, the cast included."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if (marker and marker.kwargs.get("transaction")) or "transactional_db" in getattr(
            item, "fixturenames", ()
        ):
            raise pytest.UsageError(
                f"{item.nodeid}: ask for the fixture `committed` instead of transaction=True"
            )


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None
) -> Iterator[TestDatabase]:
    """The database of this worker, copied from a template in which the cast lives."""
    with django_db_blocker.unblock():
        database = TestDatabase()
        database.create()
    yield database
    with django_db_blocker.unblock():
        database.drop()


@pytest.fixture(scope="session", autouse=True)
def _static_root(django_test_environment: None) -> None:
    """The folder that the static files middleware looks into; nobody collects files for tests."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def committed(django_db_setup: TestDatabase, django_db_blocker: Any) -> Iterator[TestDatabase]:
    """What the test writes is committed and seen by other connections; afterwards the database is copied anew."""
    with django_db_blocker.unblock():
        yield django_db_setup
        django_db_setup.renew()


@pytest.fixture
def _database(request: pytest.FixtureRequest) -> None:
    """The kind of database that the test asked for."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "db")


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    """Nothing that the process remembers about hosts outlives a test."""
    queries.forget_hosts()


@pytest.fixture(autouse=True)
def jobs() -> Iterator[kernel_jobs.recorded]:
    """Jobs are written down, never sent: `jobs.calls`, and `jobs.run_all()` runs them."""
    with kernel_jobs.recorded() as recorded:
        yield recorded


@pytest.fixture
def now() -> Iterator[datetime]:
    """The instant at which the clock stands still for this test."""
    with clock.hold(the_cast.NOW):
        yield the_cast.NOW


@pytest.fixture
def cast(_database: None) -> Cast:
    """The people and places of the test database."""
    return the_cast.load()


@pytest.fixture
def tenant(cast: Cast) -> Iterator[TenantRef]:
    """Hollis, entered: what the test does, it does there."""
    with context.enter(cast.tenant) as entered:
        yield entered


@pytest.fixture
def other_tenant(cast: Cast) -> TenantRef:
    """Arbor, of another partner; not entered."""
    return cast.other_tenant


@pytest.fixture
def client_for(_database: None) -> Callable[..., Client]:
    """`client_for(user, host)`: a browser in which `user` is signed in on `host`; nobody, where `user` is None."""

    def make(user: User | None, host: str) -> Client:
        browser = Client(HTTP_HOST=host)
        if user is not None:
            browser.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
            session = browser.session
            session["host"] = host
            if support := admit(user, host):
                session["support"] = support
            session.save()
        return browser

    return make
