"""Syslog over TCP or TLS (RFC 5424, RFC 6587): lines go out in one connection, and count once the peer has them.

The same rules as for HTTP hold for where it may lead. TCP says when the peer's machine has taken the bytes, not when
its syslog server has written them down: whoever needs more takes a webhook.
"""

import array
import fcntl
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Final

from yarl import URL

from kernel.http import Egress, EgressRefused, NoAnswer, is_public

PORTS: Final = frozenset({514, 601, 6514})
_SECONDS: Final = 10.0
_OUTQ: Final = 0x5411  # SIOCOUTQ: bytes that the peer has not acknowledged
_AUDIT_INFO: Final = 13 * 8 + 6  # facility "log audit", severity informational


def message(text: str, *, at: str, host: str, app: str, kind: str) -> bytes:
    """One message of RFC 5424, counted in octets as RFC 6587 has it."""
    raw = f"<{_AUDIT_INFO}>1 {at} {host[:255]} {app} - {kind} - {text}".encode()
    return b"%d %b" % (len(raw), raw)


def check_address(address: str, egress: Egress) -> URL:
    """`tcp://host:port` or `tls://host:port` as it may be called. Raises EgressRefused."""
    try:
        target = URL(address)
        host, port = target.raw_host, target.port
    except ValueError as error:
        raise EgressRefused(f"{address!r} is not an address") from error
    if (
        target.scheme not in ("tcp", "tls")
        or not host
        or port is None
        or target.user
        or target.path not in ("", "/")
    ):
        raise EgressRefused("a syslog server is tcp://host:port or tls://host:port")
    if not egress.opened(host, port) and port not in PORTS:
        raise EgressRefused(f"port {port} is not open for syslog")
    return target


def send(address: str, messages: Iterable[bytes], egress: Egress) -> None:
    """Send `messages` in one connection and wait until the peer has taken all of them.

    Raises EgressRefused before anything is sent, and NoAnswer when it broke off or took too long.
    """
    target = check_address(address, egress)
    host, port = str(target.raw_host), int(target.port or 0)
    try:
        place = _checked(host, port, egress)
        with socket.create_connection(place, timeout=_SECONDS) as raw:
            line = _tls(raw, host) if target.scheme == "tls" else raw
            with line:
                line.sendall(b"".join(messages))
                _wait_taken(line)
    except OSError as error:
        raise NoAnswer(f"{host} did not take it: {error}") from error


def _checked(host: str, port: int, egress: Egress) -> tuple[str, int]:
    """The address to connect to, resolved once; every answer is checked. Raises EgressRefused."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not egress.opened(host, port) and not all(is_public(one) for one in found):
        raise EgressRefused(f"{host} leads to a private address")
    return found[0], port


def _tls(raw: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(raw, server_hostname=host)


def _wait_taken(line: socket.socket) -> None:
    until = time.monotonic() + _SECONDS
    left = array.array("i", [1])
    while time.monotonic() < until:
        fcntl.ioctl(line.fileno(), _OUTQ, left)
        if left[0] == 0:
            return
        time.sleep(0.005)
    raise TimeoutError("not all of it was taken in time")
