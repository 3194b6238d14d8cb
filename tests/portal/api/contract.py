"""Holds answers against the OpenAPI document: the status is one that it names, the body is as it says."""

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs

from portal.api.document import document

_documents: dict[str, Any] = {}


def the(kind: str) -> Any:
    """The document of a kind of host, made once a session."""
    if kind not in _documents:
        _documents[kind] = json.loads(json.dumps(document(kind), default=str))
    return _documents[kind]


def operation_of(kind: str, method: str, address: str) -> Any:
    """The operation that an address belongs to; None where the document has none."""
    path = unquote(urlsplit(address).path)
    for template, operations in the(kind)["paths"].items():
        pattern = "".join(
            ("(.+)" if part == "{order}" else "([^/]+)") if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", template)
        )
        if re.fullmatch(pattern, path) and method in operations:
            fixed = template.count("{")
            best = min(
                (one for one in the(kind)["paths"] if _fits(one, path)),
                key=lambda one: one.count("{"),
                default="",
            )
            if best.count("{") == fixed:
                return operations[method]
    return None


def _fits(template: str, path: str) -> bool:
    pattern = "".join(
        ("(.+)" if part == "{order}" else "([^/]+)") if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", template)
    )
    return re.fullmatch(pattern, path) is not None


def hold(kind: str, method: str, address: str, response: Any) -> None:
    """Fail unless the answer is one that the document describes."""
    operation = operation_of(kind, method, address)
    if operation is None:
        return
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, (
        f"{method} {address}: {response.status_code} is not in the document: {response.content!r}"
    )
    whole = the(kind)
    if "$ref" in said:
        said = whole["components"]["responses"][said["$ref"].rsplit("/", 1)[-1]]
    content = said.get("content")
    if not content:
        assert response.content == b"", response.content
        return
    kinds = response["Content-Type"].partition(";")[0]
    assert kinds in content, f"{method} {address}: {kinds} is not in the document"
    schema = {**content[kinds]["schema"], "components": whole["components"]}
    wrong = [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(
            json.loads(response.content)
        )
    ]
    assert not wrong, f"{method} {address}: {wrong[:5]}"
