"""Errors as people and machines see them: a page in the partner's brand, a fragment for htmx, or a problem document."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from kernel.errors import Forbidden, PortalError


def answer(request: HttpRequest, error: PortalError) -> HttpResponse:
    """`error` in the form that the asker understands."""
    if request.path.startswith(("/api/", "/hooks/")):
        response: HttpResponse = JsonResponse(
            {**error.problem(), "instance": request.path},
            status=error.status,
            content_type="application/problem+json",
        )
    else:
        fragment = request.headers.get("HX-Request-Type") == "partial"
        template = "errors/fragment.html" if fragment else "errors/page.html"
        response = render(request, template, {"error": error}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's answer to a form without our token, in our words."""
    return answer(
        request, Forbidden("The page was open for too long. Load it again and repeat.", reason=reason)
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404 for an address that no view has."""
    from kernel.errors import NotFound

    return answer(request, NotFound())


def failed(request: HttpRequest) -> HttpResponse:
    """500: something that nobody foresaw."""
    return answer(request, PortalError())
