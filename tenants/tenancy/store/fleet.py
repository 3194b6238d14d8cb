"""Migrating many schemas alike: the statements are written down once, from one of them, and sent to each."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection as _django_connection
from django.db import transaction
from django.db.migrations.executor import MigrationExecutor

from tenants.tenancy.store.roles import OURS

connection: Any = _django_connection  # django-tenants adds the schema to it
LOCK_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Script:
    """What brings a schema of one revision to the next: statements, and the migrations that they are.

    `plain` is False where one of them is more than statements in a transaction; then each schema is migrated by itself.
    """

    plain: bool
    statements: str
    migrations: tuple[tuple[str, str], ...]


def script_for(schema: str) -> Script:
    """What `schema` lacks of the migrations on disk."""
    before = connection.tenant
    connection.set_schema(schema)
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        plain = all(_is_plain(migration) for migration, _ in plan)
        written = executor.loader.collect_sql(plan) if plain else []
    finally:
        connection.set_tenant(before)
    names = tuple((migration.app_label, migration.name) for migration, _ in plan)
    return Script(plain, "\n".join(written), names)


def _is_plain(migration: Any) -> bool:
    labels = {app.rsplit(".", 1)[-1] for app in settings.TENANT_APPS}
    if migration.app_label not in labels:
        return True  # nothing of it happens in a tenant's schema
    return migration.atomic and all(one.reduces_to_sql for one in migration.operations)


def apply(script: Script, schema: str, tenant_id: UUID, before: str, wanted: str) -> bool:
    """Send `script` to a schema, in the caller's transaction; False if another has done it, or is at it.

    A lock that is not to be had within two seconds ends the attempt: nobody queues behind us for longer.
    """
    if not OURS.fullmatch(schema):
        raise ValueError(f"{schema!r} is no tenant's schema")
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [schema])
        row = cursor.fetchone()
        if not row or not row[0]:
            return False
        cursor.execute(
            "update tenancy_tenant set revision = %s where id = %s and revision = %s",
            [wanted, tenant_id, before],
        )
        if not cursor.rowcount:
            return False
        cursor.execute(f'set local search_path = "{schema}", public')
        if script.statements:
            cursor.execute(script.statements)
        cursor.executemany(
            "insert into django_migrations (app, name, applied) values (%s, %s, clock_timestamp())",
            script.migrations,
        )
        cursor.execute("set local search_path = public")
    return True


def close() -> None:
    """Give this thread's connection back: its next work is somebody else's."""
    if not transaction.get_connection().in_atomic_block:
        connection.close()
