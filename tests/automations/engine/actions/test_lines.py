"""Lines to the database that break: what is in hand is kept, and written once they are back."""

import threading

import psycopg
import pytest

from automations.engine.actions.lines import lost
from automations.engine.models import Run
from kernel import database
from tests.automations.engine.actions.test_drain import deploy, erp, place

ORDERS = 12
CALLS = "use: {authentications: {erp: {bearer: {use: erp}}}}\ndo:\n" + "".join(
    f"  - {name}: {{call: http, with: {{method: post, body: '${{ {{n: 1}} }}',"
    f" endpoint: {{uri: /stub/{name}, authentication: {{use: erp}}}}}}, output: {{as: $input}}}}\n"
    for name in ("reserve", "pay", "ship")
)
_BREAK = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'portal-engine'"
)


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
