"""A59: twenty secrets are planted and used against a system that echoes them; then everything that is kept is searched.

Searched are a dump of the whole database (and what its packed columns hold), the logs, every export, the pages and
the API, and what goes to the error service; for each secret plain, in base64, in hex, and as it stands in a URL.
"""

import base64
import http.server
import io
import json
import logging
import os
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.conf import settings as django_settings
from django.db import connection as database
from django.test import Client

from automations.connectors import actions as connectors
from automations.engine.actions import workflows
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.events import actions as events
from kernel import clock
from kernel.actor import Actor, system
from portal.watch import before_send
from tenants.audit import actions as audit
from tenants.tenancy import context
from tenants.tenancy.store.schemas import _pg_dump
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support import make
from tests.support.cast import Cast

BY = system("test")
PLANTED = [f"canary-{number:02d}-{base64.b32encode(os.urandom(15)).decode()}" for number in range(20)]
FLOW = """
document: {dsl: 1.0.3, namespace: test, name: canary-%d, version: 1.0.0}
schedule: {on: {one: {with: {type: order.placed}}}}
use: {authentications: {api: {bearer: {use: api}}}}
do:
  - ask: {call: http, with: {method: get, endpoint: {uri: /echo, authentication: {use: api}}}}
  - fail: {call: http, with: {method: get, endpoint: {uri: /fail, authentication: {use: api}}}}
"""


class _Echo(http.server.BaseHTTPRequestHandler):
    """Says back what it was sent, in body and header, and fails where it is asked to."""

    def do_GET(self) -> None:
        said = self.headers.get("Authorization", "")
        raw = json.dumps({"you_sent": said, "url": urllib.parse.quote(said.partition(" ")[2])}).encode()
        self.send_response(500 if self.path.startswith("/fail") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Echo", said)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def echo(settings: Any) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{server.server_port}"})
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def forms(secret: str) -> list[bytes]:
    raw = secret.encode()
    whole = base64.b64encode(raw)
    inside = [base64.b64encode(b"x" * pad + raw)[pad + 1 : -4] for pad in (1, 2)]
    return [
        raw,
        whole.rstrip(b"="),
        *inside,
        raw.hex().encode(),
        urllib.parse.quote(secret, safe="").encode(),
    ]


def hits(places: dict[str, bytes]) -> list[str]:
    return [
        f"{secret[:9]} in {name}"
        for name, raw in places.items()
        for secret in PLANTED
        if any(form in raw for form in forms(secret))
    ]


def plant(address: str) -> None:
    """Twelve in connections, one of which is replaced; six in endpoints, two of which are rotated."""
    for number, secret in enumerate(PLANTED[:12]):
        row = connectors.create_connection(
            name=f"API {number}",
            connector="http",
            settings={"base_url": address},
            auth="bearer",
            actor=BY,
            now=clock.now(),
        )
        connectors.set_secret(connection=row, secret=secret, actor=BY, now=clock.now())
        if number == 0:
            connectors.set_secret(connection=row, secret=PLANTED[12], actor=BY, now=clock.now())
        definition = workflows.publish(document=read(FLOW % number), actor=BY, now=clock.now())
        workflows.deploy(
            name=f"canary-{number}",
            title="Canary",
            definition=definition,
            config={},
            connections={"api": str(row.id)},
            actor=BY,
            now=clock.now(),
        )
        connectors.test_connection(connection=row, actor=BY, now=clock.now())
    for number, secret in enumerate(PLANTED[13:18]):
        door = make.endpoint("shopify", name=f"shop {number}", secret=secret)
        if number < 2:
            events.rotate_endpoint_secret(
                endpoint=door.row, secret=PLANTED[18 + number], actor=BY, now=clock.now()
            )


def dump() -> bytes:
    """The database as `pg_dump` writes it, and its packed columns as they are inside."""
    own = django_settings.DATABASES["default"]
    environ = {
        "PGHOST": own["HOST"],
        "PGPORT": str(own["PORT"]),
        "PGUSER": own["USER"],
        "PGPASSWORD": own["PASSWORD"],
    }
    name = database.settings_dict["NAME"]
    done = subprocess.run(
        [str(_pg_dump()), name], env={**os.environ, **environ}, capture_output=True, check=True
    )
    return done.stdout + unpacked()


def unpacked() -> bytes:
    found = []
    with database.cursor() as cursor:
        cursor.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where data_type = 'bytea' and table_schema like 't\\\\_%' or table_schema = 'public' and data_type = 'bytea'"
        )
        for schema, table, column in cursor.fetchall():
            cursor.execute(f'select "{column}" from "{schema}"."{table}" where "{column}" is not null')
            for (value,) in cursor.fetchall():
                raw = bytes(value)
                found.append(raw)
                if raw[:1] == b"\x01" and raw[1:5] == b"\x28\xb5\x2f\xfd":
                    found.append(zstandard.ZstdDecompressor().decompress(raw[1:]))
    return b"\n".join(found)


def test_twenty_canaries_are_found_nowhere(
    committed: Any, cast: Cast, echo: str, client_for: Callable[..., Client], settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_HEADS = tmp_path
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    worker = Worker()
    try:
        with context.enter(cast.tenant):
            plant(echo)
            events.publish(
                type="order.placed",
                subject="1",
                data=make.order(order_id="1"),
                source="/shop",
                time=clock.now(),
            )
            worker.run(seconds=30, idle=0.5)
            while audit.seal(now=clock.now()):
                continue
            auditor = Actor(kind="user", id=None, label="A", permissions=frozenset({"audit.read"}))
            exports = {}
            for kind in ("jsonl", "zip"):
                out = io.BytesIO()
                audit.export(kind=kind, out=out, filters={}, partner_id=None, actor=auditor, now=clock.now())
                exports[f"export {kind}"] = out.getvalue()
    finally:
        worker.close()
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    whole = dump()
    assert whole.count(b"you_sent") >= 24, "the echoes are in the journal, or this test looks at nothing"
    browser = client_for(cast.owner, cast.host)
    addresses = (
        "/audit/",
        "/connections/",
        "/runs/",
        "/inbox/",
        "/endpoints/",
        "/api/v1/runs",
        "/api/v1/connections",
    )
    pages = {path: browser.get(path, follow=True).content for path in addresses}
    event = before_send({"message": f"failed with {PLANTED[3]}", "extra": {"a": [PLANTED[4]]}}, {})
    places = {
        "dump": whole,
        "logs": written.getvalue().encode(),
        **exports,
        **pages,
        "reports": repr(event).encode(),
    }
    assert len(whole) > 100_000
    assert hits(places) == []
    assert hits({"proof that the search finds": f"x{PLANTED[7]}".encode()})
