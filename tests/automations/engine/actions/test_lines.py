"""Lines to the database that break: what is in hand is kept, and written once they are back."""

import asyncio
import threading

import psycopg
import pytest
from django.db import connection as ours

from automations.engine.actions.effects import opened
from automations.engine.actions.lines import REST, Lines, lost
from automations.engine.models import Run
from automations.engine.store import claim as claims
from kernel import database
from tests.automations.engine.actions.test_drain import deploy, erp, place

ORDERS = 12
CALLS = "use: {authentications: {erp: {bearer: {use: erp}}}}\ndo:\n" + "".join(
    f"  - {name}: {{call: http, with: {{method: post, body: '${{ {{n: 1}} }}',"
    f" endpoint: {{uri: /stub/{name}, authentication: {{use: erp}}}}}}, output: {{as: $input}}}}\n"
    for name in ("reserve", "pay", "ship")
)
_END = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and "
_BREAK = _END + "application_name = 'portal-engine'"
_BREAK_OTHERS = _END + "application_name = 'portal' and pid <> %s"


def breaking(dsn: str, ending: threading.Event, broken: list[int]) -> None:
    """End every connection of the engine, again and again."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not ending.wait(0.12) and len(broken) < 10:
            broken.append(connection.execute(_BREAK).fetchone()[0])


def test_no_call_is_made_again_because_the_database_went_away(committed, tenant, worker, estate):
    deploy(CALLS, connections=erp(estate))
    estate.ask("POST", "/control/reset", {"latency_ms": 60})
    for number in range(ORDERS):
        place(str(20_000 + number))
    ending, broken = threading.Event(), []
    monkey = threading.Thread(target=breaking, args=[database.dsn("monkey"), ending, broken])
    monkey.start()
    try:
        worker(seconds=20.0, idle=1.0)
    finally:
        ending.set()
        monkey.join()
    assert sum(broken) > 5
    assert list(Run.objects.values_list("status", flat=True)) == ["completed"] * ORDERS
    assert estate.requests == 3 * ORDERS


def test_who_slept_through_a_lease_makes_no_call(committed, tenant, worker, estate, monkeypatch):
    """A process that was held still goes on where it was; whoever has the run now makes its calls."""
    deploy(CALLS, connections=erp(estate))
    for number in range(ORDERS):
        place(str(30_000 + number))
    monkeypatch.setattr(claims, "LEASE_SECONDS", 0)
    worker(seconds=1.0, idle=0.3)
    assert estate.requests == 0
    monkeypatch.undo()
    worker(seconds=20.0, idle=1.0)
    assert list(Run.objects.values_list("status", flat=True)) == ["completed"] * ORDERS
    assert estate.requests == 3 * ORDERS


def test_a_connection_to_a_system_is_read_when_the_database_is_back(committed, tenant, estate):
    """Its headers are read by way of Django, whose own connections go as well."""
    mine = ours.connection.info.backend_pid
    erp_id = erp(estate)["erp"]

    async def read(lines: Lines) -> str:
        found = await lines.steadily(REST, lambda line: opened(line, tenant.id, str(erp_id)))
        return found.base_url

    async def twice() -> tuple[str, str, int]:
        lines = Lines(database.dsn("engine"))
        lines.open()
        try:
            before = await read(lines)
            cursor = await lines[REST].execute(_BREAK_OTHERS, [mine])
            cut = await cursor.fetchone()
            return before, await read(lines), cut[0]
        finally:
            await lines.close()

    before, after, cut = asyncio.run(twice())
    assert before == after == estate.address
    assert cut > 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.DeadlockDetected(), False),
        (psycopg.errors.DiskFull(), False),
        (psycopg.ProgrammingError("no such column"), False),
    ],
)
def test_what_says_that_the_database_is_away(error: psycopg.Error, expected: bool) -> None:
    assert lost(error) is expected
