"""Django's own moments of error, answered in our words."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from kernel.errors import Forbidden, NotFound, PortalError
from portal.answers import answer


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's answer to a form without our token, in our words."""
    error = Forbidden("The page was open for too long. Load it again and repeat.", reason=reason)
    return answer(request, error)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404 for an address that no view has."""
    return answer(request, NotFound())


def failed(request: HttpRequest) -> HttpResponse:
    """500: something that nobody foresaw."""
    return answer(request, PortalError())
