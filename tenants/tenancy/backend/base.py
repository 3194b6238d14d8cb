"""A connection whose statements run in the role and on the search path of the tenant that was entered.

Both are set by `SET LOCAL`, so nothing of them outlives a transaction: not in this process, not in a pool, not
behind PgBouncer. In a transaction they travel with its first statement, outside of one with every statement: several
statements in one message are one transaction to PostgreSQL, so that costs no round trip.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from django.db import ProgrammingError
from django.db.backends.postgresql.base import Cursor
from django_tenants.postgresql_backend import base
from psycopg.pq import TransactionStatus

_OURS: Final = re.compile(r"t_[0-9a-f]{32}")
_PUBLIC: Final = "public"
_NOTHING: Final = ("", "")
_UNKNOWN: Final = ("", "?")
_NOBODY: Final = ("", _PUBLIC)
_NO_ROLE: Final = "set local role none; set local search_path = {}; "
_ROLE: Final = 'set local role "{0}"; set local search_path = "{0}", public; '


class BoundCursor(Cursor):
    """Sends the words that bind a statement to its tenant in front of it, and hides what they answer."""

    words: Callable[[], bytes] | None = None
    _hidden = 0

    def _execute_send(self, query: Any, **how: Any) -> None:
        words = self.words() if self.words else b""
        self._hidden = words.count(b";")
        if words:
            query.query = words + query.query
        super()._execute_send(query, **how)  # type: ignore[misc] # psycopg's, which its stubs leave out

    def _set_results(self, results: list[Any]) -> None:
        super()._set_results(results[self._hidden :])  # type: ignore[misc] # the same


class DatabaseWrapper(base.DatabaseWrapper):
    """Knows what the present transaction is bound to, and what its session's path is where a migration set one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._bound = _NOTHING
        self._session = _PUBLIC
        super().__init__(*args, **kwargs)

    def get_connection_params(self) -> dict[str, Any]:
        """Cursors are ours."""
        return {**super().get_connection_params(), "cursor_factory": BoundCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new session is bound to nothing."""
        self._bound, self._session = _NOTHING, _PUBLIC
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that asks for its words when it sends."""
        cursor = super().create_cursor(name=name)
        if name is None:
            cursor.words = self._words
        else:  # it binds on the server, where one message holds one statement
            self.settle()
        return cursor

    def settle(self) -> None:
        """Bind the transaction that is open now, for a cursor that was not made here; nothing outside of one."""
        if self.in_atomic_block and self._bound != self._wanted():
            with self.cursor() as cursor:
                cursor.execute("select 1")

    def _handle_search_path(self, cursor: Any = None) -> None:
        """Nothing: the words that go with each statement say it."""

    def _words(self) -> bytes:
        connection = self.connection
        if connection.pgconn.transaction_status == TransactionStatus.INERROR:
            return b""  # all that is left to it is to go back
        wanted = role, schema = self._wanted()
        if connection.autocommit:
            if role:
                return _ROLE.format(role).encode()
            self._walk(schema)
            return b""
        fresh = self._bound == _NOTHING and self._session == _PUBLIC
        if self._bound == wanted or (fresh and wanted == _NOBODY):
            return b""
        self._bound = wanted
        return (_ROLE.format(role) if role else _NO_ROLE.format(_path(schema))).encode()

    def _wanted(self) -> tuple[str, str]:
        """(role, schema): a role only where a tenant was entered; migrations work on a schema as its owner."""
        role = getattr(self.tenant, "role", "")
        if role and not _OURS.fullmatch(role):
            raise ProgrammingError(f"{role!r} is no tenant's role")
        return role, role or str(self.schema_name)

    def _walk(self, schema: str) -> None:
        """Set the session's path: outside of transactions migrations do what no transaction may hold."""
        if self._session != schema:
            self.connection.pgconn.exec_(f"reset role; set search_path = {_path(schema)}".encode())
            self._session = schema

    def _set_autocommit(self, autocommit: bool) -> None:
        self._bound = _NOTHING
        super()._set_autocommit(autocommit)

    def _commit(self) -> Any:
        self._bound = _NOTHING
        return super()._commit()

    def _rollback(self) -> Any:
        self._bound = _NOTHING
        return super()._rollback()

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)
        self._bound = _UNKNOWN


def _path(schema: str) -> str:
    if schema == _PUBLIC:
        return _PUBLIC
    if not base.is_valid_schema_name(schema):
        raise ProgrammingError(f"{schema!r} is no schema")
    return f'"{schema}", public'
