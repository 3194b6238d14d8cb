"""Errors as people and machines see them: a page in the partner's brand, a fragment for htmx, or a problem document."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from kernel.errors import PortalError


@dataclass(frozen=True, slots=True)
class Way:
    """What a page of error says, and the one way out of it; `refresh` loads it again after so many seconds."""

    title: str
    text: str
    url: str = ""
    action: str = ""
    refresh: int = 0


def answer(request: HttpRequest, error: PortalError) -> HttpResponse:
    """`error` in the form that the asker understands."""
    if request.path.startswith(("/api/", "/hooks/")):
        response: HttpResponse = JsonResponse(
            {**error.problem(), "instance": request.path},
            status=error.status,
            content_type="application/problem+json",
        )
    elif hasattr(request, "LANGUAGE_CODE"):
        response = _page(request, error)
    else:  # refused before anybody asked for the reader's language
        with translation.override(translation.get_language_from_request(request)):
            response = _page(request, error)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _page(request: HttpRequest, error: PortalError) -> HttpResponse:
    fragment = request.headers.get("HX-Request-Type") == "partial"
    template = "errors/fragment.html" if fragment else "errors/page.html"
    context = {
        "error": error,
        "way": way_out(error),
        "help_url": _explained(request, error),
        "LANGUAGE_CODE": translation.get_language(),
    }
    response = render(request, template, context, status=error.status)
    patch_vary_headers(response, ("HX-Request-Type",))
    return response


def _explained(request: HttpRequest, error: PortalError) -> str:
    """Where the help says more of it; for whoever may read the help."""
    actor = getattr(request, "actor", None)
    return f"/help/errors/#{error.code}" if actor is not None and actor.permissions else ""


def way_out(error: PortalError) -> Way:
    """The words for `error`: what happened, and one thing to do."""
    home = ("/", _("Go to the start page"))
    said = {
        "unknown_host": Way(
            _("No portal lives here"), _("Check the address, or ask whoever gave it to you.")
        ),
        "tenant_suspended": Way(
            _("This client is suspended"),
            _("Everything can be read, nothing can be changed, until it is resumed."),
            *home,
        ),
        "tenant_not_ready": Way(
            _("Almost there"),
            _("This portal is still being set up. The page loads itself again."),
            refresh=error.retry_after or 10,
        ),
        "handoff_spent": Way(
            _("This link has been used"),
            _("Links between portals work once and for a minute. Sign in, or open the portal again."),
            "/sign-in",
            _("Sign in"),
        ),
    }.get(error.code)
    return said or _by_status(error, home)


def _by_status(error: PortalError, home: tuple[str, str]) -> Way:
    if error.status == 401:
        return Way(_("Sign in first"), _(error.message), "/sign-in", _("Sign in"))
    if error.status == 403:
        return Way(
            _("Not with your role"),
            _("Your role does not allow this. Ask an admin of your portal if you need it."),
            *home,
        )
    if error.status == 404:
        return Way(
            _("There is nothing here"),
            _("The page was moved or taken away, or the address has a slip in it."),
            *home,
        )
    if error.status == 429:
        wait = error.retry_after or 60
        return Way(
            _("Too many tries"), _("Wait %(seconds)s seconds, then try again.") % {"seconds": wait}, *home
        )
    if error.status == 503:
        return Way(_("Back in a moment"), _("This cannot be done right now. Try again soon."), *home)
    if error.status >= 500:
        return Way(
            _("Something went wrong here"),
            _("It was not your doing, and it has been noted. Nothing was changed."),
            *home,
        )
    return Way(_("That did not work"), _(error.message), *home)
