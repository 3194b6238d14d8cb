"""The SQL of the hot path holds under the engine's committer, and after the database went away for a moment."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from automations.events import store
from automations.events.models import Event
from automations.ledger.models import IntakeRow
from kernel import ids
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW


def fact(number: int, **changes: Any) -> store.NewEvent:
    return store.fact_row(
        source="/engine",
        event_id=f"run_1:{number}",
        type="portal.run.completed",
        subject="10045",
        time=NOW.timestamp() + number,
        data={"n": number},
        extensions={"portalhops": 1},
        internal=number % 2 == 0,
        **changes,
    )


async def insert(schema: str, tenant: TenantRef, rows: list[store.NewEvent], *, commit: bool = True) -> None:
    """As the engine does it: on an asynchronous connection, with names that say the schema."""
    database = settings.DATABASES["default"]
    wire = await psycopg.AsyncConnection.connect(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        host=database["HOST"],
        port=database["PORT"],
    )
    async with wire:
        await store.insert_facts(wire, schema, tenant.id, rows)
        if not commit:
            await wire.rollback()


def run(coroutine: Any) -> None:
    import asyncio

    asyncio.run(coroutine)


@pytest.mark.usefixtures("committed")
class TestFacts:
    def test_facts_are_stored_with_their_intake_rows_in_order(self, tenant: TenantRef) -> None:
        rows = [fact(number) for number in range(5)]
        run(insert(tenant.schema_name, tenant, rows))
        stored = list(Event.objects.order_by("id"))
        assert [event.id for event in stored] == [row.id for row in rows]
        assert [event.data for event in stored] == [{"n": number} for number in range(5)]
        assert [event.internal for event in stored] == [True, False, True, False, True]
        assert stored[1].time == stored[1].received_at == datetime(2026, 3, 2, 9, 30, 1, tzinfo=UTC)
        assert stored[0].extensions == {"portalhops": 1}
        waiting = list(IntakeRow.objects.order_by("seq"))
        assert [row.event_id for row in waiting] == [row.id for row in rows]
        assert [row.received_at for row in waiting] == [event.received_at for event in stored]

    def test_a_fact_that_is_told_again_is_not_a_second_one(self, tenant: TenantRef) -> None:
        run(insert(tenant.schema_name, tenant, [fact(1)]))
        run(insert(tenant.schema_name, tenant, [fact(1), fact(2)]))
        assert (Event.objects.count(), IntakeRow.objects.count()) == (2, 2)

    def test_facts_stand_and_fall_with_their_transaction(self, tenant: TenantRef) -> None:
        run(insert(tenant.schema_name, tenant, [fact(1)], commit=False))
        assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)

    def test_no_facts_are_no_statement(self, tenant: TenantRef) -> None:
        run(insert("no such schema", tenant, []))
        assert Event.objects.count() == 0

    def test_a_connection_that_died_idle_is_opened_anew(self, tenant: TenantRef) -> None:
        assert store.waiting(tenant.id, limit=10) == 0
        with psycopg.connect(
            dbname=settings.DATABASES["default"]["NAME"],
            user=settings.DATABASES["default"]["USER"],
            password=settings.DATABASES["default"]["PASSWORD"],
            host=settings.DATABASES["default"]["HOST"],
            port=settings.DATABASES["default"]["PORT"],
        ) as other:
            other.execute("select pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        assert store.insert_here(tenant.schema_name, tenant.id, [fact(1)]) != set()
        assert (Event.objects.count(), IntakeRow.objects.count()) == (1, 1)


def test_one_row_and_many_are_stored_alike(tenant: TenantRef) -> None:
    door = make.endpoint().row
    whole = replace(
        fact(1), contract=3, body_digest=b"\x01" * 32, fingerprint=b"\x02" * 32, internal=False, data=None
    )
    other = replace(whole, id=ids.uuid7(), event_id="b", fingerprint=b"\x03" * 32)
    third = replace(whole, id=ids.uuid7(), event_id="c", fingerprint=b"\x04" * 32)
    place = (door.id, 1)
    assert store.insert_delivered(tenant.schema_name, tenant.id, place, [whole]) == {whole.id}
    assert store.insert_delivered(tenant.schema_name, tenant.id, place, [other, third]) == {
        other.id,
        third.id,
    }
    rows = list(Event.objects.order_by("id").values())
    alike = [
        {name: value for name, value in row.items() if name not in ("id", "event_id", "fingerprint")}
        for row in rows
    ]
    assert alike[0] == alike[1] == alike[2]
    assert (alike[0]["endpoint_id"], alike[0]["data"], alike[0]["contract"]) == (door.id, None, 3)


def test_nothing_is_stored_at_an_endpoint_that_changed(tenant: TenantRef) -> None:
    door = make.endpoint().row
    assert store.insert_delivered(tenant.schema_name, tenant.id, (door.id, 2), [fact(1)]) is None
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_the_same_body_is_stored_once_an_endpoint(tenant: TenantRef) -> None:
    first, second = make.endpoint().row, make.endpoint().row
    row = replace(fact(1), fingerprint=b"\x02" * 32)
    again = replace(row, id=ids.uuid7(), event_id="another id")
    assert store.insert_delivered(tenant.schema_name, tenant.id, (first.id, 1), [row]) == {row.id}
    assert store.insert_delivered(tenant.schema_name, tenant.id, (first.id, 1), [again]) == set()
    assert store.insert_delivered(tenant.schema_name, tenant.id, (second.id, 1), [again]) == {again.id}
