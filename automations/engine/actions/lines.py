"""A worker's connections, and how it outlives a restart of the database with what it has in hand.

Runs in flight belong to this worker for the length of their lease, whether or not the database is there. So while it is
away their outcomes are kept and written under the same epochs once it is back: a restart costs no call that was made.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection

from automations.engine.actions.watchdog import board

log = structlog.get_logger(__name__)
PATIENCE: Final = 20.0
"""Seconds to wait for the database; less than a lease, after which what is in hand is another's anyway."""
_PAUSE: Final = 0.1
CLAIM, COMMIT, REST, LANES = range(4)
"""One line to claim, one to commit, one for whatever else, so that none waits for another; one to lock lanes."""
Found = TypeVar("Found")


def lost(error: psycopg.Error) -> bool:
    """Whether it says that the database went away, and nothing about what was asked of it."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (state is None or state[:3] in ("57P", "080"))


class Lines:
    """Connections that are made when they are needed, and again when the server went away.

    `breaks` counts how often it did.
    """

    def __init__(self, dsn: str) -> None:
        """`dsn` is libpq's."""
        self._dsn = dsn
        self._lines: dict[int, AsyncConnection[Any]] = {}
        self._mending = asyncio.Lock()
        self._open = False
        self._patience = PATIENCE
        self.breaks = 0

    def __getitem__(self, line: int) -> AsyncConnection[Any]:
        """The connection that serves for a line now; for what is done within `steadily`."""
        return self._lines[line]

    def __bool__(self) -> bool:
        """Whether they are open."""
        return self._open

    def open(self) -> None:
        """From now on they may be used."""
        self._open = True

    def hurry(self) -> None:
        """From now on wait for nothing: the worker ends."""
        self._patience = 0.0

    async def close(self) -> None:
        """Disconnect."""
        lines, self._lines, self._open = self._lines, {}, False
        for line in lines.values():
            await line.close()

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(self._dsn, autocommit=True)
        connection.prepare_threshold = 2
        return connection

    async def steadily(self, line: int, work: Callable[[AsyncConnection[Any]], Awaitable[Found]]) -> Found:
        """Do `work`, and again if its connection was lost meanwhile: it may have been done, so it must bear that.

        Raises psycopg.Error of any other sort, and psycopg.OperationalError if the database stays away.
        """
        while True:
            connection = self._lines.get(line) or await self._connected(line, None)
            try:
                return await work(connection)
            except psycopg.OperationalError as error:
                if not (connection.closed or connection.broken):
                    raise
                log.info("database away; what is in hand is kept", error=str(error).strip())
            await self._connected(line, connection)

    async def _connected(self, line: int, before: AsyncConnection[Any] | None) -> AsyncConnection[Any]:
        """A connection in place of the one before, as soon as there is one."""
        async with self._mending:
            if not self._open:
                raise psycopg.OperationalError("the worker has closed its connections")
            if self._lines.get(line) is before:
                self._lines[line] = await self._patiently()
                self.breaks += before is not None
            return self._lines[line]

    async def _patiently(self) -> AsyncConnection[Any]:
        until = time.monotonic() + self._patience
        while True:
            board.beat()
            try:
                return await self._connect()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_PAUSE)
