"""The API's own description: the OpenAPI document, and a page made of it for whoever reads it in a browser."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kernel import jsonx
from kernel.errors import NotFound
from portal.api.document import document
from portal.permissions import door
from portal.request import SignedIn
from tenants.branding import queries as branding

_DEEPEST: Final = 3
_MARK: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*")
_made: Final[dict[str, dict[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter, or a member of a body: `lines[].sku` stands for one inside."""

    name: str
    kind: str
    required: bool
    words: SafeString


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back."""

    status: str
    words: SafeString
    members: list[Member]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: list[SafeString]
    parameters: list[Member]
    body: list[Member]
    example: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of a room."""

    name: str
    words: SafeString
    entries: list[Entry]


def _served(request: SignedIn) -> dict[str, Any]:
    """The document of this kind of host, made once a process; whose it is is said anew."""
    if not request.actor.permissions:
        raise NotFound  # a stranger learns nothing about this place
    assert request.portal.partner is not None
    kind = request.portal.kind
    if kind not in _made:
        _made[kind] = document(kind)
    found = _made[kind]
    brand = branding.brand_of(request.portal.partner).name
    return {
        **found,
        "info": {**found["info"], "title": f"{brand} {found['info']['title']}"},
        "servers": [{"url": request.build_absolute_uri("/").rstrip("/")}],
    }


@door(signed_in=True)
def openapi(request: SignedIn) -> HttpResponse:
    """The OpenAPI document as JSON."""
    return HttpResponse(jsonx.dumps(_served(request)), content_type="application/json")


@door(signed_in=True)
def docs(request: SignedIn) -> HttpResponse:
    """The document as a page."""
    found = _served(request)
    sections = [
        Section(tag["name"], marked(tag["description"]), list(_entries(found, tag["name"])))
        for tag in found["tags"]
    ]
    place = request.portal.tenant or request.portal.partner
    assert place is not None
    context = {
        "title": found["info"]["title"],
        "version": found["info"]["version"],
        "intro": [marked(part) for part in found["info"]["description"].split("\n\n")],
        "server": found["servers"][0]["url"],
        "sections": sections,
        "crumbs": [(place.name, "/"), (_("API"), "")],
    }
    return render(request, "api/reference.html", context)


def _entries(found: Mapping[str, Any], tag: str) -> Iterator[Entry]:
    for address, operations in found["paths"].items():
        for method, one in operations.items():
            if tag in one["tags"]:
                yield _entry(found, address, method, one)


def _entry(found: Mapping[str, Any], address: str, method: str, one: Mapping[str, Any]) -> Entry:
    content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = content.get("examples", {})
    parameters = [
        Member(
            part["name"],
            f"{part['in']}, {_kind(found, part['schema'])}",
            bool(part.get("required")),
            marked(part.get("description", "")),
        )
        for part in one.get("parameters", ())
    ]
    return Entry(
        id=one["operationId"],
        method=method.upper(),
        path=address,
        summary=one["summary"],
        paragraphs=[marked(part) for part in one.get("description", "").split("\n\n")],
        parameters=parameters,
        body=list(_members(found, content.get("schema", {}))),
        example=next((jsonx.text(given["value"], indent=True) for given in examples.values()), ""),
        answers=[_answer(found, status, said) for status, said in one["responses"].items()],
    )


def _answer(found: Mapping[str, Any], status: str, said: Mapping[str, Any]) -> Answer:
    said = _resolved(found, said)
    schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    return Answer(status, marked(said["description"]), list(_members(found, schema)))


def _resolved(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for; of alternatives the one that is not null."""
    if "$ref" in schema:
        place: Any = found
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        return _resolved(found, place)
    for one in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        if one.get("type") != "null":
            return {
                **_resolved(found, one),
                **{key: schema[key] for key in ("description",) if key in schema},
            }
    return schema


def _members(
    found: Mapping[str, Any], schema: Mapping[str, Any], before: str = "", depth: int = 0
) -> Iterator[Member]:
    whole = _resolved(found, schema)
    if whole.get("type") == "array":
        yield from _members(found, whole["items"], f"{before}[]" if before else "", depth)
        return
    for name, part in whole.get("properties", {}).items():
        inner, full = _resolved(found, part), f"{before}.{name}" if before else name
        words = marked(part.get("description", "") or inner.get("description", ""))
        yield Member(full, _kind(found, part), name in whole.get("required", ()), words)
        if depth < _DEEPEST:
            yield from _members(found, inner, full, depth + 1)


def _kind(found: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A type in words."""
    whole = _resolved(found, schema)
    if "enum" in whole or "const" in whole:
        words = [str(one) for one in whole.get("enum", [whole.get("const")]) if one not in (None, "")]
        return " | ".join(words)
    kind = whole.get("type", "any")
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    if kind == "array":
        return f"list of {_kind(found, whole['items'])}"
    return str(whole.get("format") or kind)


def marked(text: str) -> SafeString:
    """`text` with its code and stress marked, everything else escaped."""
    parts: list[tuple[SafeString | str]] = []
    end = 0
    for match in _MARK.finditer(text):
        code, strong, light = match.groups()
        parts.append((text[end : match.start()],))
        if code is not None:
            parts.append((format_html("<code>{}</code>", code),))
        elif strong is not None:
            parts.append((format_html("<strong>{}</strong>", strong),))
        else:
            parts.append((format_html("<em>{}</em>", light),))
        end = match.end()
    parts.append((text[end:],))
    return format_html_join("", "{}", parts)


REFERENCE: Final[list[URLPattern | URLResolver]] = [
    path("openapi.json", openapi, name="openapi"),
    path("docs", docs, name="docs"),
]
"""The document itself, and a page made of it."""
