"""Calls by an OpenAPI document: where each parameter goes, and what is told when a definition is published."""

from typing import Any

import pytest

from automations.engine.errors import DefinitionRefused
from automations.engine.machine.moves import Outcome
from tests.support.driving import Driver, World, program

ADDRESS = "https://api.shop.example/docs/openapi.json"
DOCUMENT = {
    "openapi": "3.1.0",
    "servers": [{"url": "/{stage}/v1", "variables": {"stage": {"default": "live"}}}],
    "components": {"parameters": {"page": {"name": "page", "in": "query"}}},
    "paths": {
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True}],
            "get": {
                "operationId": "getOrder",
                "parameters": [
                    {"$ref": "#/components/parameters/page"},
                    {"name": "status", "in": "query"},
                    {"name": "fields", "in": "query", "explode": False},
                    {"name": "X-Trace", "in": "header"},
                    {"name": "session", "in": "cookie"},
                ],
            },
            "put": {"operationId": "putOrder", "requestBody": {"required": True, "content": {}}},
        }
    },
}


def call(inner: str, **options: Any) -> Any:
    """The program of one call, with the document at hand."""
    text = f"- a: {{call: openapi, with: {{document: {{endpoint: '{ADDRESS}'}}, {inner}}}}}"
    return program(text, **{"resources": {ADDRESS: DOCUMENT}, **options})


def request(inner: str, given: Any = None) -> dict[str, Any]:
    """What would be sent."""
    world = World([Outcome(200, {}, {"ok": True})])
    ended = Driver(call(inner), given, world=world)
    assert ended.status == "completed", ended.error
    return world.seen[0].request


def findings(inner: str, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionRefused) as refused:
        call(inner, **options)
    return [(one.rule, one.pointer.removeprefix("/do/0/a/with")) for one in refused.value.findings]


def test_parameters_go_where_the_operation_says():
    sent = request(
        "operationId: getOrder, parameters: {id: '${ .id }', page: 2, status: [open, paid], fields: [id, total],"
        " X-Trace: '${ .trace }'}",
        {"id": "A/7", "trace": "t1"},
    )
    assert sent["method"] == "GET"
    assert sent["uri"] == (
        "https://api.shop.example/live/v1/orders/A%2F7?page=2&status=open&status=paid&fields=id%2Ctotal"
    )
    assert sent["headers"] == {"X-Trace": "t1"}


def test_the_body_is_the_parameter_body():
    sent = request("operationId: putOrder, parameters: {id: 7, body: {total: '${ .total }'}}", {"total": 3})
    assert (sent["method"], sent["uri"], sent["body"]) == (
        "PUT",
        "https://api.shop.example/live/v1/orders/7",
        {"total": 3},
    )


def test_with_a_connection_the_path_starts_at_its_address():
    text = (
        "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}\n"
        "use: {authentications: {shop: {bearer: {use: shop}}}}\n"
        f"do: [{{a: {{call: openapi, with: {{document: {{endpoint: '{ADDRESS}'}}, operationId: getOrder,"
        " parameters: {id: 1}, authentication: {use: shop}}}}]"
    )
    made = program(text, resources={ADDRESS: DOCUMENT})
    world = World([Outcome(200, {}, {})])
    Driver(made, world=world)
    assert (world.seen[0].request["uri"], world.seen[0].request["connection"]) == ("/orders/1", "shop")
    assert made.connections == {"shop"}


def test_swagger_two_names_its_host_and_joins_lists_unless_told():
    document = {
        "swagger": "2.0",
        "host": "old.example",
        "basePath": "/api",
        "schemes": ["http"],
        "paths": {
            "/find": {
                "post": {
                    "operationId": "find",
                    "parameters": [
                        {"name": "ids", "in": "query", "type": "array"},
                        {"name": "order", "in": "body", "required": True},
                    ],
                }
            }
        },
    }
    made = call("operationId: find, parameters: {ids: [1, 2], order: {a: 1}}", resources={ADDRESS: document})
    world = World([Outcome(200, {}, {})])
    Driver(made, world=world)
    sent = world.seen[0].request
    assert (sent["uri"], sent["body"]) == ("http://old.example/api/find?ids=1%2C2", {"a": 1})


REFUSED = [
    ("operationId: nothing", "unknown-operation", "/operationId"),
    ("operationId: getOrder", "structure", "/parameters"),
    (
        "operationId: getOrder, parameters: {id: 1, colour: red}",
        "unknown-parameter",
        "/parameters/colour",
    ),
    ("operationId: getOrder, parameters: {id: 1, session: x}", "unsupported", "/parameters/session"),
    ("operationId: putOrder, parameters: {id: 1}", "structure", "/parameters"),
    ("operationId: getOrder, parameters: {id: 1}, output: loud", "structure", "/output"),
    ("operationId: getOrder, parameters: {id: '${ ( }'}", "expression", "/parameters/id"),
]


@pytest.mark.parametrize(("inner", "rule", "pointer"), REFUSED)
def test_what_does_not_fit_the_document_is_refused(inner, rule, pointer):
    assert (rule, pointer) in findings(inner)


def test_a_document_that_was_not_fetched_is_told_of():
    assert ("unfetched", "/document/endpoint") in findings("operationId: getOrder", resources={})


def test_without_documents_a_definition_can_be_looked_at_but_not_run():
    made = call("operationId: getOrder", resources=None)
    assert made.fetches == {ADDRESS}
    ended = Driver(made)
    assert (ended.status, ended.error["type"].rsplit("/", 1)[-1]) == ("suspended", "configuration")


def test_a_schema_from_an_address_is_checked_like_one_that_stands_there():
    address = "https://shop.example/order.json"
    text = f"- a: {{set: {{x: 1}}, output: {{schema: {{resource: {{endpoint: '{address}'}}}}}}}}"
    made = program(text, resources={address: {"required": ["y"]}})
    assert made.fetches == {address}
    assert Driver(made).error["type"].endswith("validation")
    with pytest.raises(DefinitionRefused) as refused:
        program(text, resources={address: {"$ref": "https://elsewhere.example/x"}})
    assert refused.value.findings[0].rule == "refused-fetch"
