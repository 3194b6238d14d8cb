"""A site that does whatever a site should not: redirects, bombs, drips, endless bodies and headers."""

import gzip
import http.server
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import brotli

from kernel.http import Answer, Egress, fetch

INSIDE = "http://169.254.169.254/latest/meta-data"
_NOUGHT = b"0" * 40_000_000
_BOMBS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": lambda raw: brotli.compress(raw, quality=1)}


class Site(http.server.BaseHTTPRequestHandler):
    """Each path misbehaves in its own way."""

    stop: threading.Event

    def do_GET(self) -> None:
        """Answer, badly."""
        name = self.path.strip("/")
        if name.isdigit():
            self._say(int(name), {"Location": INSIDE})
        elif name in _BOMBS:
            body = _BOMBS[name](_NOUGHT)
            self._say(200, {"Content-Encoding": name, "Content-Length": str(len(body))}, body)
        elif name == "long":
            self._say(200, {"Content-Length": str(10**12)})
        elif name == "endless":
            self._say(200, {})
            self._forever(b"x" * 65_536)
        elif name == "drip":
            self._say(200, {"Content-Length": "1000"})
            self._forever(b"x", pause=0.1)
        elif name == "headers":
            self._say(200, {f"X-{number}": "x" * 50 for number in range(100_000)})
        elif name == "wide":
            self._say(200, {"X-Wide": "x" * 1_000_000})
        elif name == "hang":
            self.stop.wait(5)
        else:
            self._say(200, {"Content-Length": "4"}, b"fine")

    do_POST = do_GET  # noqa: N815 - the name that the server looks for

    def _say(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        try:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the other side had enough

    def _forever(self, part: bytes, pause: float = 0) -> None:
        try:
            while not self.stop.wait(pause):
                self.wfile.write(part)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hostile_site() -> Iterator[int]:
    """The port on which it answers."""
    handler = type("Handler", (Site,), {"stop": threading.Event()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        handler.stop.set()
        server.shutdown()
        server.server_close()


def ask(port: int, path: str, seconds: float = 3, **more: Any) -> Answer:
    """One request to it, by the product's own way out."""
    egress = Egress(allowed=frozenset({f"127.0.0.1:{port}"}))
    return fetch("GET", f"http://127.0.0.1:{port}{path}", egress, headers={}, seconds=seconds, **more)
