"""A worker process: the drain in its event loop, and beside it a thread that dispatches events."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis.asyncio as aioredis
import structlog
import uvloop
from django.conf import settings
from django.db import connection, connections

from automations.engine.actions.drain import Drain
from automations.engine.actions.watchdog import Watchdog, board
from automations.events import actions as events
from automations.ledger import queries as ledger
from kernel import bell, clock, database

log = structlog.get_logger(__name__)
COMPANY: Final = 0.01
"""Seconds in which events gather that are dispatched together; a round costs as much for one as for ten."""
ASIDE: Final = 0.1
"""Seconds to leave a tenant's events to whoever dispatches them already."""
LOOK: Final = 0.25
"""Seconds between looks for events that nobody rang for."""
TIMERS: Final = 0.05
"""Seconds between looks for runs that became due by themselves."""


class Worker:
    """One engine a process. `run` is called for each drain; loop, connections and programs stay in between."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._drain = Drain(database.dsn("portal-engine"))

    def run(self, *, seconds: float, idle: float) -> int:
        """Drain until nothing is due for `idle` seconds, at most `seconds`; the number of runs worked on."""
        return self._runner.run(self._run(seconds, idle))

    def reset(self) -> None:
        """Forget connections that may be broken."""
        self._runner.run(self._drain.close())
        self._drain = Drain(database.dsn("portal-engine"))

    def close(self) -> None:
        """Give back what is held; the process ends."""
        self._runner.run(self._drain.close())
        self._runner.close()

    async def _run(self, seconds: float, idle: float) -> int:
        due = asyncio.Event()
        loop = asyncio.get_running_loop()
        dispatcher = Dispatcher(lambda: loop.call_soon_threadsafe(due.set))
        ears = asyncio.create_task(_listen(dispatcher, due))
        watchdog = Watchdog({"drain": lambda: self._drain.turns, "dispatcher": lambda: dispatcher.turns})
        dispatcher.start()
        watchdog.start()
        try:
            return await self._drain.run(seconds=seconds, idle=idle, wait=_Waiter(due))
        finally:
            board.rest()
            await _ended(ears)
            await asyncio.to_thread(watchdog.stop)
            await asyncio.to_thread(dispatcher.stop)


class Dispatcher(threading.Thread):
    """Dispatches events of all tenants, tenant by tenant, for as long as the drain runs."""

    def __init__(self, tell: Callable[[], object] = lambda: None) -> None:
        """`tell` is called when events were dispatched: runs may be due."""
        super().__init__(name="dispatcher", daemon=True)
        self._tell = tell
        self._ending = threading.Event()
        self._work = threading.Event()
        self.turns = 0

    def poke(self) -> None:
        """The bell rang."""
        self._work.set()

    def stop(self) -> None:
        """End after the batch that is under way."""
        self._ending.set()
        self._work.set()
        self.join()

    def run(self) -> None:
        """Look for events that are not dispatched whenever the bell rings, and now and then."""
        try:
            while not self._ending.is_set():
                self.turns += 1
                self._work.clear()
                waiting, found = self._round()
                if found:
                    self._tell()
                    self._ending.wait(COMPANY)
                elif waiting:
                    self._ending.wait(ASIDE)
                else:
                    self._work.wait(LOOK)
        finally:
            connections.close_all()

    def _round(self) -> tuple[int, int]:
        """One batch for each tenant that has some: how many tenants had, and how many events were dispatched."""
        try:
            tenants, found = ledger.tenants_with_intake(), 0
            for tenant in tenants:
                self.turns += 1
                if self._ending.is_set():
                    break
                found += events.dispatch(tenant, now=clock.now())
            return len(tenants), found
        except Exception:
            log.exception("dispatch failed")
            connection.close()
            time.sleep(0.2)
            return 0, 0


async def _ended(task: "asyncio.Task[None]") -> None:
    """Cancel it until it is over: a client that is just connecting may take a cancellation for its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=ASIDE)


async def _listen(dispatcher: Dispatcher, due: asyncio.Event) -> None:
    """Hear the bell until cancelled; while Redis is away, take it that it rang, now and then."""
    while True:
        try:
            async with (
                aioredis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1) as client,
                client.pubsub() as listener,
            ):
                await listener.subscribe(bell.CHANNEL)
                await _hear(listener, dispatcher, due)
        except (aioredis.RedisError, OSError):
            dispatcher.poke()
            due.set()
            await asyncio.sleep(ASIDE)


async def _hear(listener: Any, dispatcher: Dispatcher, due: asyncio.Event) -> None:
    while True:
        message = await listener.get_message(ignore_subscribe_messages=True, timeout=5)
        if message:
            dispatcher.poke()
            if message["data"] != bell.EVENTS:
                due.set()


class _Waiter:
    """How a drain waits while nothing is due: for the bell, or until events were dispatched."""

    def __init__(self, due: asyncio.Event) -> None:
        self._due = due

    async def __call__(self, seconds: float) -> None:
        """Wait for at most `seconds`, and no longer than a timer may be late."""
        try:
            async with asyncio.timeout(min(seconds, TIMERS)):
                await self._due.wait()
        except TimeoutError:
            return
        self._due.clear()
