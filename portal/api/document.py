"""The OpenAPI document: one for a partner's console, one for a client's portal, made from the resources themselves."""

import importlib
from typing import Any, Final

from django.urls import include, path
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator

from portal.api.addresses import PARTNER, TENANT
from portal.api.schema import ERRORS, problem_content

PREFIX: Final = "api/v1/"
ADDRESSES: Final = {"partner": PARTNER, "tenant": TENANT}
_TITLES: Final = {"partner": "Partner API", "tenant": "Client API"}
_WORDS: Final = {
    "partner": "What a partner does with its clients: set them up, look after them, install templates into them.",
    "tenant": "What happens in one client: events in, runs, cases to decide, figures.",
}
_GENERAL: Final = """

**Signing in.** Send an API token as `Authorization: Bearer pat_…`; its scopes are permissions. A signed-in browser may
call, too, with its CSRF token for unsafe methods. What you may not see is answered as if it did not exist.

**Errors** are problem documents (RFC 9457, `application/problem+json`): `code` is for programs, `detail` for people,
`fields` names each member that is wrong.

**Lists** come in pages: `limit` says how many, `next` and `previous` are addresses of the pages around.

**Doing things once.** Send an `Idempotency-Key` with what must not happen twice, and send it again with the same key
when the answer got lost.

**Money** is in minor units beside its currency, **instants** are RFC 3339 in UTC, **ids** tell what they belong to
(`run_…`, `case_…`).
"""
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An error, as RFC 9457 has it.",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "`urn:problem:` and the code."},
        "title": {"type": "string", "description": "What this kind of error is."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "code": {"type": "string", "description": "The kind of error, for programs."},
        "detail": {"type": "string", "description": "What happened, for people."},
        "instance": {"type": "string", "description": "The path that was asked."},
        "fields": {
            "type": "object",
            "description": "What is wrong, by member; `lines.0.sku` stands for a member inside.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "examples": [
        {
            "type": "urn:problem:invalid",
            "title": "What was sent is not valid.",
            "status": 400,
            "code": "invalid",
            "detail": "What was sent is not valid.",
            "instance": "/api/v1/runs",
            "fields": {"status": ["“lost” is not a valid choice."]},
        }
    ],
}


def document(kind: str, *, host: str = "", brand: str = "") -> dict[str, Any]:
    """The document of a kind of host, `partner` or `tenant`; `host` and `brand` are of whoever serves it."""
    patterns = [path(PREFIX, include(ADDRESSES[kind]))]
    with translation.override("en"):  # the document is in one language, whoever asks for it
        made: dict[str, Any] = SchemaGenerator(patterns=patterns).get_schema(public=True)  # type: ignore[no-untyped-call]
    components = made.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), "Problem": _PROBLEM}.items()))
    components["responses"] = {
        name: {"description": words, "content": problem_content()} for name, words in ERRORS.values()
    }
    used = sorted(
        {tag for operations in made["paths"].values() for one in operations.values() for tag in one["tags"]}
    )
    return {
        "openapi": made["openapi"],
        "info": {
            "title": f"{brand} {_TITLES[kind]}".strip(),
            "version": made["info"]["version"],
            "description": _WORDS[kind] + _GENERAL,
        },
        "servers": [
            {"url": f"https://{host}" if host else "/", "description": "The host that you signed in on."}
        ],
        "tags": [{"name": tag, "description": _room(tag)} for tag in used],
        "paths": made["paths"],
        "components": components,
    }


def _room(tag: str) -> str:
    """What the module of a room says of itself."""
    return (importlib.import_module(f"portal.api.{tag}").__doc__ or "").strip()
