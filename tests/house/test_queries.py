"""A page asks the database as often for a hundred rows as for ten: looked at for every address that can be read."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automations.ledger.models import Worker
from kernel import clock, ids
from kernel import jobs as kernel_jobs
from tenants.branding import queries as branding
from tenants.tenancy import queries as tenancy
from tests.house import world
from tests.house.cells import CELLS, OPEN
from tests.house.ground import CALLERS, Caller, Ground, provision
from tests.house.routes import Route
from tests.house.world import World
from tests.support.cast import NOW

pytestmark = pytest.mark.timeout(600)
FEW, MANY = 10, 100
CLIENTS: Final = 4
"""How many clients are made: one takes as long as many rows."""


@pytest.fixture(autouse=True)
def _good_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers for a second it remembers here, however slow the machine is."""
    monkeypatch.setattr(tenancy, "_HOST_SECONDS", 3600.0)
    monkeypatch.setattr(branding, "_SECONDS", 3600.0)


def caller(name: str, kind: str) -> Caller:
    return next(one for one in CALLERS if (one.name, one.kind) == (name, kind))


def readable(who: Caller) -> list[Route]:
    """What this caller may read, each address once."""
    return [
        cell.route for cell in CELLS[who] if (cell.method, cell.whose, cell.expected) == ("GET", "own", OPEN)
    ]


def asked(who: Caller, ground: Ground) -> dict[str, int]:
    """How many queries each of their addresses takes, at the second time: some things are remembered."""
    browser, found = ground.knock(who), {}
    for route in readable(who):
        address = route.address(ground.ids(who.kind, "own"))
        found[str(route)] = min(_queries(browser, address) for _ in range(2))
    return found


def _queries(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as taken:
        b"".join(browser.get(address))
    return len(taken)


def shown(ground: Ground, who: Caller, address: str) -> int:
    """How many rows a list shows."""
    return len(ground.knock(who).get(f"{address}?limit=200").json()["items"])


def more(before: dict[str, int], after: dict[str, int]) -> dict[str, str]:
    return {
        name: f"{before[name]} queries, then {number}"
        for name, number in after.items()
        if number > before[name]
    }


@pytest.mark.sweep
def test_a_clients_pages_and_lists(ground: Ground, db: None, now: Any) -> None:
    tenant = ground.cast.tenant
    world.fill(World("Few"), tenant, FEW)
    who = caller("partner_admin", "tenant")
    before = asked(who, ground)
    world.fill(World("Many"), tenant, MANY - FEW)
    assert more(before, asked(who, ground)) == {}
    assert len(before) >= 30
    for address in ("/api/v1/runs", "/api/v1/people", "/api/v1/cases"):
        assert shown(ground, caller("owner", "tenant"), address) >= MANY


@pytest.fixture
def lasting(ground: Ground, django_db_blocker: Any) -> Iterator[Ground]:
    """The furnished places, where what is added is committed: clients are made outside of transactions."""
    with django_db_blocker.unblock():
        yield ground


@pytest.mark.sweep
def test_a_consoles_pages_and_lists(lasting: Ground, now: Any) -> None:
    ground = lasting
    who = caller("partner_admin", "partner")
    _grow(ground, "few", 1)
    before = asked(who, ground)
    _grow(ground, "many", CLIENTS)
    assert more(before, asked(who, ground)) == {}
    assert len(before) >= 15
    assert shown(ground, who, "/api/v1/tenants") > CLIENTS


@pytest.mark.sweep
def test_the_offices_lists(lasting: Ground, now: Any) -> None:
    ground = lasting
    who = caller("operator", "platform")
    _grow(ground, "one", 1)
    _workers(range(FEW))
    before = asked(who, ground)
    _grow(ground, "more", CLIENTS)
    _workers(range(FEW, MANY))
    assert more(before, asked(who, ground)) == {}
    assert len(before) >= 30


def _grow(ground: Ground, name: str, clients: int) -> None:
    """More clients, more staff with tokens, more of everything in the first client."""
    with kernel_jobs.recorded() as recorded:
        made = [provision("meridian", f"{name}-{number}") for number in range(clients)]
        recorded.run_all()
    for tenant in made:
        tenant.refresh_from_db()
        world.fill(World(tenant.slug.title()), tenancy.ref_of(tenant), 1)
    world.of_partner(ground.cast.partner.id, f"{name}-staff", times=clients * 10)
    assert clock.now() == NOW


def _workers(numbers: Iterable[int]) -> None:
    Worker.objects.bulk_create(
        Worker(id=ids.uuid7(), host="h", pid=number, started_at=NOW, heartbeat_at=NOW) for number in numbers
    )


def test_a_page_that_asks_for_each_row_is_seen(ground: Ground, db: None, now: Any) -> None:
    assert more({"a": 5, "b": 6}, {"a": 5, "b": 7}) == {"b": "6 queries, then 7"}
    browser = ground.knock(caller("owner", "tenant"))
    assert _queries(browser, "/api/v1/runs") > 3
