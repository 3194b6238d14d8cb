"""The office itself: who may enter, its first page, and the rule on every one of its addresses."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from automations.ledger import queries as ledger
from kernel import clock
from portal.permissions import Rule
from tenants.audit import queries as audit
from tenants.tenancy import queries as tenancy
from tenants.tenancy import store as schemas

RULE: Final = Rule(methods={"GET": "platform.read", "POST": "platform.partners"})
_DROPPED: Final = frozenset({"password_change", "password_change_done", "view_on_site"})
_HEARD: Final = timedelta(seconds=30)


class Operators(AdminSite):
    """Django's administration, with our doors: no sign-in page of its own, no address without a rule."""

    site_header = _("Operator console")
    site_title = _("Operator console")
    index_title = _("Administer")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether an operator asks; the door has looked already."""
        actor = getattr(request, "actor", None)
        return actor is not None and actor.may("platform.read")

    def get_urls(self) -> list[Any]:
        """Django's addresses without those that we have elsewhere; each carries the rule that the door looks for."""
        found = [one for one in super().get_urls() if getattr(one, "name", None) not in _DROPPED]
        _mark(found)
        return found

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Our own sign-in page."""
        back = request.GET.get("next", reverse("admin:index"))
        return HttpResponseRedirect(f"{reverse('sign-in')}?{urlencode({'next': back})}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """Signing out is a button of the frame."""
        return HttpResponseRedirect("/")

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """How the installation does, what was done lately, and what there is to look at."""
        return super().index(
            request, {**(extra_context or {}), "health": health(), "trail": audit.trail()[:12]}
        )


def _mark(patterns: list[Any]) -> None:
    for one in patterns:
        if isinstance(one, URLResolver):
            _mark(one.url_patterns)
        elif isinstance(one, URLPattern):
            one.callback = _ruled(one.callback)


def _ruled(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view with the rule on it: some are methods, which take no mark."""

    @wraps(view)
    def ruled(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    ruled.rule = RULE  # type: ignore[attr-defined] # a mark on a function
    return ruled


def health() -> list[tuple[Any, Any, bool]]:
    """(what, figure, whether that is as it should be)."""
    now, load = clock.now(), ledger.load()
    workers = len(ledger.workers(now - _HEARD))
    behind = tenancy.tenants_behind(schemas.revision()).count()
    stuck = tenancy.unfinished_provisioning(now).exclude(error="").count()
    return [
        (_("Workers heard of within 30 seconds"), workers, workers > 0),
        (_("Runs that are due"), load.due, True),
        (_("Age of the oldest due run, in seconds"), round(load.oldest), load.oldest < 60),
        (_("Runs that a worker holds"), load.held, True),
        (_("Runs whose worker went silent"), load.expired, load.expired == 0),
        (_("Events that are not dispatched"), load.intake, True),
        (_("Clients behind on migrations"), behind, behind == 0),
        (_("Clients whose setting up meets trouble"), stuck, stuck == 0),
    ]


site: Final = Operators(name="admin")
