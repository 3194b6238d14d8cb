"""The load: signed webhooks in bursts, each sent until it is taken in."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from bench.door import Shop

BURST: Final = 10


def flow(port: int) -> dict[str, Any]:
    """Three calls that carry a key, one after another."""
    call = {
        "call": "http",
        "with": {"method": "post", "body": {"order": "${ .id }"}},
        "output": {"as": "$input"},
    }
    steps = [
        {
            name: {
                **call,
                "with": {**call["with"], "endpoint": f"http://127.0.0.1:{port}/effect/{{id}}/{name}"},
            }
        }
        for name in ("reserve", "pay", "ship")
    ]
    return _document("chaos", [{"take": {"input": {"from": ".[0]"}, "set": {"id": "${ .id }"}}}, *steps])


def unsafe_flow(port: int) -> dict[str, Any]:
    """One call to a system that honours no key."""
    endpoint = f"http://127.0.0.1:{port}/hold/{{id}}/charge"
    charge = {
        "metadata": {"effect": "unsafe"},
        "call": "http",
        "with": {"method": "post", "endpoint": endpoint, "body": {"order": "${ .id }"}},
    }
    return _document(
        "unsafe", [{"take": {"input": {"from": ".[0]"}, "set": {"id": "${ .id }"}}}, {"charge": charge}]
    )


def _document(name: str, steps: list[Any]) -> dict[str, Any]:
    return {
        "document": {"dsl": "1.0.3", "namespace": "chaos", "name": name, "version": "1.0.0"},
        "schedule": {"on": {"one": {"with": {"type": f"chaos.{name}"}}}, "read": "data"},
        "do": steps,
    }


@dataclass
class Load:
    """Sends `count` orders over `seconds`; `again` counts the answers that made it send once more."""

    shop: Shop
    kind: str
    count: int
    seconds: float
    again: int = 0
    accepted: int = 0

    async def run(self) -> None:
        """All of them; returns when each is taken in."""
        bursts = max(self.count // BURST, 1)
        began = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=16)
        ) as session:
            sending: list[asyncio.Task[None]] = []
            for burst in range(bursts):
                await asyncio.sleep(
                    max(0.0, began + burst * self.seconds / max(bursts - 1, 1) - time.monotonic())
                )
                size = self.count // bursts + (self.count % bursts if burst == bursts - 1 else 0)
                sending += [asyncio.create_task(self._send(session)) for _ in range(size)]
            await asyncio.gather(*sending)

    async def _send(self, session: aiohttp.ClientSession) -> None:
        number = self.shop.next_number()
        body = orjson.dumps(self._event(number))
        while True:
            try:
                headers = self.shop.signed(number, body)
                async with session.post(self.shop.url, data=body, headers=headers) as reply:
                    await reply.read()
                    if reply.status in (200, 202):
                        self.accepted += 1
                        return
                    if 400 <= reply.status < 500 and reply.status != 429:
                        raise SystemExit(f"the door answered {reply.status}: {await reply.text()}")
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass  # the web server is being killed; what counts is that the order comes in at last
            self.again += 1
            await asyncio.sleep(0.3)

    def _event(self, number: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": number,
            "source": "/chaos",
            "type": self.kind,
            "subject": number,
            "time": "2026-11-20T10:11:12Z",
            "data": {"id": number, "note": "x" * 500},
        }
