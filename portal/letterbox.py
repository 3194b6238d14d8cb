"""The express lane of the letterbox, before Django: it takes plain webhooks in, and leaves all else to Django."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from django.conf import settings
from django.utils.datastructures import CaseInsensitiveMapping

from automations.events import actions as events
from automations.events.actions import Receipt
from kernel import clock, jsonx, metrics
from portal.middleware import HOOKS, host_name, request_id
from tenants.tenancy import queries
from tenants.tenancy.errors import UnknownHost

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = CaseInsensitiveMapping[str]
_ROOM: Final = "hooks"


class Letterbox:
    """An ASGI application around another: `behind` gets every request that is no plain delivery."""

    def __init__(self, behind: Application) -> None:
        self._behind = behind
        self._company = events.Company()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        headers = _headers(scope)
        if headers is None or not _fits(headers):
            await self._behind(scope, receive, send)
            return
        began = time.perf_counter()
        body = await _body(receive)
        if body is None:
            return  # the sender has gone before it had said all
        receipt = await self._taken_in(scope["path"], headers, body)
        if receipt is None:
            await self._behind(scope, _again(body, receive), send)
            return
        await _answer(send, receipt, request_id(headers.get("X-Request-Id", "")))
        metrics.webhooks.labels(outcome=receipt.outcome).inc()
        metrics.requests.labels(room=_ROOM, status=str(receipt.status)).observe(time.perf_counter() - began)

    async def close(self) -> None:
        """Close what is open; for a loop that ends."""
        await self._company.close()

    async def _taken_in(self, path: str, headers: Headers, body: bytes) -> Receipt | None:
        """The receipt for a plain delivery that is stored now."""
        try:
            found = queries.remembered_host(host_name(headers.get("Host", "")))
        except UnknownHost:
            return None
        if found is None or found.tenant is None:
            return None
        delivery = events.plain(
            tenant=found.tenant,
            token=path.removeprefix(HOOKS),
            headers=headers,
            body=body,
            now=clock.now(),
        )
        if delivery is None or not await self._company.store(delivery):
            return None
        return delivery.receipt()


def _headers(scope: Scope) -> Headers | None:
    """The headers of what may be a delivery; None for any other request, and where a header stands twice."""
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(HOOKS):
        return None
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    headers = CaseInsensitiveMapping(pairs)
    return headers if len(headers) == len(pairs) else None


def _fits(headers: Headers) -> bool:
    """Whether the body has a length that may be read at once."""
    declared = headers.get("Content-Length", "")
    return declared.isdigit() and int(declared) <= min(events.BYTES_MOST, settings.WEBHOOK_MAX_BYTES)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; the server sees to it that it is no longer than declared."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` as if nothing of the body had been read."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


async def _answer(send: Send, receipt: Receipt, request: str) -> None:
    content = jsonx.dumps(receipt.body())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", request.encode()),
    ]
    await send({"type": "http.response.start", "status": receipt.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
