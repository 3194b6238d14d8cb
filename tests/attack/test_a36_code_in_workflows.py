"""A36: a workflow that brings code of its own, or calls what is not on the list."""

from typing import Any

import pytest

from automations.engine.actions import workflows
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from automations.engine.models import Definition
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW
from tests.support.make import BY

HEAD = "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}"
CODE = {
    "{run: {script: {language: js, code: '1'}}}": "refused-run-script",
    "{run: {script: {language: python, source: {endpoint: 'https://a.example/x.py'}}}}": "refused-run-script",
    "{run: {shell: {command: 'rm -rf /'}}}": "refused-run-shell",
    "{run: {container: {image: 'alpine:latest'}}}": "refused-run-container",
    "{call: grpc, with: {}}": "refused-call-grpc",
    "{call: asyncapi, with: {}}": "refused-call-asyncapi",
    "{call: mcp, with: {}}": "refused-call-mcp",
    "{call: a2a, with: {}}": "refused-call-a2a",
    "{call: 'https://a.example/f.yaml', with: {}}": "refused-function-url",
}
INSIDE = (
    "do: [{{a: {}}}]",
    "do: [{{b: {{do: [{{a: {}}}]}}}}]",
    "do: [{{b: {{for: {{in: '${{ .x }}'}}, do: [{{a: {}}}]}}}}]",
    "do: [{{b: {{try: [{{a: {}}}], catch: {{}}}}}}]",
    "do: [{{b: {{try: [{{c: {{set: {{x: 1}}}}}}], catch: {{do: [{{a: {}}}]}}}}}}]",
    "do: [{{b: {{fork: {{branches: [{{a: {}}}]}}}}}}]",
)


def _refused(text: str) -> set[str]:
    with pytest.raises(DefinitionRefused) as refused:
        workflows.publish(document=read(text), actor=BY, now=NOW)
    return {finding.rule for finding in refused.value.findings}


@pytest.mark.parametrize("around", INSIDE)
def test_wherever_it_stands_it_is_refused_when_it_is_published(
    tenant: TenantRef, now: Any, around: str
) -> None:
    for task, rule in CODE.items():
        assert rule in _refused(f"{HEAD}\n{around.format(task)}"), task
    assert not Definition.objects.exists()


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("evaluate: {language: js}", "refused-language"),
        ("use: {catalogs: {c: {endpoint: 'https://a.example'}}}", "refused-catalog"),
        ("use: {extensions: [{e: {extend: all}}]}", "refused-extension"),
    ],
)
def test_nor_by_another_door(tenant: TenantRef, now: Any, more: str, rule: str) -> None:
    assert rule in _refused(f"{HEAD}\ndo: [{{a: {{set: {{x: 1}}}}}}]\n{more}")
