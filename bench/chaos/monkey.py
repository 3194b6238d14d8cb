"""The faults: which, when (by the seed), and doing them."""

import asyncio
import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import Final, Literal

import redis

from bench.chaos.stage import Stage
from bench.chaos.watcher import Held, Watcher

Fault = Literal["child", "worker", "web", "dispatcher", "work", "flush", "valkey", "postgres", "pause"]
_KILLS: Final[list[Fault]] = ["child"] * 6 + ["worker"] * 2 + ["web", "dispatcher", "work"]
_AWAKE: Final = 150
"""Tenths of a second that a process which was paused has to show what it writes."""


@dataclass(frozen=True)
class Plan:
    """How many faults of each sort, over how many seconds, and how long a paused process stays so."""

    kills: int
    redis: int
    postgres: int
    pauses: int
    seconds: float
    pause_seconds: float


def schedule(plan: Plan, rng: random.Random) -> list[tuple[float, Fault]]:
    """Seconds from the start, and the fault; the last one kills every worker while the last orders are under way."""
    wanted: list[Fault] = [rng.choice(_KILLS) for _ in range(max(plan.kills - 1, 0))]
    wanted += [("flush", "valkey")[n % 2] for n in range(plan.redis)]  # type: ignore[misc]
    wanted += ["postgres"] * plan.postgres + ["pause"] * plan.pauses
    rng.shuffle(wanted)
    step = plan.seconds * 0.9 / max(len(wanted), 1)
    timed = [(plan.seconds * 0.05 + (n + rng.random()) * step, fault) for n, fault in enumerate(wanted)]
    # a pause has to be over before the end, or nobody sees whether the fence holds
    latest = max(plan.seconds - plan.pause_seconds - 5, 1.0)
    timed = [(min(at, latest) if fault == "pause" else at, fault) for at, fault in timed]
    return sorted([*timed, (plan.seconds + 0.3, "worker")] if plan.kills else timed)


@dataclass
class Monkey:
    """Does the faults and counts them."""

    stage: Stage
    watcher: Watcher
    redis_url: str
    plan: Plan
    rng: random.Random
    done: dict[str, int] = field(default_factory=dict)
    times: list[tuple[float, str]] = field(default_factory=list)
    last_at: float = 0.0
    stale_expected: int = 0
    _pauses: list["asyncio.Task[None]"] = field(default_factory=list)
    _paused: set[int] = field(default_factory=set)

    async def run(self) -> None:
        """All faults of the plan; returns when the last is done."""
        began = time.monotonic()
        for at, fault in schedule(self.plan, self.rng):
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            if fault in ("worker", "postgres"):  # either would keep a paused process from its late writes
                await asyncio.gather(*self._pauses)
            await self.do(fault)
        await asyncio.gather(*self._pauses)

    async def do(self, fault: Fault) -> None:
        """One fault."""
        match fault:
            case "child":
                await self._kill(await self._busiest(), alone=True)
            case "worker":
                await self.stage.all_ready()
                await self._kill([self.stage.pid("engine") or 0, *self.stage.children("engine")])
            case "web" | "dispatcher" | "work":
                await self._kill(await self._pid(fault))
            case "flush":
                with contextlib.suppress(redis.RedisError):
                    await asyncio.to_thread(redis.Redis.from_url(self.redis_url).flushall)
            case "valkey":
                await self._kill(await self._pid("valkey"))
            case "postgres":
                await self._stop_postgres()
            case "pause":
                self._pauses.append(asyncio.create_task(self._pause()))
        self.done[fault] = self.done.get(fault, 0) + 1
        self.times.append((time.time(), fault))
        self.last_at = time.time()

    async def _pid(self, name: str) -> list[int]:
        await self.stage.all_ready()
        return [self.stage.pid(name) or 0]

    async def _busiest(self) -> list[int]:
        """The worker child that holds most, of those that are not paused."""
        await self.stage.all_ready()
        children = [pid for pid in self.stage.children("engine") if pid not in self._paused]
        sizes = [(len(await self.watcher.held_by([pid])), pid) for pid in children]
        return [max(sizes)[1]] if sizes else []

    async def _kill(self, pids: list[int], *, alone: bool = False) -> None:
        held = await self.watcher.held_by(pids)
        for pid in pids if alone else pids[:1]:  # the supervisor ends what a dead worker leaves
            with contextlib.suppress(ProcessLookupError):
                if pid and not (alone and pid in self._paused):  # it was paused a moment ago
                    os.kill(pid, signal.SIGKILL)
        self.watcher.follow(held)

    async def _stop_postgres(self) -> None:
        """Immediate shutdown: no checkpoint, recovery at the next start."""
        held = await self.watcher.held_by(self.stage.children("engine"))
        for _ in range(200):
            if _signalled(await self._pid("postgres")):
                break
            await asyncio.sleep(0.1)  # it ended meanwhile; the next one is on its way
        self.watcher.follow(held)

    async def _pause(self) -> None:
        """Hold a worker still for longer than its lease; what it writes when it wakes has to be refused."""
        pid, held = await self._held_still()
        if not held:
            return
        self.watcher.follow(held)
        await asyncio.sleep(self.plan.pause_seconds)
        taken = await self.watcher.taken_over(held)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            self.stale_expected += taken
        for _ in range(_AWAKE):  # it is left alone until it has tried to write
            if self.stage.stale_refused() >= self.stale_expected:
                break
            await asyncio.sleep(0.1)
        self._paused.discard(pid)

    async def _held_still(self) -> tuple[int, Held]:
        """A stopped child and what it holds, once nothing that it sent is under way any more."""
        for _ in range(200):
            for pid in await self._busiest():
                with contextlib.suppress(ProcessLookupError):  # the monkey was here already
                    os.kill(pid, signal.SIGSTOP)
                    self._paused.add(pid)
                    await asyncio.sleep(0.1)
                    if held := await self.watcher.held_by([pid]):
                        return pid, held
                    os.kill(pid, signal.SIGCONT)
                self._paused.discard(pid)
            await asyncio.sleep(0.05)
        return 0, {}


def _signalled(pids: list[int]) -> bool:
    if not all(pids):
        return False
    try:
        os.kill(pids[0], signal.SIGQUIT)
    except ProcessLookupError:
        return False
    return True
