"""A worker process: the drain in its event loop, and beside it a thread that dispatches events."""

import asyncio
import threading
import time
from typing import Any

import redis.asyncio as aioredis
import structlog
import uvloop
from django.conf import settings
from django.db import connection, connections

from automations.engine.actions.drain import Drain
from automations.engine.actions.watchdog import Watchdog, board
from automations.events import actions as events
from automations.ledger import queries as ledger
from kernel import bell, clock

log = structlog.get_logger(__name__)


class Worker:
    """One engine a process. `run` is called for each drain; loop, connections and programs stay in between."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._drain = Drain(_dsn())

    def run(self, *, seconds: float, idle: float) -> int:
        """Drain until nothing is due for `idle` seconds, at most `seconds`; the number of runs worked on."""
        return self._runner.run(self._run(seconds, idle))

    def reset(self) -> None:
        """Forget connections that may be broken."""
        self._runner.run(self._drain.close())
        self._drain = Drain(_dsn())

    def close(self) -> None:
        """Give back what is held; the process ends."""
        self._runner.run(self._drain.close())
        self._runner.close()

    async def _run(self, seconds: float, idle: float) -> int:
        listener = await _listen()
        dispatcher = Dispatcher()
        watchdog = Watchdog({"drain": lambda: self._drain.turns, "dispatcher": lambda: dispatcher.turns})
        dispatcher.start()
        watchdog.start()
        try:
            return await self._drain.run(seconds=seconds, idle=idle, wait=_Waiter(listener, dispatcher))
        finally:
            board.rest()
            await asyncio.to_thread(watchdog.stop)
            await asyncio.to_thread(dispatcher.stop)
            if listener is not None:
                await listener.aclose()


class Dispatcher(threading.Thread):
    """Dispatches events of all tenants, tenant by tenant, for as long as the drain runs."""

    def __init__(self) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self._ending = threading.Event()
        self._work = threading.Event()
        self.dispatched = 0
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
                if not self._round():
                    self._work.wait(0.25)
                    self._work.clear()
        finally:
            connections.close_all()

    def _round(self) -> bool:
        """One batch for each tenant that has some; False if there was nothing, or nothing could be done."""
        try:
            found = 0
            for tenant in ledger.tenants_with_intake():
                self.turns += 1
                if self._ending.is_set():
                    break
                found += events.dispatch(tenant, now=clock.now())
            self.dispatched += found
            return found > 0
        except Exception:
            log.exception("dispatch failed")
            connection.close()
            time.sleep(0.2)
            return False


async def _listen() -> Any:
    """A subscription to the bell, None if Redis is away: then the worker looks by itself."""
    client = aioredis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1)
    listener = client.pubsub()
    try:
        await listener.subscribe(bell.CHANNEL)
    except (aioredis.RedisError, OSError):
        return None
    return listener


class _Waiter:
    """How a drain waits while nothing is due: for the bell, or until events were dispatched."""

    def __init__(self, listener: Any, dispatcher: Dispatcher) -> None:
        self._listener = listener
        self._dispatcher = dispatcher
        self._seen = 0

    async def __call__(self, seconds: float) -> None:
        """Wait for at most `seconds`; wakes the dispatcher when the bell rings, and now and then."""
        if self._dispatcher.dispatched != self._seen:
            self._seen = self._dispatcher.dispatched
            return  # events were dispatched since: runs may be due
        if await self._rang(seconds):
            self._dispatcher.poke()

    async def _rang(self, seconds: float) -> bool:
        if self._listener is None:
            await asyncio.sleep(min(seconds, 0.1))
            return True
        try:
            return bool(
                await self._listener.get_message(ignore_subscribe_messages=True, timeout=min(seconds, 0.05))
            )
        except (aioredis.RedisError, OSError):
            await asyncio.sleep(0.1)
            return True


def _dsn() -> str:
    """libpq's form of Django's database settings."""
    from psycopg.conninfo import make_conninfo

    database = connection.settings_dict
    return make_conninfo(
        dbname=database["NAME"],
        user=database.get("USER") or None,
        password=database.get("PASSWORD") or None,
        host=database.get("HOST") or None,
        port=database.get("PORT") or None,
        application_name="portal-engine",
        options="-c search_path=public",
    )
