"""The hosts that the kit calls, on this machine: the same paths, the same shapes. Any other host is a failure."""

import asyncio
import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from automations.engine.executors import http
from automations.engine.machine.moves import Effect, Outcome
from kernel.http import Client, Egress

STATUSES = ("available", "pending", "sold")
PETS = {n: {"id": n, "name": f"pet {n}", "photoUrls": [], "status": STATUSES[n % 3]} for n in range(1, 13)}
_ID = {"name": "petId", "in": "path", "required": True, "type": "integer"}
_BY_STATUS = {
    "name": "status",
    "in": "query",
    "required": True,
    "type": "array",
    "items": {"type": "string", "enum": list(STATUSES)},
    "collectionFormat": "multi",
}
SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "host": "petstore.swagger.io",
    "basePath": "/v2",
    "schemes": ["https", "http"],
    "paths": {
        "/pet/findByStatus": {"get": {"operationId": "findPetsByStatus", "parameters": [_BY_STATUS]}},
        "/pet/{petId}": {"get": {"operationId": "getPetById", "parameters": [_ID]}},
    },
}
HOSTS = ("petstore.swagger.io", "httpbin.org")


class UnknownHostError(AssertionError):
    """The workflow called a host that is not part of the kit."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host, _, path = self.path.lstrip("/").partition("/")
        status, body = self._petstore(f"/{path}") if host == HOSTS[0] else self._bin(f"/{path}")
        answer = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _petstore(self, path: str) -> tuple[int, Any]:
        target = urlsplit(path)
        if target.path == "/v2/swagger.json":
            return 200, SWAGGER
        if target.path == "/v2/pet/findByStatus":
            wanted = parse_qs(target.query).get("status", [])
            return 200, [pet for pet in PETS.values() if pet["status"] in wanted]
        if (match := re.fullmatch(r"/v2/pet/(\d+)", target.path)) and int(match[1]) in PETS:
            return 200, PETS[int(match[1])]
        return 404, {"code": 404, "type": "error", "message": "not found"}

    def _bin(self, path: str) -> tuple[int, Any]:
        match = re.fullmatch(r"/basic-auth/([^/]+)/([^/]+)", path)
        if match is None:
            return 404, {"message": "not found"}
        wanted = "Basic " + base64.b64encode(f"{match[1]}:{match[2]}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            return 401, {"message": "wrong"}
        return 200, {"authenticated": True, "user": match[1]}

    def date_time_string(self, timestamp: float | None = None) -> str:
        """One date for every answer, so that the same call always gets the same."""
        return "Mon, 02 Mar 2026 09:30:00 GMT"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Site:
    """Carries out calls as the product does, at the hosts of the kit."""

    def __init__(self, port: int) -> None:
        self._at = f"http://127.0.0.1:{port}"
        self._runner = asyncio.Runner()
        self._client = self._runner.run(self._open(port))
        self.asked: list[str] = []

    async def _open(self, port: int) -> Client:
        return Client(Egress(allowed=frozenset({f"127.0.0.1:{port}"})), limit=4)

    def __call__(self, effect: Effect) -> Outcome:
        """Carry one call out."""
        self.asked.append(effect.key)
        here = replace(effect, request={**effect.request, "uri": self.here(effect.request["uri"])})
        return self._runner.run(http.send(self._client, here, None))

    def here(self, address: str) -> str:
        """Where an address of the kit is on this machine."""
        target = urlsplit(address)
        if target.netloc not in HOSTS:
            raise UnknownHostError(f"{target.netloc} is no host of the kit")
        return f"{self._at}/{target.netloc}{target.path}{'?' + target.query if target.query else ''}"

    def document(self, address: str) -> Any:
        """A document that publishing would fetch."""
        request = {"method": "GET", "uri": address, "headers": {}}
        return self(Effect("0", "fetch", "/", "http", request)).content

    def close(self) -> None:
        """Close connections and the loop."""
        self._runner.run(self._client.close())
        self._runner.close()


@contextmanager
def running() -> Iterator[Site]:
    """The site while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = Site(server.server_address[1])
    try:
        yield site
    finally:
        site.close()
        server.shutdown()
        server.server_close()
