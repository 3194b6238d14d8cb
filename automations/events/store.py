"""The SQL of the hot path: events in together with their intake rows, and out again in order.

One statement does each, under schema-qualified names and on a cursor that binds on the server: it costs one round
trip and, once prepared, no planning. One row goes as VALUES, several as binary arrays: each is the cheapest there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import OperationalError, transaction
from django.db import connection as _django_connection
from psycopg import AsyncConnection, AsyncCursor

from automations.events.models import Event, Rejection
from kernel import ids, jsonx
from kernel.jsonx import Json

connection: Any = _django_connection
_TYPES: Final = {
    "id": "uuid",
    "source": "text",
    "event_id": "text",
    "type": "text",
    "subject": "text",
    "time": "timestamptz",
    "received_at": "timestamptz",
    "data": "jsonb",
    "extensions": "jsonb",
    "contract": "int2",
    "body_digest": "bytea",
    "fingerprint": "bytea",
    "internal": "bool",
}
_COLUMNS: Final = ", ".join(_TYPES)
_ARRAYS: Final = ", ".join(
    "%b::text[]::jsonb[]" if kind == "jsonb" else f"%b::{kind}[]" for kind in _TYPES.values()
)
_VALUES: Final = ", ".join(f"%s::{kind}" for kind in _TYPES.values())
_ROWS: Final = {
    False: f"(values ({_VALUES})) as rows({_COLUMNS})",
    True: f"unnest({_ARRAYS}) as rows({_COLUMNS})",
}
_INSERT: Final = """
with place as ({place}),
fresh as (
  insert into "{schema}".events_event ({columns}, endpoint_id)
  select rows.*, place.endpoint from place, {rows}
  on conflict do nothing returning id, received_at),
taken as (
  insert into public.ledger_intake (tenant_id, event_id, received_at)
  select %s, id, received_at from fresh order by id)
select array(select id from fresh) from place
"""
_AT_ENDPOINT: Final = """
  select id as endpoint from "{schema}".events_endpoint where id = %s and secret_version = %s and active"""
_NOWHERE: Final = "select null::uuid as endpoint"
_TAKE: Final = """
with taken as (
  delete from public.ledger_intake where seq = any(array(
    select seq from public.ledger_intake where tenant_id = %s order by seq limit %s))
  returning seq, event_id)
select taken.seq, {columns} from taken left join "{schema}".events_event e on e.id = taken.event_id
order by taken.seq
"""
_EVENT_COLUMNS: Final = tuple(field.attname for field in Event._meta.concrete_fields)
_RETURN: Final = "insert into public.ledger_intake (tenant_id, event_id, received_at) values (%s, %s, %s)"
_UNTAKE: Final = "delete from public.ledger_intake where seq = %s and tenant_id = %s returning event_id"
_WAITING: Final = """
select count(*) from (select 1 from public.ledger_intake where tenant_id = %s limit %s) as waiting
"""
_TYPES_SEEN: Final = """
with recursive seen as (
  (select type from "{schema}".events_event order by type limit 1)
  union all
  select (select type from "{schema}".events_event e where e.type > seen.type order by e.type limit 1) from seen
  where seen.type is not null)
select type from seen where type is not null
"""
_KNOWN: Final = """
select id, source, event_id, body_digest from "{schema}".events_event
where (source, event_id) in (select * from unnest(%b::text[], %b::text[]))
"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be stored; `data` is JSON text or None, `body_digest` and `fingerprint` are SHA-256."""

    id: UUID
    source: str
    event_id: str
    type: str
    subject: str
    time: datetime
    received_at: datetime
    data: str | None
    extensions: str = "{}"
    contract: int | None = None
    body_digest: bytes | None = None
    fingerprint: bytes | None = None
    internal: bool = False

    def values(self) -> tuple[Any, ...]:
        """The columns in the order of the statement."""
        return (
            self.id,
            self.source,
            self.event_id,
            self.type,
            self.subject,
            self.time,
            self.received_at,
            self.data,
            self.extensions,
            self.contract,
            self.body_digest,
            self.fingerprint,
            self.internal,
        )


@dataclass(frozen=True, slots=True)
class Lot:
    """Events that came to one endpoint, which stands here with the version of its secret."""

    schema: str
    tenant_id: UUID
    endpoint: tuple[UUID, int]
    rows: list[NewEvent]


@dataclass(frozen=True, slots=True)
class Known:
    """An event that is stored already under some source and id."""

    id: UUID
    body_digest: bytes | None


def fact_row(
    *,
    source: str,
    event_id: str,
    type: str,  # noqa: A002 - CloudEvents' word
    subject: str,
    time: datetime | float,
    data: Json,
    extensions: Mapping[str, Json] | None = None,
    internal: bool = False,
    received_at: datetime | None = None,
) -> NewEvent:
    """An event of our own; `time` as an instant or in seconds since 1970, and received then unless said otherwise."""
    at = time if isinstance(time, datetime) else datetime.fromtimestamp(time, UTC)
    return NewEvent(
        id=ids.uuid7(),
        source=source,
        event_id=event_id,
        type=type,
        subject=subject,
        time=at,
        received_at=received_at or at,
        data=None if data is None else jsonx.text(data),
        extensions=jsonx.text(dict(extensions)) if extensions else "{}",
        internal=internal,
    )


async def insert_facts(
    cursor: "AsyncConnection[Any] | AsyncCursor[Any]",
    schema: str,
    tenant_id: UUID,
    rows: Sequence[NewEvent],
) -> None:
    """Store `rows` with their intake rows inside the transaction of `cursor`; what is stored already is left alone."""
    if rows:
        await cursor.execute(_insert_sql(_NOWHERE, schema, many=True), [*_arrays(rows), tenant_id])


def insert_here(schema: str, tenant_id: UUID, rows: Sequence[NewEvent]) -> set[UUID]:
    """Store events of our own in the caller's transaction; the keys of those that were not there."""
    if not rows:
        return set()
    found = _row(_insert_sql(_NOWHERE, schema, many=True), [*_arrays(rows), tenant_id])
    return set(found[0]) if found else set()


def insert_delivered(
    schema: str, tenant_id: UUID, endpoint: tuple[UUID, int], rows: Sequence[NewEvent]
) -> set[UUID] | None:
    """Store what an endpoint took in; the keys of what was not there.

    None, and nothing stored, if the endpoint (id, version of its secret) is no longer as it was: the check costs no
    query of its own.
    """
    many = len(rows) > 1
    values = _arrays(rows) if many else rows[0].values()
    found = _row(_insert_sql(_AT_ENDPOINT, schema, many=many), [*endpoint, *values, tenant_id])
    return None if found is None else set(found[0])


async def insert_together(connection: "AsyncConnection[Any]", lots: Sequence[Lot]) -> list[set[UUID] | None]:
    """Store several lots in one transaction; for each what `insert_delivered` says of it."""
    async with connection.pipeline():
        cursors = [
            await connection.execute(
                _insert_sql(_AT_ENDPOINT, lot.schema, many=True),
                [*lot.endpoint, *_arrays(lot.rows), lot.tenant_id],
            )
            for lot in lots
        ]
    found = [await cursor.fetchone() for cursor in cursors]
    return [None if row is None else set(row[0]) for row in found]


def known(schema: str, rows: Sequence[NewEvent]) -> dict[tuple[str, str], Known]:
    """What is stored under the sources and ids of `rows`, by (source, id)."""
    pairs = [[row.source for row in rows], [row.event_id for row in rows]]
    with _cursor() as cursor:
        cursor.execute(_KNOWN.format(schema=schema).encode(), pairs)
        return {
            (source, event_id): Known(key, digest and bytes(digest))
            for key, source, event_id, digest in cursor.fetchall()
        }


def set_aside(rejections: Sequence[Rejection]) -> set[UUID]:
    """Store rejections; the keys of those that were not there."""
    if not rejections:
        return set()
    wanted = [row.id for row in rejections]
    Rejection.objects.bulk_create(rejections, ignore_conflicts=True)
    return set(Rejection.objects.filter(id__in=wanted).values_list("id", flat=True))


def take(schema: str, tenant_id: UUID, limit: int) -> list[tuple[int, Event | None]]:
    """Delete up to `limit` intake rows and return (seq, event) in order; None for an event that is gone."""
    columns = ", ".join(f"e.{name}" for name in _EVENT_COLUMNS)
    with _cursor() as cursor:
        cursor.execute(_TAKE.format(schema=schema, columns=columns).encode(), [tenant_id, limit])
        return [(seq, _event(values)) for seq, *values in cursor.fetchall()]


def give_back(tenant_id: UUID, event_id: UUID, received_at: datetime) -> None:
    """Put a stored event into the intake again, behind all others, as if it came in at `received_at`."""
    with _cursor() as cursor:
        cursor.execute(_RETURN, [tenant_id, event_id, received_at])


def drop_intake(tenant_id: UUID, seq: int) -> bool:
    """Take one row out of the intake without working on it; False if it is gone."""
    with _cursor() as cursor:
        cursor.execute(_UNTAKE, [seq, tenant_id])
        return cursor.fetchone() is not None


def in_intake(events: Sequence[UUID]) -> set[UUID]:
    """Those of these events that are not dispatched yet."""
    with _cursor() as cursor:
        cursor.execute("select event_id from public.ledger_intake where event_id = any(%s)", [list(events)])
        return {row[0] for row in cursor.fetchall()}


def waiting(tenant_id: UUID, *, limit: int) -> int:
    """How many events of a tenant wait in the intake, counted up to `limit`."""
    found = _row(_WAITING.encode(), [tenant_id, limit])
    return int(found[0]) if found else 0


def types_seen(schema: str) -> list[str]:
    """Every type of which there is an event, by jumping through the index from one to the next."""
    with _cursor() as cursor:
        cursor.execute(_TYPES_SEEN.format(schema=schema).encode())
        return [type_ for (type_,) in cursor.fetchall()]


def _event(values: Sequence[Any]) -> Event | None:
    """The model of a row whose columns stand in the order of the model, as `from_db` wants them."""
    if values[0] is None:
        return None
    row = dict(zip(_EVENT_COLUMNS, values, strict=True))
    row["data"] = None if row["data"] is None else jsonx.loads(row["data"])
    row["extensions"] = jsonx.loads(row["extensions"])
    return Event.from_db("default", list(row), list(row.values()))


def _insert_sql(place: str, schema: str, *, many: bool) -> bytes:
    whole = _INSERT.format(place=place, columns=_COLUMNS, rows=_ROWS[many], schema="{schema}")
    return whole.format(schema=schema).encode()


def _arrays(rows: Sequence[NewEvent]) -> list[list[Any]]:
    return [list(column) for column in zip(*(row.values() for row in rows), strict=True)]


@contextmanager
def _cursor() -> Iterator["psycopg.Cursor[Any]"]:
    """A cursor on Django's connection that binds on the server, in the tenant's role as everything is."""
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        connection.settle()
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            yield cursor


def _row(query: bytes, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The first row of a statement that may run twice: a connection that died idle is opened anew, once."""
    idle = connection.connection
    try:
        with _cursor() as cursor:
            return cursor.execute(query, values).fetchone()
    except OperationalError:
        if connection.in_atomic_block or idle is None or not idle.closed:
            raise
        connection.close()
    with _cursor() as cursor:
        return cursor.execute(query, values).fetchone()
