"""Feeds: the shop places orders at a rate and sends each as a signed webhook, again until it is taken.

`{"url", "secret", "style": "shopify" | "cloudevents", "rate_per_second", "count": 0 = without end, "faulty": 0.1}`.
A feed to an address that has one replaces it.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult

from deploy.estate import shapes, signing
from deploy.estate.memory import Bounded
from deploy.estate.orders import Customers, Order
from kernel.clock import now, rfc3339
from kernel.ids import uuid7

_MOST_AT_ONCE: Final = 32
_RETRY_SECONDS: Final = (0.5, 1, 2, 4, 8, 15, 30, 30, 30, 60, 60, 60)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_MOST_ORDERS: Final = 20_000


@dataclass
class Wish:
    """What a feed was asked to do."""

    url: str
    secret: str
    style: str = "shopify"
    rate_per_second: float = 0.1
    count: int = 0
    faulty: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for what no feed can do."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url must start with http:// or https://")
        if self.style not in ("shopify", "cloudevents"):
            raise ValueError("style must be shopify or cloudevents")
        if self.rate_per_second <= 0:
            raise ValueError("rate_per_second must be above 0")
        if self.style == "cloudevents":
            signing.standard(self.secret, "", 0, b"")


@dataclass
class Feed:
    """A feed and how it goes."""

    wish: Wish
    sent: int = 0
    taken: int = 0
    refused: int = 0
    retried: int = 0
    given_up: int = 0
    last: str = ""
    task: "asyncio.Task[None] | None" = None

    def told(self) -> dict[str, Any]:
        """The counts, without the secret."""
        counts = ("sent", "taken", "refused", "retried", "given_up", "last")
        running = self.task is not None and not self.task.done()
        return {"url": self.wish.url, "running": running, **{name: getattr(self, name) for name in counts}}


@dataclass
class Feeds:
    """All feeds of the shop; they share its customers, so that no order number comes twice."""

    customers: Customers
    feeds: dict[str, Feed] = field(default_factory=dict)
    orders: Bounded[int, Order] = field(default_factory=lambda: Bounded(_MOST_ORDERS))
    _session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Be ready to send."""
        connector = aiohttp.TCPConnector(resolver=_LocalNames(), limit=_MOST_AT_ONCE, use_dns_cache=False)
        self._session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT)

    async def close(self) -> None:
        """End all feeds and the line they send on."""
        await self.stop()
        if self._session is not None:
            await self._session.close()

    async def stop(self) -> None:
        """End all feeds."""
        tasks = [feed.task for feed in self.feeds.values() if feed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.feeds.clear()

    def start(self, wish: Wish) -> Feed:
        """Start a feed, in place of one to the same address."""
        if (before := self.feeds.pop(wish.url, None)) is not None and before.task is not None:
            before.task.cancel()
        feed = self.feeds[wish.url] = Feed(wish)
        feed.task = asyncio.get_running_loop().create_task(self._run(feed))
        return feed

    async def _run(self, feed: Feed) -> None:
        """Place orders at the feed's rate; what the other side does not take in time waits its turn."""
        pending: set[asyncio.Task[None]] = set()
        loop, wish = asyncio.get_running_loop(), feed.wish
        began = loop.time()
        try:
            while wish.count == 0 or feed.sent < wish.count:
                due = began + feed.sent / wish.rate_per_second
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                if len(pending) >= _MOST_AT_ONCE:
                    await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                feed.sent += 1
                order = self.customers.order(now(), faulty=wish.faulty)
                self.orders[shapes.shopify_id(order)] = order
                task = loop.create_task(self._deliver(feed, order))
                pending.add(task)
                task.add_done_callback(pending.discard)
            if pending:
                await asyncio.wait(pending)
        finally:
            for task in pending:
                task.cancel()

    async def _deliver(self, feed: Feed, order: Order) -> None:
        """Send one order until it is taken or refused for good; the message keeps its id."""
        message_id = str(uuid7())
        for delay in (*_RETRY_SECONDS, None):
            status = await self._send(feed, order, message_id)
            feed.last = f"{status or 'no answer'} at {rfc3339(now())}"
            if 200 <= status < 300:
                feed.taken += 1
                return
            if 400 <= status < 500 and status not in (404, 408, 425, 429):  # 404: the tenant may come yet
                feed.refused += 1
                return
            if delay is not None:
                feed.retried += 1
                await asyncio.sleep(delay)
        feed.given_up += 1

    async def _send(self, feed: Feed, order: Order, message_id: str) -> int:
        body, headers = _message(feed.wish, order, message_id)
        assert self._session is not None
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(feed.wish.url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        return 0


def _message(wish: Wish, order: Order, message_id: str) -> tuple[bytes, dict[str, str]]:
    """Body and signed headers; the timestamp is that of this sending."""
    writers: dict[str, Callable[[Wish, Order, str], tuple[bytes, dict[str, str]]]] = {
        "shopify": _shopify_message,
        "cloudevents": _cloudevents_message,
    }
    return writers[wish.style](wish, order, message_id)


def _shopify_message(wish: Wish, order: Order, message_id: str) -> tuple[bytes, dict[str, str]]:
    body = orjson.dumps(shapes.shopify_order(order))
    return body, {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": shapes.SHOP_DOMAIN,
        "X-Shopify-API-Version": "2026-01",
        "X-Shopify-Webhook-Id": message_id,
        "X-Shopify-Event-Id": message_id,
        "X-Shopify-Triggered-At": rfc3339(order.placed_at),
        "X-Shopify-Hmac-Sha256": signing.shopify(wish.secret, body),
    }


def _cloudevents_message(wish: Wish, order: Order, message_id: str) -> tuple[bytes, dict[str, str]]:
    body = orjson.dumps({"id": message_id, **shapes.order_placed(order)})
    timestamp = int(time.time())
    return body, {
        "Content-Type": "application/cloudevents+json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.standard(wish.secret, message_id, timestamp, body),
    }


class _LocalNames(AbstractResolver):
    """Resolves `*.localhost` to this machine, as browsers do and few resolvers know."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        known = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
        found = await asyncio.get_running_loop().getaddrinfo(
            known, port, type=socket.SOCK_STREAM, family=family
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(info[4][0]),
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST,
            )
            for info in found
        ]

    async def close(self) -> None:
        """Nothing is held."""
