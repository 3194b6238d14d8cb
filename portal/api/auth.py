"""How API requests prove who they are: a bearer token, or the session of a signed-in browser with its CSRF token."""

from typing import Any

from rest_framework import authentication

from kernel.actor import Actor


class TokenAuthentication(authentication.BaseAuthentication):
    """The middleware has read the token already; here it becomes DRF's user."""

    def authenticate(self, request: Any) -> tuple[Any, Actor] | None:
        """The token's actor, if the request came with one."""
        actor = getattr(request._request, "actor", None)
        return (_Machine(), actor) if actor is not None and actor.kind == "token" else None

    def authenticate_header(self, request: Any) -> str:
        """What a 401 asks for."""
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """A signed-in browser; unsafe methods need the CSRF token."""


class _Machine:
    """DRF's idea of a user, for a token."""

    is_authenticated = True
    is_active = True
    pk = None
