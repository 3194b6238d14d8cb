"""The drain: one event loop a worker process that claims due runs, lets them move, and writes checkpoints together.

A run that needs nothing from outside is moved on the spot. One that calls a system becomes a coroutine, so that some
hundreds can wait for answers at once; no transaction is open meanwhile. All checkpoints go through one committer,
which waits about two milliseconds for company.
"""

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from psycopg import AsyncConnection

from automations.engine.actions import schedules
from automations.engine.actions.carry import Carried, carried, unreadable
from automations.engine.actions.committing import Committer
from automations.engine.actions.effects import WAITS, Effects
from automations.engine.actions.gate import Gate
from automations.engine.actions.lines import CLAIM, REST, Lines, lost
from automations.engine.actions.pace import AT_ONCE, Pace, Unwritten
from automations.engine.actions.programs import programs
from automations.engine.actions.turns import Turns
from automations.engine.actions.watchdog import board
from automations.engine.machine.moves import Effect, Outcome
from automations.engine.store import claim as claims
from automations.engine.store import holds
from automations.engine.store.commit import Checkpoint
from kernel import ids
from kernel.http import Client, Egress

log = structlog.get_logger(__name__)
HEARTBEAT: Final = 5.0
MAX_CLAIMS: Final = 3
"""Claims without progress after which a run is taken for poison."""


class Drain:
    """The engine in one process. `run` may be called again and again; connections stay open in between."""

    def __init__(self, dsn: str) -> None:
        """`dsn` is libpq's; connections are made at the first run."""
        self.id = ids.uuid7()
        self._lines = Lines(dsn)
        self._live: dict[UUID, Carried] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._helpers: list[asyncio.Task[None]] = []
        self._bell = asyncio.Event()
        self._claimed = False
        self._asked = 0.0
        self._gate = Gate(self._live_of)
        self._turns = Turns(self._lines)
        self._committer = Committer(self._lines, self.id, self._let_go)
        self._breaks = 0
        self._pace = Pace()
        self._unwritten = Unwritten(lambda: self._pace.calls)
        self.finished = 0
        self.turns = 0

    async def run(
        self, *, seconds: float, idle: float, wait: Callable[[float], Awaitable[None]] | None = None
    ) -> int:
        """Work until nothing is due for `idle` seconds, or for about `seconds`; the number of runs worked on.

        `wait` waits for the bell, at most the given seconds. Raises psycopg.Error when the database stays away; what
        was in flight is then another's after its lease.
        """
        await self._open()
        before = self.finished
        self._helpers = [asyncio.create_task(self._committer.run()), asyncio.create_task(self._heart())]
        stop_at, idle_since = time.monotonic() + seconds, time.monotonic()
        try:
            while time.monotonic() < stop_at or self._live:
                self.turns += 1
                board.beat()
                self._see_to_helpers()
                taken = await self._lines.steadily(CLAIM, self._take_on) if time.monotonic() < stop_at else 0
                if taken or self._live:
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since >= idle:
                    break
                if not taken:
                    await self._rest(wait, idle)
                elif self._live:
                    await self._pace.breathe(len(self._live), 0)
        finally:
            for helper in self._helpers:
                helper.cancel()
            await asyncio.gather(*self._helpers, return_exceptions=True)
            await self._end_tasks()
        return self.finished - before

    async def close(self) -> None:
        """Give back what is held and close connections; for a process that ends."""
        try:
            if self._lines:
                self._lines.hurry()
                await self._lines.steadily(CLAIM, self._say_goodbye)
        except psycopg.Error as error:
            log.warning("runs not given back; their leases will end", error=str(error))
        finally:
            await self._disconnect()

    async def _say_goodbye(self, connection: AsyncConnection[Any]) -> None:
        await claims.release(connection, self.id)
        await claims.leave(connection, self.id)

    # set-up

    async def _open(self) -> None:
        if not self._lines:
            self._lines.open()
            egress = Egress(allowed=frozenset(settings.EGRESS_ALLOW))
            client = Client(egress, limit=AT_ONCE)
            self._effects = Effects(client, self._lines, self._turns)
        await self._say_alive(len(self._live), claimed=False)

    async def _say_alive(self, running: int, *, claimed: bool) -> None:
        async def work(connection: AsyncConnection[Any]) -> None:
            await claims.beat(
                connection, self.id, platform.node()[:120], os.getpid(), running, claimed=claimed
            )

        await self._lines.steadily(REST, work)

    def _live_of(self, tenant: UUID) -> list[UUID]:
        return [key for key, held in self._live.items() if held.tenant_id == tenant]

    async def _disconnect(self) -> None:
        if self._lines:
            await self._lines.close()
            await self._effects.close()

    async def _end_tasks(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._live.clear()
        self._committer.clear()
        self._unwritten.clear()

    # claiming

    async def _take_on(self, connection: AsyncConnection[Any]) -> int:
        """Claim what there is room for. After a break of the lines, first let go of what is ours but not in hand."""
        if self._breaks != self._lines.breaks:
            breaks = self._lines.breaks
            await claims.release(connection, self.id, but=list(self._live))
            self._breaks = breaks
        most = self._pace.room(len(self._live))
        return await self._claim(most) if most else 0

    async def _claim(self, most: int) -> int:
        full = self._pace.full(held.tenant_id for held in self._live.values())
        self._asked = time.monotonic()
        found = await claims.claim(self._lines[CLAIM], self.id, most, full=full)
        self._claimed = self._claimed or bool(found)
        suspect = next((one for one in found if one.claims == MAX_CLAIMS and one.row is not None), None)
        if suspect is not None:
            found = await self._isolate(suspect, found)
        for number, claimed in enumerate(found):
            self._gate.claimed(claimed)
            if claimed.row is None:
                await self._fire(claimed)
            elif not await self._stands_still(claimed):
                await self._begin(claimed)
            if number % 16 == 15:
                await asyncio.sleep(0)  # answers and the committer get their turn
        while suspect is not None and suspect.run_id in self._live:
            self._see_to_helpers()
            await asyncio.sleep(0.002)
        return len(found)

    async def _isolate(self, suspect: claims.Claimed, found: list[claims.Claimed]) -> list[claims.Claimed]:
        """What to work on besides a run that has its last try.

        Whatever killed its workers may have been another run of their batch. So it is tried with no other that is new,
        lest one that kills takes innocent ones into quarantine with it.
        """
        kept = [one for one in found if one is suspect or one.claims > MAX_CLAIMS]
        others = [one for one in found if one not in kept]
        if others:
            await claims.give_back(self._lines[CLAIM], self.id, others)
        return kept

    def _see_to_helpers(self) -> None:
        """Fail if the committer or the heart has."""
        for helper in self._helpers:
            if helper.done():
                helper.result()

    async def _stands_still(self, claimed: claims.Claimed) -> bool:
        """Give a run back that may not move; one that is to be cancelled may."""
        if not claimed.halts or claimed.signal:
            return False
        by = await self._gate.before_moving(self._lines[CLAIM], claimed)
        if by is None:
            return False
        self.finished += 1
        run, tenant = (claimed.run_id, claimed.epoch), claimed.tenant_id
        held = [(claimed.run_id, by)] if by != tenant else []
        await holds.give_back(self._lines[CLAIM], self.id, tenant, [run], held)
        return True

    async def _fire(self, claimed: claims.Claimed) -> None:
        """A queue row that is no run's is a schedule's."""
        self.finished += 1
        try:
            await schedules.fire(self._lines[CLAIM], self.id, claimed)
        except psycopg.Error:
            raise
        except Exception:
            log.exception("schedule left to its lease", schedule=str(claimed.run_id))

    async def _begin(self, claimed: claims.Claimed) -> None:
        """Move a claimed run as far as it goes without anybody's help; what needs help goes on as a coroutine."""
        try:
            program = await programs.load(self._lines[CLAIM], claimed.schema, claimed.definition_id)
            setup = await programs.setup(self._lines[CLAIM], claimed.schema, claimed.row.workflow_id)
            held = carried(claimed, program, setup)
        except psycopg.Error:
            raise
        except Exception as error:
            log.exception("run cannot be taken up", run=str(claimed.run_id))
            self._committer.put(unreadable(claimed, error))
            return
        queues = setup.rule is not None and not held.signal and not held.run.tasks
        if queues and not await self._turns.begin(held, self.id):
            self.finished += 1
            return
        held.leased = self._asked
        self._live[held.run.id] = held
        if claimed.claims > MAX_CLAIMS:
            held.quarantine()
            self._committer.put(held.checkpoint())
            return
        try:
            held.move()
        except Exception as error:
            log.exception("run broke the engine", run=str(held.run.id))
            held.broke(error)
        if held.run.effects and held.run.status == "running":
            task = asyncio.create_task(self._carry(held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._committer.put(held.checkpoint())

    async def _rest(self, wait: Callable[[float], Awaitable[None]] | None, idle: float) -> None:
        if self._live:
            await self._pace.breathe(len(self._live))
            self._unwritten.go_on()
        elif wait is not None:
            await wait(min(idle, 0.5))
        else:
            await asyncio.sleep(0.01)

    # carrying runs that call

    async def _carry(self, held: Carried) -> None:
        """See a run through its calls: send, take the outcome, go on, and write a checkpoint where one is due."""
        run = held.run
        try:
            while run.effects and run.status == "running":
                if not await self._may_call(held):
                    break
                if held.must_save() and not await self._save(held):
                    return
                effects, run.effects = run.effects, []
                if len(effects) > 1:
                    await self._together(held, effects)
                    continue
                outcome = await self._call(held, effects[0])
                if outcome is WAITS:
                    held.park(None)
                else:
                    held.take(effects[0], outcome)
            self._committer.put(held.checkpoint())
        except asyncio.CancelledError:
            raise
        except psycopg.Error as error:
            log.warning("run dropped", run=str(run.id), error=str(error))
            self._live.pop(run.id, None)
            self._unwritten.leave((run.id, held.epoch))
            if lost(error):
                self._breaks = -1  # to be let go of; after any other error it is left to its lease
        except Exception as error:
            log.exception("run broke the engine", run=str(run.id))
            held.broke(error)
            self._committer.put(held.checkpoint())

    async def _may_call(self, held: Carried) -> bool:
        """Whether a run may make its next calls; if not, it stands still before them."""

        async def work(connection: AsyncConnection[Any]) -> UUID | None:
            return await self._gate.before_calling(connection, held, held.run.effects)

        by = await self._lines.steadily(REST, work)
        if by is not None:
            held.park(by)
        return by is None

    async def _call(self, held: Carried, effect: Effect) -> Outcome:
        """Carry out one call, unless this process slept through the run's lease: then it is another's to make."""
        if effect.effect != "safe":
            await self._unwritten.enter((held.run.id, held.epoch))
        if time.monotonic() - held.leased >= claims.LEASE_SECONDS:
            return WAITS
        return await self._effects.carry_out(held, effect)

    async def _together(self, held: Carried, effects: list[Any]) -> None:
        """Calls of several branches at once; each outcome is taken as it comes."""
        waiting = {asyncio.ensure_future(self._call(held, effect)): effect for effect in effects}
        try:
            while waiting:
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    effect = waiting.pop(future)
                    if future.result() is WAITS:
                        held.park(None)
                        continue
                    held.take(effect, future.result())
                    if held.run.effects and held.run.status == "running":
                        if held.waits or not await self._may_call(held):
                            held.run.effects = []  # others of its calls are on their way: it stands still after them
                            continue
                        if held.must_save() and not await self._save(held):
                            return
                        more, held.run.effects = held.run.effects, []
                        for following in more:
                            waiting[asyncio.ensure_future(self._call(held, following))] = following
        finally:
            for future in waiting:
                future.cancel()

    # what is written

    async def _save(self, held: Carried) -> bool:
        """A checkpoint in the middle; False if the run was taken over, cancelled or paused meanwhile."""
        point = held.checkpoint(keep=True)
        signal = await self._committer.written(point)
        self._unwritten.leave((held.run.id, held.epoch))
        if signal is None or not point.keep:
            return False
        if signal:
            held.obey(signal)
            self._committer.put(held.checkpoint())
            return False
        return True

    def _let_go(self, point: Checkpoint) -> None:
        """The run is not ours any more; unless we lost it and have claimed it again since."""
        held = self._live.get(point.run_id)
        if held is not None and held.epoch == point.epoch:
            del self._live[point.run_id]
        self._unwritten.leave((point.run_id, point.epoch))
        self.finished += 1

    async def _heart(self) -> None:
        """Extend leases and say that this worker lives."""
        while True:
            await asyncio.sleep(HEARTBEAT)
            held = [(run_id, carried_.epoch) for run_id, carried_ in self._live.items()]
            if held:
                await self._renew(held)
            await self._say_alive(len(held), claimed=self._claimed)
            self._claimed = False

    async def _renew(self, held: list[tuple[UUID, int]]) -> None:
        async def work(connection: AsyncConnection[Any]) -> set[UUID]:
            return await claims.renew(connection, self.id, held)

        asked = time.monotonic()
        ours = await self._lines.steadily(REST, work)
        for run_id, _ in held:
            if run_id not in self._live:
                continue
            if run_id in ours:
                self._live[run_id].leased = asked
            else:
                log.warning("lease lost", run=str(run_id))
