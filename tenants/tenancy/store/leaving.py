"""What a tenant has in tables that all tenants share, found in the database's own catalogue: counted, taken away."""

from typing import Final
from uuid import UUID

from django.db import connection

_NAMES: Final = ["tenant_id", "schema_name"]
_KEPT: Final = frozenset({"tenancy_tenant"})
"""Went before, by the ORM, which took along what refers to it."""
_MARKED: Final = """
select c.table_name, c.column_name from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.column_name = any(%s) order by 1, 2
"""


def _marked() -> list[tuple[str, str]]:
    """(table, column) of every shared table that says whose a row is."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKED, [_NAMES])
        return [(table, column) for table, column in cursor.fetchall() if table not in _KEPT]


def _whose(column: str, tenant_id: UUID, schema: str) -> UUID | str:
    return tenant_id if column == "tenant_id" else schema


def clear_shared(tenant_id: UUID, schema: str) -> dict[str, int]:
    """Delete a tenant's rows in shared tables that nothing refers to; how many in which."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute("set constraints all deferred")
        for table, column in _marked():
            cursor.execute(
                f'delete from public."{table}" where "{column}" = %s', [_whose(column, tenant_id, schema)]
            )
            if cursor.rowcount:
                found[table] = found.get(table, 0) + int(cursor.rowcount)
    return found


def left_in_shared(tenant_id: UUID, schema: str) -> dict[str, int]:
    """How many rows of a tenant there are in each shared table that has some."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table, column in [*_marked(), ("tenancy_tenant", "id")]:
            value = tenant_id if column == "id" else _whose(column, tenant_id, schema)
            cursor.execute(f'select count(*) from public."{table}" where "{column}" = %s', [value])
            row = cursor.fetchone()
            if row and row[0]:
                found[table] = found.get(table, 0) + int(row[0])
    return found


def rows_in(schema: str) -> dict[str, int]:
    """How many rows each table of a schema has."""
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = %s order by 1", [schema])
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'select count(*) from "{schema}"."{table}"')
            row = cursor.fetchone()
            found[table] = int(row[0]) if row else 0
    return found
