"""What stands still, as one worker knows it: asked for again after a second, and before a run is held for it."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from automations.engine.actions.carry import Carried
from automations.engine.machine.kinds.calls import DECIDE
from automations.engine.machine.moves import Effect
from automations.engine.store import holds
from automations.engine.store.claim import Claimed

SECONDS: Final = 1.0
"""How long a worker goes by what it knows."""
_AGAIN: Final = 0.05
"""How young that must be for a run to be held by it."""
_NOTHING: Final[frozenset[UUID]] = frozenset()


class Gate:
    """Which workflows, connections, runs and tenants stand still, of the tenants that this worker works for."""

    def __init__(self, live: Callable[[UUID], list[UUID]]) -> None:
        """`live` tells which runs of a tenant this worker has."""
        self._live = live
        self._known: dict[UUID, tuple[float, frozenset[UUID]]] = {}

    def claimed(self, claimed: Claimed) -> None:
        """A claim tells how many pauses there are; where there are none, nothing needs to be asked for."""
        if not claimed.halts:
            self._known[claimed.tenant_id] = (time.monotonic(), _NOTHING)

    async def before_moving(self, connection: AsyncConnection[Any], claimed: Claimed) -> UUID | None:
        """The pause for which a claimed run may not move."""
        shut = await self._of(connection, claimed.tenant_id, SECONDS)
        concerns = (claimed.tenant_id, claimed.row.workflow_id, claimed.run_id)
        return await self._first(connection, shut, claimed.tenant_id, concerns) if shut else None

    async def before_calling(
        self, connection: AsyncConnection[Any], held: Carried, effects: Iterable[Effect]
    ) -> UUID | None:
        """The pause for which a run may not make these calls."""
        shut = await self._of(connection, held.tenant_id, SECONDS)
        if not shut:
            return None
        concerns = [held.tenant_id, held.workflow_id, held.run.id]
        for effect in effects:
            through = held.setup.connections.get(effect.request.get("connection", ""), "")
            if effect.kind != DECIDE and through:
                concerns.append(UUID(through))
        return await self._first(connection, shut, held.tenant_id, concerns)

    async def _first(
        self,
        connection: AsyncConnection[Any],
        shut: frozenset[UUID],
        tenant: UUID,
        concerns: Sequence[UUID],
    ) -> UUID | None:
        if shut.isdisjoint(concerns):
            return None
        shut = await self._of(connection, tenant, _AGAIN)
        return next((one for one in concerns if one in shut), None)

    async def _of(self, connection: AsyncConnection[Any], tenant: UUID, age: float) -> frozenset[UUID]:
        known = self._known.get(tenant)
        if known is not None and time.monotonic() - known[0] < age:
            return known[1]
        began = time.monotonic()
        found = frozenset(await holds.standing(connection, tenant, self._live(tenant)))
        if len(self._known) > 2_000:
            self._known.clear()
        self._known[tenant] = (began, found)
        return found
