"""The way out: what may be called, and what may come back."""

import asyncio
import gzip
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from kernel.http import Client, Egress, EgressRefused, NoAnswer, check_headers, check_url, fetch, is_public

OPEN = Egress()
PRIVATE = [
    "http://127.0.0.1/", "http://127.1/", "http://0.0.0.0/", "http://[::1]/", "http://[::]/", "http://10.1.2.3/",
    "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://100.64.0.1/", "http://198.18.0.1/",
    "http://224.0.0.1/", "http://240.0.0.1/", "http://255.255.255.255/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:7f00:1::]/",
    "http://[ff02::1]/", "http://192.0.2.1/", "http://203.0.113.5/",
]  # fmt: skip
BY_NAME = [
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://127.0.0.1.:80/",
    "http://LOCALHOST/",
    "http://0177.0.0.1/",
]
NOT_CALLED = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "//example.com/",
    "example.com",
    "",
    "http://",
    "http://user:pw@example.com/",
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://example.com:99999/",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_refused_before_anything_is_sent(url):
    with pytest.raises(EgressRefused):
        fetch("GET", url, OPEN, headers={}, seconds=2)


@pytest.mark.parametrize("url", BY_NAME)
def test_names_that_lead_to_private_addresses_are_refused(url):
    with pytest.raises((EgressRefused, NoAnswer)):
        fetch("GET", url, OPEN, headers={}, seconds=2)


@pytest.mark.parametrize("url", NOT_CALLED)
def test_only_plain_http_addresses_on_open_ports_are_called(url):
    with pytest.raises(EgressRefused):
        check_url(url, OPEN)


def test_public_addresses_pass():
    assert all(is_public(address) for address in ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"))
    assert check_url("https://shop.example/orders?x=1", OPEN).host == "shop.example"


def test_an_operator_opens_a_private_address_by_host_and_port_alone():
    egress = Egress(allowed=frozenset({"127.0.0.1:9100"}))
    assert check_url("http://127.0.0.1:9100/x", egress).port == 9100
    for url in ("http://127.0.0.1:9101/", "http://127.0.0.2:9100/", "http://localhost:9100/"):
        with pytest.raises(EgressRefused):
            check_url(url, egress)


def test_a_name_that_answers_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
            for address in ("93.184.216.34", "10.0.0.5")
        ]

    async def call() -> None:
        client = Client(OPEN)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both, raising=False)
        try:
            await client.send("GET", "http://rebound.example/", headers={}, seconds=2)
        finally:
            await client.close()

    with asyncio.Runner() as runner, pytest.raises(EgressRefused, match="private"):
        runner.run(call())


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"},
        {"Content-Length": "1"},
        {"Transfer-Encoding": "chunked"},
        {"Proxy-Authorization": "x"},
        {"Connection": "x"},
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\nb"},
        {"X A": "b"},
        {"": "b"},
        {"X-A": "a\x00"},
    ],
)
def test_headers_that_could_forge_a_request_are_refused(headers):
    with pytest.raises(EgressRefused):
        check_headers(headers)


class _Hostile(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
        elif self.path == "/bomb":
            body = gzip.compress(b"0" * 40_000_000)
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/long":
            self.send_response(200)
            self.send_header("Content-Length", str(10**12))
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65_536)
            except OSError:
                return
        elif self.path == "/hang":
            self.server.stop.wait(5)  # type: ignore[attr-defined]
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"fine")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def hostile() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    server.stop = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.stop.set()  # type: ignore[attr-defined]
    server.shutdown()


def ask(port: int, path: str, seconds: float = 3):
    egress = Egress(allowed=frozenset({f"127.0.0.1:{port}"}))
    return fetch("GET", f"http://127.0.0.1:{port}{path}", egress, headers={}, seconds=seconds)


def test_a_redirect_is_handed_back_and_not_followed(hostile):
    answer = ask(hostile, "/redirect")
    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")


@pytest.mark.parametrize("path", ["/bomb", "/long", "/endless"])
def test_an_answer_is_taken_up_to_a_limit_after_decompression(hostile, path):
    with pytest.raises(NoAnswer, match=r"bytes|broke off"):
        ask(hostile, path, seconds=10)


def test_an_answer_that_does_not_come_is_no_answer(hostile):
    with pytest.raises(NoAnswer, match="within"):
        ask(hostile, "/hang", seconds=0.3)


def test_nobody_there_is_no_answer():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NoAnswer, match="no connection"):
        ask(port, "/")
