"""The committer of a worker: checkpoints of many runs, gathered for about two milliseconds and written together."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from automations.engine.actions.lines import COMMIT, Lines
from automations.engine.actions.pace import BATCH
from automations.engine.store.commit import Checkpoint, commit
from automations.engine.store.folding import fold

log = structlog.get_logger(__name__)
LINGER: Final = 0.002
DEADLOCKS: Final = 5
Written = asyncio.Future[int | None]
"""What the run is signalled; None where it was another's, and nothing was written."""


class Committer:
    """Takes checkpoints by `put` and `written`; `run` writes them until it is cancelled."""

    def __init__(self, lines: Lines, worker: UUID, let_go: Callable[[Checkpoint], None]) -> None:
        """`let_go` is told of each checkpoint after which the run is not this worker's any more."""
        self._lines, self._worker, self._let_go = lines, worker, let_go
        self._pending: list[tuple[Checkpoint, Written | None]] = []
        self._flush = asyncio.Event()

    def put(self, point: Checkpoint, told: Written | None = None) -> None:
        """Have it written soon."""
        self._pending.append((point, told))
        self._flush.set()

    async def written(self, point: Checkpoint) -> int | None:
        """Have it written and wait for that; what the run is signalled, None if it was taken over."""
        told: Written = asyncio.get_running_loop().create_future()
        self.put(point, told)
        return await told

    def clear(self) -> None:
        """Forget what is not written."""
        self._pending.clear()

    async def run(self) -> None:
        """Write what comes. Raises psycopg.Error."""
        while True:
            await self._flush.wait()
            self._flush.clear()
            if len(self._pending) < BATCH:
                await asyncio.sleep(LINGER)
            batch, self._pending = self._pending, []
            groups: dict[tuple[UUID, str], list[Any]] = defaultdict(list)
            for entry in batch:
                groups[entry[0].tenant_id, entry[0].schema].append(entry)
            for (tenant_id, schema), entries in groups.items():
                await self._commit(tenant_id, schema, entries)

    async def _commit(self, tenant_id: UUID, schema: str, entries: list[Any]) -> None:
        signals = await self._write(tenant_id, schema, [point for point, _ in entries])
        for point, told in entries:
            signal = signals.get(point.run_id)
            if signal is None:
                log.warning("stale write refused", run=str(point.run_id), epoch=point.epoch)
            elif point.fold is not None:
                await self._fold(point, *point.fold)
            if not point.keep or signal is None:
                self._let_go(point)
            if told is not None and not told.done():
                told.set_result(signal)

    async def _write(self, tenant_id: UUID, schema: str, points: list[Checkpoint]) -> dict[UUID, int]:
        """Write checkpoints; again if another worker's stood in the way, which the database then undid whole.

        A restart of the database leaves open whether they were written. Then they are written again: by the fence only
        a checkpoint after which the run stays here can be, and what such a one writes bears it.
        """

        async def work(connection: AsyncConnection[Any]) -> dict[UUID, int]:
            return await commit(connection, self._worker, tenant_id, schema, points)

        for _ in range(DEADLOCKS):
            try:
                return await self._lines.steadily(COMMIT, work)
            except psycopg.errors.DeadlockDetected:
                log.info("checkpoints written again", runs=len(points))
        return await self._lines.steadily(COMMIT, work)

    async def _fold(self, point: Checkpoint, since: int, upto: int) -> None:
        """The run filled a stretch of its journal, checkpoint by checkpoint: make one row of it."""

        async def work(connection: AsyncConnection[Any]) -> None:
            await fold(connection, point.schema, point.run_id, since, upto)

        try:
            await self._lines.steadily(COMMIT, work)
        except psycopg.Error:
            raise
        except Exception:
            log.exception("journal not folded", run=str(point.run_id))
