"""What views share: a page or its named part, going elsewhere, pages of a list by cursor."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from kernel import jsonx
from kernel.errors import NotFound
from kernel.ids import parse_public_id

VARY: Final = ("HX-Request", "HX-Request-Type", "HX-Target")


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; a page brought back by the Back button is asked for in full."""
    return request.headers.get("HX-Request-Type") == "partial"


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    part: str = "",
    status: int = 200,
) -> HttpResponse:
    """`template`, or its partial `part` where htmx asks for one; told apart by header, so caches keep them apart."""
    name = f"{template}#{part}" if part and wants_part(request) else template
    response = render(request, name, dict(context or {}), status=status)
    patch_vary_headers(response, VARY)
    return response


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Send the visitor on: a redirect, or htmx's word for it (a fetch would follow a redirect by itself)."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def tell(response: HttpResponse, text: str, *, undo: str = "", tone: str = "ok") -> HttpResponse:
    """Let `response` show a toast; `undo` is an address that takes a POST within eight seconds."""
    event = {"text": text, "tone": tone, **({"undo": undo} if undo else {})}
    response["HX-Trigger"] = _ascii({"ui:toast": event})
    return response


def acted(text: str, *, undo: str = "") -> HttpResponse:
    """The answer to a triage action that worked: its rows are gone already, here come the words and the undo."""
    response = HttpResponse(status=204)
    response["HX-Trigger"] = _ascii({"ui:acted": {"text": text, **({"undo": undo} if undo else {})}})
    return response


def refused(text: str, status: int = 409) -> HttpResponse:
    """The answer to a triage action that did not: its rows come back with the reason."""
    response = HttpResponse(status=status)
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = _ascii({"ui:refused": {"text": text}})
    return response


def _ascii(event: Mapping[str, Any]) -> str:
    """JSON for a header: letters beyond ASCII as escapes."""
    import json

    return json.dumps(event, ensure_ascii=True, default=str)


@dataclass(frozen=True)
class Slice:
    """A page of rows, newest first, and the cursor of the next one (empty at the end)."""

    rows: list[Any]
    after: str


def slice_by(rows: Any, after: str, *, field: str = "at", size: int = 50) -> Slice:
    """The `size` rows after cursor `after` of a query ordered by `-field, -id`; a cursor that is none starts anew."""
    place = _read_cursor(after)
    if place:
        at, key = place
        rows = rows.filter(Q(**{f"{field}__lt": at}) | Q(**{field: at, "id__lt": key}))
    found = list(rows[: size + 1])
    if len(found) <= size:
        return Slice(found, "")
    last = found[size - 1]
    return Slice(found[:size], _write_cursor(getattr(last, field), last.id))


def _write_cursor(at: datetime, key: UUID) -> str:
    return base64.urlsafe_b64encode(jsonx.dumps([at.isoformat(), str(key)])).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, UUID] | None:
    try:
        at, key = jsonx.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return datetime.fromisoformat(at), UUID(key)
    except (ValueError, TypeError, binascii.Error):
        return None


def key_of(prefix: str, public_id: str) -> UUID:
    """The key inside a public id of the URL. Raises NotFound: a wrong id is an address that does not exist."""
    try:
        return parse_public_id(prefix, public_id)
    except ValueError as error:
        raise NotFound from error
