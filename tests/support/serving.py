"""The portal behind a real socket, for tests that come by HTTP; asks for committed data."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import connections


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


@dataclass
class Served:
    """An answer: its status, headers, and body as JSON where it is that."""

    status: int
    headers: Any
    body: Any


@dataclass
class Caller:
    """A client of one host of the portal, with headers of its own."""

    port: int
    host: str
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Served:
        """One request over a connection of its own."""
        asked = HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Host": self.host, **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        try:
            asked.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = asked.getresponse()
            text = answer.read()
        finally:
            asked.close()
        is_json = "json" in (answer.headers.get("Content-Type") or "")
        return Served(answer.status, answer.headers, json.loads(text) if is_json and text else text)


@contextmanager
def serving() -> Iterator[int]:
    """Serve on a free port for the block; gives the port."""
    server: WSGIServer = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet)

    def run() -> None:
        try:
            server.serve_forever(poll_interval=0.05)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
