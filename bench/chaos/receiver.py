"""The other side of the calls: applies an effect once a key, answers repeats alike, and remembers everything."""

import asyncio
import bisect
import hashlib
import random
import socket
import time
from collections import defaultdict
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Receiver:
    """What came in: for each effect (order, step) the keys it came under, for each key how often and which bodies."""

    rng: random.Random
    keys: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    sends: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    first: dict[str, float] = field(default_factory=dict)
    port: int = 0
    waiting: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_post("/effect/{order}/{step}", self._effect)
        app.router.add_post("/hold/{order}/{step}", self._hold)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        await web.SockSite(runner, listening).start()
        self.port = listening.getsockname()[1]

    async def _effect(self, request: web.Request) -> web.Response:
        """Acts, and then takes its time to answer: who dies meanwhile does not know."""
        await self._applied(request)
        await asyncio.sleep(self.rng.uniform(0.005, 0.04))
        return web.json_response({"ok": True})

    async def _hold(self, request: web.Request) -> web.Response:
        """Acts and does not answer before it is told to."""
        await self._applied(request)
        self.waiting += 1
        await self.answering.wait()
        return web.json_response({"ok": True})

    async def _applied(self, request: web.Request) -> None:
        body = await request.read()
        key = request.headers.get("Idempotency-Key", "")
        self.keys[request.match_info["order"], request.match_info["step"]].add(key)
        self.sends[key] += 1
        self.first.setdefault(key, time.time())
        self.bodies[key].add(hashlib.sha256(body).digest())

    @property
    def twice(self) -> int:
        """Effects that were applied under more than one key."""
        return sum(len(keys) > 1 for keys in self.keys.values())

    @property
    def repeats(self) -> int:
        """Sends beyond the first of each key."""
        return sum(count - 1 for count in self.sends.values())

    def repeats_by(self, faults: list[tuple[float, str]]) -> list[list[object]]:
        """Fault and number of sends that followed it under a key that was sent before it, of those with any."""
        found: dict[int, int] = defaultdict(int)
        for key, count in self.sends.items():
            if count > 1:
                found[bisect.bisect([at for at, _ in faults], self.first[key])] += count - 1
        return [
            [faults[n][1] if n < len(faults) else "none", repeats] for n, repeats in sorted(found.items())
        ]

    @property
    def changed(self) -> int:
        """Keys that came with different bodies."""
        return sum(len(bodies) > 1 for bodies in self.bodies.values())
