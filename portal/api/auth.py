"""How API requests prove who they are: a bearer token, or the session of a signed-in browser with its CSRF token."""

from typing import Any

from rest_framework import authentication
from rest_framework.exceptions import PermissionDenied

from kernel.actor import Actor
from kernel.errors import Forbidden


class TokenAuthentication(authentication.BaseAuthentication):
    """The middleware has read the token already; here it becomes DRF's user."""

    def authenticate(self, request: Any) -> tuple[Any, Actor] | None:
        """The token's actor, if the request came with one."""
        actor = getattr(request._request, "actor", None)
        return (_Machine(), actor) if actor is not None and actor.kind == "token" else None

    def authenticate_header(self, request: Any) -> str:
        """What a 401 asks for."""
        return "Bearer"


class CsrfMissing(Forbidden):
    """Send the CSRF token of this session in the header X-CSRFToken."""

    code = "csrf_missing"


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in browser; unsafe methods need the CSRF token."""

    def enforce_csrf(self, request: Any) -> None:
        """Check the token. Raises CsrfMissing."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise CsrfMissing(reason=str(error)) from error


class _Machine:
    """DRF's idea of a user, for a token."""

    is_authenticated = True
    is_active = True
    pk = None
