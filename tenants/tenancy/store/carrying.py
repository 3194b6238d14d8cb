"""A schema's rows as COPY writes them: out of a snapshot that stands still, into a schema that nobody uses yet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from django.db import connection as _django_connection
from psycopg import IsolationLevel, sql

from kernel.database import dsn
from tenants.tenancy.registry import Along
from tenants.tenancy.store.roles import OURS

connection: Any = _django_connection  # django-tenants adds the schema to it
HISTORY: Final = "django_migrations"
_COLUMNS: Final = """
select c.relname, a.attname, a.attnotnull from pg_class c
join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname = %s and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  and c.relname <> 'django_migrations'
order by c.relname, a.attnum
"""
_SEQUENCES: Final = "select sequencename, last_value from pg_sequences where schemaname = %s order by 1"
_WATCHED: Final = """
select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace where n.nspname = %s and not t.tgisinternal order by 1
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is stored, and whether it must hold something."""

    name: str
    needed: bool


def columns_of(cursor: Any, schema: str) -> dict[str, tuple[Column, ...]]:
    """The tables of a schema with their columns, in the order in which a row has them."""
    found: dict[str, list[Column]] = {}
    cursor.execute(_COLUMNS, [schema])
    for table, column, needed in cursor.fetchall():
        found.setdefault(table, []).append(Column(column, needed))
    return {table: tuple(columns) for table, columns in found.items()}


def columns_in(schema: str) -> dict[str, tuple[Column, ...]]:
    """The tables of a schema with their columns, as this transaction sees them."""
    with connection.cursor() as cursor:
        return columns_of(cursor, _ours(schema))


class Snapshot:
    """A schema as it is at one instant, whatever happens meanwhile; a connection of its own, which only reads."""

    def __init__(self, schema: str) -> None:
        self.schema = _ours(schema)

    def __enter__(self) -> Self:
        self._session = psycopg.connect(dsn("portal-carry"))
        self._session.isolation_level = IsolationLevel.REPEATABLE_READ
        self._session.read_only = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def begin(self) -> datetime:
        """Let it stand still from now on; when that is, by the database's clock."""
        with self._session.cursor() as cursor:
            cursor.execute("select clock_timestamp()")
            row = cursor.fetchone()
        assert row is not None
        found: datetime = row[0]
        return found

    def head(self) -> dict[str, Any]:
        """The last checkpoint of its audit log; empty where nothing is sealed."""
        with self._session.cursor() as cursor:
            cursor.execute(
                sql.SQL("select size, encode(root, 'hex'), note from {} order by size desc limit 1").format(
                    sql.Identifier(self.schema, "audit_auditcheckpoint")
                )
            )
            row = cursor.fetchone()
        return {"size": row[0], "root": row[1], "note": row[2]} if row else {}

    def tables(self) -> dict[str, tuple[Column, ...]]:
        """Its tables."""
        with self._session.cursor() as cursor:
            return columns_of(cursor, self.schema)

    def types(self) -> dict[tuple[str, str], str]:
        """What each column holds, as the database calls it."""
        with self._session.cursor() as cursor:
            cursor.execute(
                "select table_name, column_name, udt_name from information_schema.columns where table_schema = %s",
                [self.schema],
            )
            return {(table, column): kind for table, column, kind in cursor.fetchall()}

    def migrations(self) -> list[tuple[str, str]]:
        """What was done to it, oldest first."""
        with self._session.cursor() as cursor:
            cursor.execute(
                sql.SQL("select app, name from {} order by id").format(sql.Identifier(self.schema, HISTORY))
            )
            return [(app, name) for app, name in cursor.fetchall()]

    def sequences(self) -> dict[str, int | None]:
        """How far each of its counters is; None for one that was never asked."""
        with self._session.cursor() as cursor:
            cursor.execute(_SEQUENCES, [self.schema])
            return dict(cursor.fetchall())

    def rows(self, table: str, columns: Sequence[Column], withheld: frozenset[str]) -> Iterator[bytes]:
        """A table's rows; a column that is withheld is empty in all of them, so no secret leaves the database."""
        wanted = [self._wanted(column, column.name in withheld) for column in columns]
        query = sql.SQL("copy (select {} from {}) to stdout").format(
            sql.SQL(", ").join(wanted), sql.Identifier(self.schema, table)
        )
        yield from self._copied(query)

    def along(self, one: Along, tenant_id: UUID) -> Iterator[bytes]:
        """A client's rows in a table that all share."""
        query = sql.SQL(
            "copy (select {} from public.{} where tenant_id = {} and {} order by 1) to stdout"
        ).format(
            sql.SQL(", ").join(sql.SQL(said) for said in one.columns.values()),
            sql.Identifier(one.table),
            sql.Literal(str(tenant_id)),
            sql.SQL(one.where),
        )
        yield from self._copied(query)

    def _copied(self, query: sql.Composed) -> Iterator[bytes]:
        with self._session.cursor() as cursor, cursor.copy(query) as copy:
            for chunk in copy:
                yield bytes(chunk)

    @staticmethod
    def _wanted(column: Column, withheld: bool) -> sql.Composable:
        if not withheld:
            return sql.Identifier(column.name)
        return sql.SQL("''::bytea") if column.needed else sql.SQL("null::bytea")


@contextmanager
def quiet(schema: str) -> Iterator[None]:
    """Rows come into a schema inside the block as they are: no trigger takes them for something that happens now."""
    with connection.cursor() as cursor:
        cursor.execute(_WATCHED, [_ours(schema)])
        watched = [row[0] for row in cursor.fetchall()]
        for table in watched:
            cursor.execute(f'alter table "{schema}"."{table}" disable trigger user')
        yield
        cursor.execute("set constraints all immediate")
        for table in watched:
            cursor.execute(f'alter table "{schema}"."{table}" enable trigger user')
        cursor.execute("set constraints all deferred")


def load(schema: str, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> int:
    """Put rows into a table of a schema, in the caller's transaction; how many."""
    target = sql.Identifier(_ours(schema), table)
    return _copy_in(target, columns, rows)


def load_along(one: Along, columns: Sequence[str], tenant_id: UUID, rows: Iterable[bytes]) -> int:
    """Put rows into a table that all clients share, as rows of `tenant_id`; how many."""
    beside = sql.Identifier(f"carried_{one.table}")
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("create temp table {} on commit drop as select {} from public.{} limit 0").format(
                beside, names, sql.Identifier(one.table)
            )
        )
        count = _copy_in(beside, columns, rows)
        cursor.execute(
            sql.SQL("insert into public.{} ({}, tenant_id) select {}, {} from {}").format(
                sql.Identifier(one.table), names, names, sql.Literal(tenant_id), beside
            )
        )
        cursor.execute(sql.SQL("drop table {}").format(beside))
    return count


def _copy_in(target: sql.Identifier, columns: Sequence[str], rows: Iterable[bytes]) -> int:
    connection.settle()  # COPY is no statement that carries the words which bind to a schema
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    with connection.connection.cursor() as cursor:
        with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(target, names)) as copy:
            for chunk in rows:
                copy.write(chunk)
        return int(cursor.rowcount)


def set_sequences(schema: str, values: Mapping[str, int | None]) -> None:
    """Let counters go on where they were."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES, [_ours(schema)])
        here = {row[0] for row in cursor.fetchall()}
        for name, last in values.items():
            if name in here and last is not None:
                cursor.execute("select setval(%s::regclass, %s)", [f'"{schema}"."{name}"', last])


def await_seal(schema: str) -> int:
    """Put events of a log that are not sealed into the queue of what waits; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            insert into public.audit_pending (schema_name, event_id)
            select %s, e.id from "{_ours(schema)}".audit_auditevent e
            where not exists (select from "{schema}".audit_auditleaf l where l.event_id = e.id) order by e.at, e.id
            """,
            [schema],
        )
        return int(cursor.rowcount)


def newest(schema: str) -> dict[str, str]:
    """The newest instant in each table of a schema that has one, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select distinct on (table_name) table_name, column_name from information_schema.columns
            where table_schema = %s and data_type = 'timestamp with time zone'
              and column_name in ('at', 'received_at', 'started_at', 'opened_at', 'created_at', 'published_at')
              and table_name <> 'django_migrations' order by table_name, column_name
            """,
            [_ours(schema)],
        )
        found = {}
        for table, column in cursor.fetchall():
            cursor.execute(f'select max("{column}") from "{schema}"."{table}"')
            row = cursor.fetchone()
            if row and row[0]:
                found[table] = row[0].isoformat()
        return found


def _ours(schema: str) -> str:
    if not OURS.fullmatch(schema):
        raise ValueError(f"{schema!r} is no tenant's schema")
    return schema
