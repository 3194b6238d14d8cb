"""A25: the address of a step, a connection, a channel, a stream or a provider that leads inside."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from automations.connectors.errors import SettingsWrong
from automations.engine.actions import resources
from automations.engine.errors import DefinitionRefused
from automations.engine.executors import http as executor
from automations.engine.machine.moves import Effect
from automations.notices import actions as notices
from kernel import syslog
from kernel.errors import Invalid
from kernel.http import Client, Egress, EgressRefused, NoAnswer, check_url, fetch, is_public
from tenants.access.models import User
from tenants.accounts.actions import sign_on
from tenants.accounts.errors import SignOnRefused
from tenants.audit import actions as audit
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW

OPEN = Egress()
INSIDE_4 = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.5", "224.0.0.1", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
INSIDE_6 = (
    "::1", "::", "fe80::1", "fe80::1%25eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::ffff:7f00:1", "0:0:0:0:0:ffff:a9fe:a9fe", "2001:0:7f00:1::",
)  # fmt: skip
NOT_CALLED = (
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/", "example.com", "", "http://",
    "http://user:pw@example.com/", "http://example.com:22/", "http://example.com:5432/", "http://example.com:6379/",
    "http://example.com:99999/", "javascript:alert(1)", "http://[", "http://[::1", "unix:///var/run/docker.sock", "jar:http://example.com!/",
)  # fmt: skip


def forms_of(text: str) -> list[str]:
    """The ways to write an IPv4 address that some reader of addresses takes."""
    a, b, c, d = (int(part) for part in text.split("."))
    whole = int(ipaddress.ip_address(text))
    return [
        text, f"{text}.", str(whole), hex(whole), f"0{whole:o}", f"{a}.{b}.{(c << 8) + d}", f"{a}.{(b << 16) + (c << 8) + d}",
        ".".join(f"0{part:o}" for part in (a, b, c, d)), ".".join(hex(part) for part in (a, b, c, d)), f"0{a:o}.{b}.{c}.{d}",
        f"[::ffff:{text}]", f"[::{text}]", f"[64:ff9b::{text}]", "".join(chr(ord(x) + 0xFEE0) if x.isdigit() else x for x in text),
        text.replace(".", "\u3002"), f"%{ord(text[0]):x}{text[1:]}",
    ]  # fmt: skip


HOSTS = [form for text in INSIDE_4 for form in forms_of(text)] + [f"[{text}]" for text in INSIDE_6]
HOSTS += [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ip6-localhost",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses to which somebody tried to connect: nobody may."""
    found: list[Any] = []

    async def note(_loop: object, _sock: object, address: Any) -> None:
        found.append(address)
        raise ConnectionRefusedError(str(address))

    def plainly(address: Any, *_: object, **__: object) -> None:
        found.append(address)
        raise ConnectionRefusedError(str(address))

    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", note)
    monkeypatch.setattr(socket, "create_connection", plainly)
    resolve = socket.getaddrinfo

    def at_home(host: Any, *rest: Any, **more: Any) -> Any:
        """What this machine knows by itself: no name is asked of a server."""
        if str(host).lower().rstrip(".") in ("localhost", "ip6-localhost"):
            return resolve("127.0.0.1", *rest, **more)
        if ":" in str(host):
            return resolve(host, *rest, **more)
        try:
            socket.inet_aton(str(host).rstrip("."))
        except (OSError, UnicodeError):
            raise socket.gaierror(f"nobody is called {host}") from None
        return resolve(socket.inet_ntoa(socket.inet_aton(str(host).rstrip("."))), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    return found


def test_there_are_enough_forms_of_them() -> None:
    assert len(set(HOSTS)) >= 200


def test_no_form_of_an_inside_address_is_connected_to(connected: list[Any]) -> None:
    for host in HOSTS:
        for url in (f"http://{host}/", f"https://{host}:443/x?y#z"):
            with pytest.raises((EgressRefused, NoAnswer)):
                fetch("GET", url, OPEN, headers={}, seconds=2)
    assert connected == []


@pytest.mark.parametrize("url", NOT_CALLED)
def test_only_plain_http_addresses_on_open_ports_are_called(url: str) -> None:
    with pytest.raises(EgressRefused):
        check_url(url, OPEN)


def test_public_addresses_pass() -> None:
    assert all(is_public(address) for address in ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"))
    assert check_url("https://shop.example/orders?x=1", OPEN).host == "shop.example"


def test_an_operator_opens_a_private_address_by_host_and_port_alone() -> None:
    egress = Egress(allowed=frozenset({"127.0.0.1:9100"}))
    assert check_url("http://127.0.0.1:9100/x", egress).port == 9100
    for url in ("http://127.0.0.1:9101/", "http://127.0.0.2:9100/", "http://localhost:9100/"):
        with pytest.raises(EgressRefused):
            check_url(url, egress)


def _step(url: str) -> None:
    async def go() -> None:
        client = Client(OPEN)
        effect = Effect("0", "k", "/do/0/a", "http", {"method": "GET", "uri": url, "headers": {}})
        try:
            outcome = await executor.send(client, effect, None)
        finally:
            await client.close()
        assert outcome.refused, url
        raise EgressRefused(outcome.refused)

    asyncio.run(go())


def _connection(url: str) -> None:
    make.connection(base_url=url)


def _channel(url: str) -> None:
    notices.create_channel(name="x", kind="webhook", address=url, actor=make.BY, now=NOW)


def _stream(url: str) -> None:
    audit.create_stream(name="x", kind="webhook", address=url, actor=make.BY, now=NOW)


def _document(url: str) -> None:
    resources.fetch([url])


def _provider(url: str) -> None:
    sign_on.check_address(url)


def _syslog(url: str) -> None:
    syslog.send(url.replace("http://", "tcp://").rstrip("/") + ":514", [b"x"], OPEN)


@pytest.mark.parametrize(
    "way",
    [_step, _connection, _channel, _stream, _document, _provider, _syslog],
    ids=lambda way: way.__name__,
)
@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.5", "[::1]", "[::ffff:10.0.0.5]"])
def test_every_way_out_refuses_it(
    tenant: TenantRef, connected: list[Any], way: Callable[[str], None], host: str
) -> None:
    with pytest.raises((EgressRefused, Invalid, SettingsWrong, DefinitionRefused, SignOnRefused)):
        way(f"http://{host}/")
    assert connected == []
    assert User.objects.exists()  # the database was there all the time: it is nobody's to call
