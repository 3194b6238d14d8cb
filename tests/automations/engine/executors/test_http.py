"""Carrying out calls: redirects, what content becomes, credentials that stay where they belong."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from automations.engine.executors import http
from automations.engine.machine.moves import Effect, Outcome
from kernel.http import Client, Egress

ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/json": (200, {"content-type": "application/json; charset=utf-8"}, b'{"a": 12345678901234567890}'),
    "/problem": (200, {"content-type": "application/problem+json"}, b'{"b": 2}'),
    "/broken": (200, {"content-type": "application/json"}, b"{"),
    "/text": (200, {"content-type": "text/csv"}, b"a,b"),
    "/bytes": (200, {"content-type": "image/png"}, b"\x89PNG"),
    "/nothing": (204, {}, b""),
    "/card": (200, {"content-type": "application/json"}, b'{"pan": "4111 1111 1111 1111"}'),
    "/moved": (302, {"location": "/json"}, b""),
    "/circle": (302, {"location": "/circle"}, b""),
}


class Site:
    def __init__(self, port: int, other: int) -> None:
        self.port, self.other, self.seen = port, other, []

    def send(
        self, path: str, *, method: str = "GET", connection: Any = None, key: str = "k", **more: Any
    ) -> Outcome:
        request = {"method": method, "uri": path, "headers": {}, **more}
        if connection is None and path.startswith("/"):
            request["uri"] = f"http://127.0.0.1:{self.port}{path}"

        async def go() -> Outcome:
            client = Client(Egress(allowed=frozenset({f"127.0.0.1:{self.port}", f"127.0.0.1:{self.other}"})))
            try:
                return await http.send(client, Effect("0", key, "/do/0/a", "http", request), connection)
            finally:
                await client.close()

        return asyncio.run(go())


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            found.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            status, headers, body = ANSWERS.get(self.path, (404, {}, b""))
            if self.path == "/away":
                status, headers = 302, {"location": f"http://127.0.0.1:{found.other}/json"}
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    found = Site(servers[0].server_address[1], servers[1].server_address[1])
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/json", {"a": 12345678901234567890}),
        ("/problem", {"b": 2}),
        ("/broken", "{"),
        ("/text", "a,b"),
        ("/bytes", base64.b64encode(b"\x89PNG").decode()),
        ("/nothing", None),
        ("/card", {"pan": "••••••••••••1111"}),
    ],
)
def test_m2_content_is_parsed_by_its_type(site, path, content):
    assert site.send(path).content == content


def test_raw_content_is_its_bytes_in_base64(site):
    assert site.send("/json", raw=True).content == base64.b64encode(ANSWERS["/json"][2]).decode()


def test_m1_a_redirect_is_an_answer_unless_it_is_to_be_followed(site):
    assert site.send("/moved").status == 302
    assert len(site.seen) == 1
    assert site.send("/moved", redirect=True).content == {"a": 12345678901234567890}


def test_m1_redirects_are_followed_five_times(site):
    assert "more than 5 redirects" in site.send("/circle", redirect=True).error
    assert len(site.seen) == 6


def test_m1_credentials_do_not_go_along_to_another_host(site):
    base = f"http://127.0.0.1:{site.port}"
    outcome = site.send("/away", redirect=True, connection=http.Signed(base, {"Authorization": "Bearer x"}))
    assert outcome.status == 200
    sent = [headers.get("authorization", headers.get("Authorization")) for _, _, headers, _ in site.seen]
    assert sent == ["Bearer x", None]


def test_a_connection_signs_calls_to_its_own_host_alone(site):
    signed = http.Signed(f"http://127.0.0.1:{site.port}/", {"Authorization": "Bearer x"})
    assert site.send("/json", connection=signed).status == 200
    refused = site.send("http://127.0.0.1:1/json", connection=signed)
    assert "not for 127.0.0.1:1" in refused.refused


def test_a_call_that_changes_something_carries_its_key(site):
    site.send("/json", method="POST", key="tenant:run:0", body={"x": 1})
    site.send("/json", method="POST", key="tenant:run:1", body="plain", headers={"Idempotency-Key": "own"})
    first, second = [{name.lower(): value for name, value in seen[2].items()} for seen in site.seen]
    assert (first["idempotency-key"], first["content-type"]) == ("tenant:run:0", "application/json")
    assert (second["idempotency-key"], second["content-type"]) == ("own", "text/plain")


@pytest.mark.parametrize(
    ("scheme", "values", "wanted"),
    [
        ("basic", {"username": "a", "password": "b"}, "Basic YTpi"),
        ("bearer", {"token": "t"}, "Bearer t"),
    ],
)
def test_credentials_outside_tenants(site, scheme, values, wanted):
    site.send("/json", scheme=scheme, credentials=values)
    assert {name.lower(): value for name, value in site.seen[0][2].items()}["authorization"] == wanted
    assert "needs a connection" in site.send("/json", scheme="oauth2", credentials={"x": 1}).refused
