"""Putting a schema in the place of another, in the caller's transaction: renamed, not copied, so it takes a moment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection as _django_connection

from tenants.tenancy.registry import Along, Withheld
from tenants.tenancy.store.carrying import columns_in, load_along, quiet
from tenants.tenancy.store.roles import OURS, drop_role, guard

connection: Any = _django_connection  # django-tenants adds the schema to it
LOCK_SECONDS: Final = 5


def lock_all(schema: str) -> None:
    """Let nobody write, nor read, in a schema until the end of the transaction; give up after some seconds."""
    with connection.cursor() as cursor:
        cursor.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
        names = ", ".join(f'"{_ours(schema)}"."{table}"' for table in columns_in(schema))
        cursor.execute(f"lock table {names} in access exclusive mode")


def keep_rows(live: str, beside: str, tables: Iterable[str]) -> None:
    """Have the live rows of these tables in the other schema as well, where they are empty."""
    here = columns_in(live)
    with quiet(beside), connection.cursor() as cursor:
        for table in tables:
            names = ", ".join(f'"{one.name}"' for one in here[table])
            cursor.execute(
                f'insert into "{_ours(beside)}"."{table}" ({names}) select {names} from "{_ours(live)}"."{table}"'
            )


def add_rows(live: str, beside: str, tables: Iterable[str]) -> None:
    """Have the live rows of these tables in the other schema beside its own; of two with one key the live one."""
    for table in tables:
        keys = _key_of(live, table)
        with connection.cursor() as cursor:
            match = " and ".join(f'b."{key}" = l."{key}"' for key in keys)
            both = f'"{_ours(beside)}"."{table}" b using "{_ours(live)}"."{table}" l where {match}'
            cursor.execute(f"delete from {both}")
            cursor.execute(f'insert into "{beside}"."{table}" select * from "{live}"."{table}"')


def keep_secrets(live: str, beside: str, held: Mapping[str, Withheld]) -> None:
    """Give rows that both schemas have the secrets that they have now: none of a backup comes back."""
    with connection.cursor() as cursor:
        for one in held.values():
            names = [*one.secrets, *one.beside]
            told = ", ".join(f'"{name}" = l."{name}"' for name in names)
            cursor.execute(
                f'update "{_ours(beside)}"."{one.table}" b set {told}'
                f' from "{_ours(live)}"."{one.table}" l where l.id = b.id'
            )


def replace_along(one: Along, columns: Sequence[str], tenant_id: UUID, rows: Iterable[bytes]) -> int:
    """A tenant's rows in a shared table, as far as they travel, become those that are given; how many."""
    with connection.cursor() as cursor:
        cursor.execute(f'delete from public."{one.table}" where tenant_id = %s and {one.where}', [tenant_id])
    return load_along(one, columns, tenant_id, rows)


def raise_epochs(tenant_id: UUID, before: Mapping[UUID, int]) -> None:
    """No run may be written by whoever held it before: its epoch is above every one that was given out."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "update public.ledger_queue set epoch = greatest(epoch, %s) where run_id = %s and tenant_id = %s",
            [(epoch + 1, run, tenant_id) for run, epoch in before.items()],
        )


def epochs(tenant_id: UUID) -> dict[UUID, int]:
    """The epoch of each run of a tenant that is not over."""
    with connection.cursor() as cursor:
        cursor.execute("select run_id, epoch from public.ledger_queue where tenant_id = %s", [tenant_id])
        return dict(cursor.fetchall())


def swap(live: str, beside: str) -> None:
    """Let `beside` be `live` from now on; what was live is gone."""
    with connection.cursor() as cursor:
        cursor.execute(f'drop schema "{_ours(live)}" cascade')
        cursor.execute(f'alter schema "{_ours(beside)}" rename to "{live}"')
    guard(live)
    drop_role(beside)


def digests(schema: str) -> dict[str, tuple[int, str]]:
    """(rows, hash over all of them) of each table of a schema."""
    found = {}
    with connection.cursor() as cursor:
        for table in columns_in(schema):
            cursor.execute(
                f"""
                select count(*), coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '')
                from "{_ours(schema)}"."{table}" t
                """
            )
            row = cursor.fetchone()
            assert row is not None
            found[table] = (int(row[0]), str(row[1]))
    return found


def _key_of(schema: str, table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
            where i.indrelid = %s::regclass and i.indisprimary
            """,
            [f'"{schema}"."{table}"'],
        )
        return [row[0] for row in cursor.fetchall()]


def _ours(schema: str) -> str:
    if not OURS.fullmatch(schema):
        raise ValueError(f"{schema!r} is no tenant's schema")
    return schema
