"""Test databases: one template a state of the source tree, copied for each worker, and again after a test that commits.

A copy costs about a tenth of a second, migrating and provisioning several seconds. The template is named by a
fingerprint of everything that shapes it, so that a cluster that is kept between runs never serves an old one.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from tests.support import cast

_ROOT: Final = Path(__file__).resolve().parents[2]
_SHAPED_BY: Final = (
    "kernel",
    "tenants",
    "automations",
    "templates_lib",
    "billing",
    "portal",
    "tests/support",
)


class TestDatabase:
    """The database of this worker; its name is `test_<name>`, with the worker's suffix under xdist."""

    __test__ = False

    def __init__(self) -> None:
        self._wrapper: Any = connections["default"]
        self._maintenance = self._wrapper.settings_dict["NAME"]
        self.name = str(self._wrapper.settings_dict["TEST"]["NAME"])

    def create(self) -> None:
        """Copy the template, which the first worker makes while the others wait."""
        with self._admin() as admin:
            self._template = self._made_template(admin)
            self._copy(admin)
        self._use(self.name)

    def renew(self) -> None:
        """Throw the database away, whoever is connected to it, and copy the template again."""
        connections.close_all()
        with self._admin() as admin:
            self._copy(admin)

    def drop(self) -> None:
        """Remove the database at the end of the session."""
        connections.close_all()
        self._use(self._maintenance)
        with self._admin() as admin:
            self._remove(admin, self.name)

    @contextmanager
    def _admin(self) -> Iterator["psycopg.Connection[Any]"]:
        database = settings.DATABASES["default"]
        with psycopg.connect(
            dbname=self._maintenance,
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            autocommit=True,
        ) as admin:
            yield admin

    def _made_template(self, admin: "psycopg.Connection[Any]") -> str:
        name = f"template_{_fingerprint()}"
        number = int(name[-8:], 16)
        admin.execute("select pg_advisory_lock(%s)", [number])
        try:
            if admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
                unfinished = f"{name}_unfinished"
                self._remove(admin, unfinished)
                admin.execute(sql.SQL("create database {}").format(sql.Identifier(unfinished)))
                self._use(unfinished)
                cast.make()
                connections.close_all()
                admin.execute(
                    sql.SQL("alter database {} rename to {}").format(
                        sql.Identifier(unfinished), sql.Identifier(name)
                    )
                )
        finally:
            admin.execute("select pg_advisory_unlock(%s)", [number])
        return name

    def _copy(self, admin: "psycopg.Connection[Any]") -> None:
        self._remove(admin, self.name)
        admin.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(self.name), sql.Identifier(self._template)
            )
        )

    @staticmethod
    def _remove(admin: "psycopg.Connection[Any]", name: str) -> None:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _use(self, name: str) -> None:
        connections.close_all()
        self._wrapper.settings_dict["NAME"] = name
        settings.DATABASES["default"]["NAME"] = name


def _fingerprint() -> str:
    """A hash over the source that decides what a fresh database looks like."""
    digest = hashlib.sha256()
    for folder in _SHAPED_BY:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:24]
