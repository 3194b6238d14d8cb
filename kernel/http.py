"""The one way out: an HTTP client that reaches public addresses, and private ones only where an operator said so.

A name is resolved once, every answer is checked, and the connection goes to the checked address (so a name that
changes its mind between check and call gains nothing). Redirects are not followed, bodies are capped after
decompression, and header names and values follow the grammar.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from kernel.errors import PortalError

_TOKEN: Final = re.compile(r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
_VALUE: Final = re.compile(r"^[\t\x20-\x7e\x80-\xff]*$")
_OURS: Final = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "upgrade",
        "trailer",
        "keep-alive",
        "expect",
    }
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given to anybody on the internet; the rest of IPv6 wraps, is local, or is nobody's."""


class EgressRefused(PortalError):
    """This address is outside what the portal may call."""

    code = "egress_refused"
    status = 422
    benign = True


class NoAnswer(PortalError):
    """The other side did not answer; whether it acted is unknown."""

    code = "no_answer"
    status = 502
    benign = True


@dataclass(frozen=True)
class Egress:
    """What may be called and how much is taken: `allowed` holds `host:port` pairs that operators opened."""

    allowed: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({80, 443})
    connect_seconds: float = 10
    idle_seconds: float = 30
    max_bytes: int = 24 * 1024 * 1024
    max_headers: int = 100

    def opened(self, host: str, port: int) -> bool:
        """Whether an operator opened this host and port, wherever it lies."""
        return f"{host}:{port}" in self.allowed


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers with lower-case names, body (decoded from its transfer coding)."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def is_public(address: str) -> bool:
    """Whether `address` is one that anybody on the internet may call, looking through IPv6 wrappings of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        return ip.is_global and ip in _UNICAST
    return ip.is_global and not ip.is_multicast


def check_url(url: str, egress: Egress) -> URL:
    """`url` as it may be called. Raises EgressRefused with what is wrong."""
    try:
        target = URL(url)
        host, port = target.raw_host, target.port
    except ValueError as error:
        raise EgressRefused(f"{url!r} is not a URL") from error
    if target.scheme not in ("http", "https") or not host or port is None:
        raise EgressRefused("only http and https addresses are called")
    if target.user or target.password:
        raise EgressRefused("credentials belong into a connection, not into the address")
    if egress.opened(host, port):
        return target
    if port not in egress.ports:
        raise EgressRefused(f"port {port} is not open for calls")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return target  # a name: the resolver checks every answer
    if not is_public(str(literal)):
        raise EgressRefused(f"{host} is a private address")
    return target


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` as they may be sent. Raises EgressRefused naming the first that may not."""
    for name, value in headers.items():
        low = name.lower()
        if not _TOKEN.match(name) or low in _OURS or low.startswith("proxy-"):
            raise EgressRefused(f"the header {name!r} cannot be set")
        if not _VALUE.match(value):
            raise EgressRefused(f"the value of header {name!r} has characters that no header has")
    return dict(headers)


class _CheckedResolver(AbstractResolver):
    """Resolves a name and refuses it if any answer is not public, unless operators opened host and port."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = [str(info[4][0]) for info in found]
        if not self._egress.opened(host, port):
            for address in addresses:
                if not is_public(address):
                    raise EgressRefused(f"{host} leads to a private address")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST,
            )
            for info, address in zip(found, addresses, strict=True)
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Client:
    """A pooled client for one event loop; close it when the loop ends."""

    def __init__(self, egress: Egress, *, limit: int = 100) -> None:
        self._egress = egress
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_CheckedResolver(egress), limit=limit, limit_per_host=0, use_dns_cache=False
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            requote_redirect_url=False,
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float = 120,
    ) -> Answer:
        """One request, one answer, no redirect followed.

        Raises EgressRefused before anything is sent, and NoAnswer when the answer did not come within `seconds`
        or broke off, in which case the other side may have acted.
        """
        target, sent = check_url(url, self._egress), check_headers(headers)
        limits = aiohttp.ClientTimeout(
            total=seconds, sock_connect=self._egress.connect_seconds, sock_read=self._egress.idle_seconds
        )
        try:
            async with self._session.request(
                method, target, headers=sent, data=body, timeout=limits, allow_redirects=False
            ) as reply:
                return Answer(
                    reply.status,
                    {name.lower(): value for name, value in reply.headers.items()},
                    await self._read(reply),
                )
        except TimeoutError as error:
            raise NoAnswer(f"no answer from {target.host} within {seconds:g} s") from error
        except EgressRefused:
            raise
        except aiohttp.InvalidURL as error:
            raise EgressRefused(f"{url!r} is not a URL that is called") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, EgressRefused):
                raise error.os_error from error
            raise NoAnswer(f"no connection to {target.host}: {error.os_error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"{target.host} broke off: {type(error).__name__}") from error

    async def _read(self, reply: aiohttp.ClientResponse) -> bytes:
        if reply.content_length is not None and reply.content_length > self._egress.max_bytes:
            raise NoAnswer(
                f"the answer has {reply.content_length} bytes; at most {self._egress.max_bytes} are taken"
            )
        parts: list[bytes] = []
        size = 0
        async for part in reply.content.iter_chunked(65_536):
            size += len(part)
            if size > self._egress.max_bytes:
                raise NoAnswer(f"the answer is longer than {self._egress.max_bytes} bytes")
            parts.append(part)
        return b"".join(parts)

    async def close(self) -> None:
        """Close pooled connections."""
        await self._session.close()


def fetch(method: str, url: str, egress: Egress, **options: Any) -> Answer:
    """`Client.send` for code without an event loop (a "Test connection" button); opens and closes a client."""

    async def once() -> Answer:
        client = Client(egress, limit=1)
        try:
            return await client.send(method, url, **options)
        finally:
            await client.close()

    return asyncio.run(once())
