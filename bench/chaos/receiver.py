"""The other side of the calls: applies an effect once a key, answers repeats alike, and remembers everything."""

import asyncio
import hashlib
import random
import socket
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
        self.bodies[key].add(hashlib.sha256(body).digest())

    @property
    def twice(self) -> int:
        """Effects that were applied under more than one key."""
        return sum(len(keys) > 1 for keys in self.keys.values())

    @property
    def repeats(self) -> int:
        """Sends beyond the first of each key."""
        return sum(count - 1 for count in self.sends.values())

    @property
    def changed(self) -> int:
        """Keys that came with different bodies."""
        return sum(len(bodies) > 1 for bodies in self.bodies.values())
