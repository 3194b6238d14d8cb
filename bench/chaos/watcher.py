"""A look at the queue from outside: who holds what, and how long what a dead worker held stays unclaimed."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

_HELD = """
select q.run_id, q.epoch from ledger_queue q join ledger_worker w on w.id = q.owner where w.pid = any(%s)
"""
_STILL = """
select q.run_id, q.epoch from ledger_queue q join unnest(%s::uuid[], %s::int[]) as k(run_id, epoch)
  on k.run_id = q.run_id and k.epoch = q.epoch where q.owner is not null
"""
Held = dict[UUID, int]


@dataclass
class Watcher:
    """Its own connection, made anew whenever Postgres went away."""

    dsn: str
    recovered: list[float] = field(default_factory=list)
    _connection: psycopg.AsyncConnection[Any] | None = None
    _watching: list["asyncio.Task[None]"] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def rows(self, query: str, parameters: list[Any]) -> list[Any]:
        """The answer to a query; waits as long as the database is away."""
        while True:
            try:
                async with self._lock:
                    if self._connection is None or self._connection.closed:
                        self._connection = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True)
                    cursor = await self._connection.execute(query, parameters)
                    return await cursor.fetchall()
            except psycopg.Error:
                if self._connection is not None:
                    await self._connection.close()
                await asyncio.sleep(0.1)

    async def held_by(self, pids: list[int]) -> Held:
        """What workers with these process ids hold."""
        return dict(await self.rows(_HELD, [pids]))

    async def taken_over(self, held: Held) -> int:
        """How many of these were claimed anew, ended or given back since."""
        return len(held) - len(await self._still(held))

    def follow(self, held: Held) -> None:
        """Note for each of these how long it stays in dead hands."""
        if held:
            self._watching.append(asyncio.create_task(self._follow(held, time.monotonic())))

    async def done(self) -> None:
        """When everything that is followed has come into other hands."""
        await asyncio.gather(*self._watching)

    async def _follow(self, held: Held, since: float) -> None:
        while held:
            await asyncio.sleep(0.25)
            still = await self._still(held)
            self.recovered += [time.monotonic() - since] * (len(held) - len(still))
            held = still

    async def _still(self, held: Held) -> Held:
        return dict(await self.rows(_STILL, [list(held), list(held.values())]))
