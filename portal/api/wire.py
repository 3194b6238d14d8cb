"""What goes over the wire: strict JSON in, compact JSON out, problem documents for errors."""

from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from kernel import jsonx
from kernel.errors import PortalError

log = structlog.get_logger(__name__)
PROBLEM: Final = "application/problem+json"


class JsonRenderer(BaseRenderer):
    """JSON by orjson; integers of any size stay exact."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """`data` as bytes; nothing for no content."""
        return b"" if data is None else jsonx.dumps(data)


class JsonParser(BaseParser):
    """Strict JSON: no twin keys, no NaN, bounded size and depth."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The body's value. Raises Invalid and TooLarge."""
        return jsonx.loads_strict(stream.read())


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Any error as an RFC 9457 problem document."""
    request = context.get("request")
    path = request.path if request is not None else ""
    if isinstance(error, PortalError):
        body, code, retry_after = error.problem(), error.status, error.retry_after
        if not error.benign:
            log.error("API request failed", code=error.code, exc_info=error)
    elif isinstance(error, (Http404, exceptions.NotFound)):
        body, code, retry_after = _body("not_found", "There is nothing here.", 404), 404, None
    elif isinstance(error, exceptions.ValidationError):
        body, code, retry_after = _body("invalid", "What was sent is not valid.", 400), 400, None
        body["fields"] = _fields(error.detail)
    elif isinstance(error, (PermissionDenied, exceptions.PermissionDenied)):
        body, code, retry_after = _body("forbidden", "Your role does not allow this.", 403), 403, None
    elif isinstance(error, exceptions.APIException):
        code = error.status_code
        body, retry_after = _body(str(error.default_code), str(error.detail), code), None
        wait = getattr(error, "wait", None)
        retry_after = int(wait) if wait else None
    else:
        return None
    body["instance"] = path
    response = Response(body, status=code, content_type=PROBLEM)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    if code == status.HTTP_401_UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _body(code: str, title: str, status_code: int) -> dict[str, Any]:
    return {
        "type": f"urn:problem:{code}",
        "title": title,
        "status": status_code,
        "code": code,
        "detail": title,
    }


def _fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested detail as one level: `lines.0.sku` to its messages."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            found |= _fields(inner, f"{path}.{name}" if path else str(name))
        return found
    if isinstance(detail, list) and any(isinstance(inner, (dict, list)) for inner in detail):
        found = {}
        for number, inner in enumerate(detail):
            found |= _fields(inner, f"{path}.{number}" if path else str(number))
        return found
    messages = detail if isinstance(detail, list) else [detail]
    return {path or "non_field_errors": [str(message) for message in messages]}
