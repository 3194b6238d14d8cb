"""Publishing: documents from outside are fetched once, kept and hashed, and never asked for again."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from automations.engine import queries
from automations.engine.actions import workflows
from automations.engine.actions.programs import Programs
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused, VersionTaken
from automations.engine.models import Definition, Resource, Run
from kernel import clock
from kernel.actor import system

BY = system("test")
DOCUMENT = json.dumps(
    {
        "openapi": "3.0.0",
        "servers": [{"url": "/shop"}],
        "paths": {
            "/orders/{id}": {"get": {"operationId": "getOrder", "parameters": [{"name": "id", "in": "path"}]}}
        },
    }
).encode()


class Shop:
    """A shop that describes itself."""

    def __init__(self, address: str) -> None:
        self.address, self.asked, self.answer = address, [], DOCUMENT

    @property
    def text(self) -> str:
        return (
            "document: {dsl: 1.0.3, namespace: t, name: api, version: 1.0.0}\n"
            f"do: [{{get: {{call: openapi, with: {{document: {{endpoint: '{self.address}/api.json'}},"
            " operationId: getOrder, parameters: {id: '${ .id }'}}}}]"
        )


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = found.answer if self.path == "/api.json" else b'{"number": 7}'
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found = Shop(f"http://127.0.0.1:{server.server_address[1]}")
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{server.server_address[1]}"})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def publish(text: str) -> Definition:
    return workflows.publish(document=read(text), actor=BY, now=clock.now())


def test_a_document_is_fetched_kept_and_used_when_the_run_calls(committed, tenant, worker, shop):
    definition = publish(shop.text)
    kept = Resource.objects.get(definition=definition)
    assert kept.digest == hashlib.sha256(DOCUMENT).hexdigest()
    workflow = workflows.deploy(
        name="api", title="api", definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )
    shop.answer = b"{}"  # what the shop says later is no matter
    workflows.start_run(workflow=workflow, given={"id": 7}, actor=BY, now=clock.now())
    worker()
    run = Run.objects.get()
    assert (run.status, queries.run_view(run.id).output) == ("completed", {"number": 7})
    assert shop.asked == ["/api.json", "/shop/orders/7"]


def test_another_process_reads_what_was_kept(tenant, shop):
    definition = publish(shop.text)
    made = Programs().compiled(definition.id, definition.document)
    assert made.tasks["/do/0/get"].method == "GET"


def test_the_same_version_again_asks_nobody_and_other_content_is_refused(tenant, shop):
    first = publish(shop.text)
    assert publish(shop.text).id == first.id
    assert shop.asked == ["/api.json"]
    with pytest.raises(VersionTaken):
        publish(shop.text.replace("getOrder", "other"))


@pytest.mark.parametrize(
    ("answer", "word"), [(b"[1", "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"{}", "no operation")]
)
def test_what_cannot_be_used_is_told_and_nothing_is_published(tenant, shop, answer, word):
    shop.answer = answer
    with pytest.raises(DefinitionRefused, match=word):
        publish(shop.text)
    assert not Definition.objects.filter(name="api").exists()


def test_a_private_address_is_not_fetched_from(tenant, shop, settings):
    settings.EGRESS_ALLOW = frozenset()
    with pytest.raises(DefinitionRefused, match="unfetched"):
        publish(shop.text)
    assert shop.asked == []
