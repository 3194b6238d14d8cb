"""Carrying out the effects of runs, by kind: HTTP calls through connections, calls that must not happen twice."""

import asyncio
import time
from typing import Any, Final
from uuid import UUID

import psycopg
from asgiref.sync import sync_to_async
from django import db
from psycopg import AsyncConnection

from automations.connectors import actions as connectors
from automations.engine.actions import decisions
from automations.engine.actions.carry import Carried
from automations.engine.actions.lines import REST, Lines
from automations.engine.actions.turns import Turns
from automations.engine.executors import http
from automations.engine.machine.kinds.calls import DECIDE
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.store import effects
from kernel import clock
from kernel.errors import PortalError
from kernel.http import Client
from tenants.tenancy import context

_SECONDS: Final = 5.0
WAITS: Final = Outcome(error="waits for its turn")
"""Instead of an outcome: nothing was sent, since the connection takes no further call now."""


class Effects:
    """Carries out effects for one event loop."""

    def __init__(self, client: Client, lines: Lines, turns: Turns) -> None:
        self._client = client
        self._turns = turns
        self._lines = lines
        self._opened: dict[tuple[UUID, str], tuple[float, http.Signed]] = {}
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close pooled HTTP connections."""
        await self._client.close()

    async def carry_out(self, held: Carried, effect: Effect) -> Outcome:
        """Do it and tell how it went; WAITS if it is not its turn. Raises psycopg.Error only."""
        if effect.kind == DECIDE:
            return await self._lines.steadily(
                REST, lambda connection: decisions.answer(connection, held.schema, effect.request)
            )
        if effect.kind != "http":
            return Outcome(error=f"nothing here can do {effect.kind}")
        try:
            connection = await self._connection_for(held, effect.request.get("connection", ""))
        except PortalError as error:
            return Outcome(refused=error.message)
        if connection is None or not connection.places:
            return await self._send(held, effect, connection)
        async with held.line:  # branches of a run have one place between them
            if not await self._turns.enter(held, connection.id, connection.places):
                return WAITS
            outcome = await self._send(held, effect, connection)
            await self._turns.leave(held)
            return outcome

    async def _send(self, held: Carried, effect: Effect, connection: http.Signed | None) -> Outcome:
        if effect.effect == "unsafe":
            return await self._once(held, effect, connection)
        return await http.send(self._client, effect, connection)

    async def _once(self, held: Carried, effect: Effect, connection: Any) -> Outcome:
        """A call to a system that honours no key: written down before it is made, never made again."""
        schema, run = held.schema, held.run.id

        async def intend(line: AsyncConnection[Any]) -> bool:
            return await effects.intend(line, schema, run, effect.key)

        if not await self._lines.steadily(REST, intend):
            return Outcome(error="a worker stopped while it made this call", unknown=True)
        outcome = await http.send(self._client, effect, connection)

        async def settle(line: AsyncConnection[Any]) -> None:
            await effects.settle(line, schema, run, effect.key, known=not outcome.unknown)

        await self._lines.steadily(REST, settle)
        return outcome

    async def _connection_for(self, held: Carried, alias: str) -> http.Signed | None:
        """The connection behind an alias of the definition, None without one; kept for a few seconds."""
        if not alias:
            return None
        connection_id = held.setup.connections.get(alias)
        if not connection_id:
            return None
        key = (held.tenant_id, connection_id)
        remembered = self._opened.get(key)
        if remembered and remembered[0] > time.monotonic():
            return remembered[1]
        async with self._lock:
            found = await self._lines.steadily(REST, lambda line: opened(line, held.tenant_id, connection_id))
        self._opened[key] = (time.monotonic() + _SECONDS, found)
        return found


async def opened(line: AsyncConnection[Any], tenant_id: UUID, connection_id: str) -> http.Signed:
    """A connection with its headers; where the database went away, `line` tells when it is back."""
    open_ = sync_to_async(_open, thread_sensitive=False)
    try:
        return await open_(tenant_id, UUID(connection_id))
    except psycopg.OperationalError:
        await line.execute("select 1")
        return await open_(tenant_id, UUID(connection_id))


def _open(tenant_id: UUID, connection_id: UUID) -> http.Signed:
    """Raises PortalError, and psycopg.OperationalError if the database is away."""
    try:
        with context.enter(tenant_id):
            opened = connectors.open_connection(connection_id, now=clock.now())
    except (db.OperationalError, db.InterfaceError) as error:
        db.connection.close()
        raise psycopg.OperationalError(str(error)) from error
    return http.Signed(opened.base_url, opened.headers(), opened.id, opened.calls_at_once or 0)
