"""A real OpenID Connect provider in a process of its own, and a browser that goes to it and comes back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.test import Client

from deploy.local.ports import free_port


@dataclass
class Provider:
    """A provider that is up, and how to reach it."""

    issuer: str

    @property
    def opened(self) -> str:
        """`host:port` for the egress."""
        return self.issuer.removeprefix("http://")

    def knows(self, subject: str, **claims: Any) -> None:
        """Let it know somebody by a subject."""
        self._send("PUT", f"/users/{subject}", json.dumps(claims).encode(), "application/json")

    def confirm(self, address: str, subject: str) -> str:
        """Sign `subject` in there, as the browser was sent; the address that it is sent back to."""
        path = address.removeprefix(self.issuer)
        found = self._send("POST", path, urlencode({"sub": subject}).encode())
        return str(found["Location"])

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return bool(self._send("GET", "/.well-known/openid-configuration"))
        except OSError:
            return False

    def _send(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/x-www-form-urlencoded"
    ) -> Any:
        """The headers of its answer."""
        asked = HTTPConnection(self.opened, timeout=10)
        try:
            asked.request(method, path, body, {"Content-Type": kind})
            answer = asked.getresponse()
            said = answer.read()
            assert answer.status < 400, (answer.status, said[:300])
            return answer.headers
        finally:
            asked.close()


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a free port of this machine, for the block."""
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "oidc_provider_mock",
            "--port",
            str(port),
            "--require-nonce",
            "true",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    made = Provider(f"http://127.0.0.1:{port}")
    try:
        _wait(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(10)


def _wait(provider: Provider, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the provider did not start"
        if provider.answers():
            return
        time.sleep(0.1)
    raise AssertionError("the provider does not answer")


def sign_on(browser: Client, row: Any, provider: Provider, subject: str, onwards: str = "/") -> Any:
    """Go to the provider, sign in there, come back: the answer of the portal."""
    off = browser.get(f"/sign-in/on/{row.public_id}", {"next": onwards})
    assert off.status_code == 302, off.content[:500]
    assert off["Location"].startswith(provider.issuer), off["Location"]
    parts = urlsplit(provider.confirm(off["Location"], subject))
    return browser.get(f"{parts.path}?{parts.query}")
