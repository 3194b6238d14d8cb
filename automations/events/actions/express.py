"""The express lane: deliveries of one new event are stored in company, by one task on one connection.

It knows only what `receive_webhook` has looked up a moment ago and takes only what that would answer with 202: anything
else, and any doubt, is left to it, which reads the same delivery again from the start. So nothing is decided here, and
a delivery may go both ways: whatever was stored already is a duplicate then.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from automations.connectors.contract import Delivery
from automations.events import policy, store
from automations.events.actions.deliveries import Receipt, read
from automations.events.models import Event
from automations.events.store import Lot, NewEvent
from automations.ledger import actions as ledger
from kernel import database, ids
from kernel.errors import PortalError
from tenants.tenancy.enums import TenantState
from tenants.tenancy.queries import TenantRef

log = structlog.get_logger(__name__)
BYTES_MOST: Final = 65_536
"""Larger bodies would hold up the others while they are read."""
TOGETHER_MOST: Final = 64
COMPANY: Final = 0.008
"""Seconds that a delivery waits for others, when one was stored just before."""
_JUST_BEFORE: Final = 0.05
_PATIENCE: Final = 10.0
_OPEN_STATES: Final = (TenantState.TRIAL, TenantState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Plain:
    """A delivery that holds one event to store and nothing else."""

    schema: str
    tenant_id: UUID
    endpoint: tuple[UUID, int]
    event: NewEvent

    def receipt(self) -> Receipt:
        """What the sender is told once it is stored."""
        return Receipt(status=202, ids=(ids.public_id(Event.prefix, self.event.id),))


def plain(
    *, tenant: TenantRef, token: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> Plain | None:
    """The delivery, if what is remembered proves it and it is plain; None if it needs a closer look."""
    endpoint = policy.remembered(tenant, token)
    if endpoint is None or tenant.sandbox or not tenant.ready or tenant.state not in _OPEN_STATES:
        return None
    if len(body) > BYTES_MOST or not policy.has_room(tenant):
        return None
    delivery = Delivery(headers, body)
    try:
        endpoint.inbound.verify(delivery, endpoint.keys(now), now)
        parts = read(tenant, endpoint, delivery, now)
    except PortalError:
        return None  # it is refused with the same words by whoever answers such
    if parts.rejections or len(parts.rows) != 1:
        return None
    return Plain(tenant.schema_name, tenant.id, (endpoint.id, endpoint.version), parts.rows[0])


class Company:
    """Stores what comes at about the same time in one transaction. One for an event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Plain, asyncio.Future[bool]]] = []
        self._task: asyncio.Task[None] | None = None
        self._connection: AsyncConnection[Any] | None = None
        self._stored_at = -_JUST_BEFORE

    async def store(self, delivery: Plain) -> bool:
        """Whether its event was new and is committed; False if somebody has to look at it, or nobody could."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await done

    async def _work(self) -> None:
        while self._waiting:
            if time.monotonic() - self._stored_at < _JUST_BEFORE:
                await asyncio.sleep(COMPANY)
            together, self._waiting = self._waiting[:TOGETHER_MOST], self._waiting[TOGETHER_MOST:]
            taken = await self._patiently([delivery for delivery, _ in together])
            self._stored_at = time.monotonic()
            for (_, done), new in zip(together, taken, strict=True):
                if not done.done():  # its sender may have gone
                    done.set_result(new)
            if any(taken):
                # in a thread: the bell may be slow, and nobody here should wait for it
                asyncio.get_running_loop().run_in_executor(None, ledger.ring_for_events)

    async def _patiently(self, deliveries: Sequence[Plain]) -> list[bool]:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._stored(deliveries)
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("deliveries not stored in company", error=str(error), deliveries=len(deliveries))
            await self.close()
            return [False] * len(deliveries)

    async def _stored(self, deliveries: Sequence[Plain]) -> list[bool]:
        lots: dict[tuple[UUID, int], Lot] = {}
        for one in deliveries:
            lot = lots.setdefault(one.endpoint, Lot(one.schema, one.tenant_id, one.endpoint, []))
            lot.rows.append(one.event)
        for lot in lots.values():
            # in one order everywhere, so that two of us that hold the same events do not wait for each other
            lot.rows.sort(key=lambda row: (row.source, row.event_id))
        connection = await self._connected()
        found = await store.insert_together(connection, list(lots.values()))
        fresh = {key for keys in found if keys for key in keys}
        return [one.event.id in fresh for one in deliveries]

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            dsn = database.dsn("portal-letterbox")
            self._connection = await AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=2)
        return self._connection

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
