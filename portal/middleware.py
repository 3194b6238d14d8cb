"""What every request passes, from the street inwards: an id, static files, the host, the session, the door."""

import re
import time
import zoneinfo
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from whitenoise.middleware import WhiteNoiseMiddleware

from automations.insights.queries import units
from kernel import clock, ids, logs, metrics, reach
from kernel.actor import Actor
from kernel.errors import Forbidden, Invalid, NotFound, PortalError, Unauthenticated, WrongMethod
from portal.answers import answer
from portal.permissions import SAFE, WITHIN_REACH, Rule, rule_of
from portal.request import PortalRequest, address
from tenants.access import queries as access
from tenants.access.enums import Staff
from tenants.access.queries import rights
from tenants.accounts import queries as accounts
from tenants.accounts.actions import visits
from tenants.accounts.errors import FactorNeeded
from tenants.accounts.queries import Standing
from tenants.tenancy import context, queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.errors import TenantNotReady, TenantSuspended, UnknownHost

log = structlog.get_logger("portal.request")
Handler = Callable[[PortalRequest], HttpResponse]
_HOST: Final = re.compile(r"^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$")
_ZONES: Final = frozenset(zoneinfo.available_timezones())
_OPS: Final = ("/health", "/ready", "/metrics", "/tls-ask")
HOOKS: Final = "/hooks/"
_REQUEST_ID: Final = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def request_context(get_response: Handler) -> Handler:
    """Give the request an id that every log line, audit row and error page of it carries."""

    def middleware(request: PortalRequest) -> HttpResponse:
        request.id = request_id(request.headers.get("X-Request-Id", ""))
        started = time.perf_counter()
        with logs.bound(request=request.id):
            response = get_response(request)
            took = time.perf_counter() - started
            match = request.resolver_match
            room = (match.view_name or "unnamed").split(":")[0] if match else "none"
            metrics.requests.labels(room=room, status=str(response.status_code)).observe(took)
            log.debug(
                "request answered", method=request.method, path=request.path, status=response.status_code
            )
        response["X-Request-Id"] = request.id
        return response

    return middleware


def request_id(given: str) -> str:
    """The id that the asker gave the request, if it is one; else a new one."""
    return given if _REQUEST_ID.match(given) else ids.uuid7().hex


def letterbox(get_response: Handler) -> Handler:
    """Take webhooks the short way: they have no session, no language and no page, and there are many of them."""
    deliver = host(_deliver)

    def middleware(request: PortalRequest) -> HttpResponse:
        if not request.path.startswith(HOOKS):
            return get_response(request)
        response = deliver(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return middleware


def _deliver(request: PortalRequest) -> HttpResponse:
    """Call the view behind the address, which has to be one that is open to everybody."""
    try:
        match = resolve(request.path, request.urlconf)
    except Resolver404:
        return answer(request, NotFound())
    rule = rule_of(match.func)
    if rule is None or not rule.public:
        return answer(request, NotFound())
    request.resolver_match, request.actor = match, None
    try:
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except PortalError as error:
        return answer(request, error)
    return response


class StaticFiles(WhiteNoiseMiddleware):
    """Static files before anything asks whose portal this is: they are the same for everybody."""


def host(get_response: Handler) -> Handler:
    """Find out whose portal is asked for, by the verified host name alone, and enter the tenant if it is one's."""

    def middleware(request: PortalRequest) -> HttpResponse:
        if "\x00" in request.path:  # the one letter that no database takes: nothing can have that address
            return answer(request, NotFound())
        try:
            # whoever watches over the process asks it by its address, whatever that is called
            name = (
                settings.BASE_DOMAIN if request.path in _OPS else host_name(request.META.get("HTTP_HOST", ""))
            )
            with context.leave() if context.current_or_none() else nullcontext():
                found = queries.host(name, settings.BASE_DOMAIN)
        except UnknownHost as error:
            return answer(request, error)
        request.portal = found
        vars(request).update(
            partner=found.partner, tenant=found.tenant
        )  # for PartnerRequest and TenantRequest
        request.urlconf = settings.URLCONFS[found.kind]
        if found.primary and _is_page(request):
            return HttpResponseRedirect(_at_primary(request, found.primary))
        if found.tenant is None:
            return get_response(request)
        if not found.tenant.ready:
            return answer(request, TenantNotReady(retry_after=10))
        with context.enter(found.tenant):
            return get_response(request)

    return middleware


def _is_page(request: PortalRequest) -> bool:
    """Whether somebody asks for a page, as opposed to a machine or a form that is being sent."""
    return request.method in ("GET", "HEAD") and not is_api(request) and request.path not in _OPS


def _at_primary(request: PortalRequest, primary: str) -> str:
    """The same page under the name that its portal goes by."""
    port = str(request.META.get("HTTP_HOST", "")).partition(":")[2]
    scheme = "https" if settings.PORTAL_HTTPS else "http"
    return f"{scheme}://{primary}{f':{port}' if port else ''}{request.get_full_path()}"


def host_name(header: str) -> str:
    """The Host header as a name. X-Forwarded-Host and the like are never looked at. Raises UnknownHost for no name."""
    name = header.rsplit(":", 1)[0].lower().rstrip(".")
    if not _HOST.match(name):
        raise UnknownHost
    return name


def preferences(get_response: Handler) -> Handler:
    """Speak the reader's language and zone: their own choice, else the browser's language and the tenant's zone."""

    def middleware(request: PortalRequest) -> HttpResponse:
        user = request.user if request.user.is_authenticated else None
        if user is not None and user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language
        tenant = request.portal.tenant
        zone = (user.timezone if user else "") or (tenant.timezone if tenant else "")
        with timezone.override(zoneinfo.ZoneInfo(zone) if zone in _ZONES else None):
            return get_response(request)

    return middleware


class Door:
    """Nobody passes a view without a rule, and only those pass that its rule names."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        """Bind the session to the host it was made on, and end it where the rules of this instant do not let it be."""
        request.standing = Standing()
        if request.session.get("host") not in (None, request.portal.host):
            logout(request)
        elif request.user.is_authenticated:
            _look_at_session(request)
        with reach.whole():
            return self.get_response(request)

    def process_view(
        self, request: PortalRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Check the rule of the view before it runs."""
        try:
            self._pass(request, view)
            if not is_api(request):  # machines are told by the shapes of what they send
                _look_at_letters(request)
        except Unauthenticated as error:
            if is_api(request) and "text/html" not in request.headers.get("Accept", ""):
                return answer(request, error)
            return _to_sign_in(request)
        except FactorNeeded as error:
            return answer(request, error) if is_api(request) else _send_to(request, reverse("protection"))
        except PortalError as error:
            return answer(request, error)
        return None

    def _pass(self, request: PortalRequest, view: Callable[..., Any]) -> None:
        request.actor = None
        rule = rule_of(view)
        if rule is None:
            raise NotFound
        if not rule.public:
            self._check(request, rule)
            if request.standing.factor_due and not rule.unproven:
                raise FactorNeeded
        elif request.user.is_authenticated:
            self._identify(request)
        self._check_state(request, rule)

    def _identify(self, request: PortalRequest) -> None:
        if request.user.is_authenticated:
            request.actor = access.actor_for(
                request.user,
                request.portal,
                staff=Staff.SUPPORT if request.standing.support else Staff.OUTSIDE,
                request_id=request.id,
                address=address(request),
            )

    def _check(self, request: PortalRequest, rule: Rule) -> None:
        if is_api(request) and "Authorization" in request.headers:
            request.actor = _token_actor(request)
        else:
            self._identify(request)
        actor = request.actor
        if actor is None:
            raise Unauthenticated
        if rule.signed_in:
            if actor.scoped_as is not None:
                _see_parts(actor.scoped_as)
            return
        if not rule.by_grant and not actor.permissions:
            raise NotFound  # a stranger here learns nothing, not even that this page exists
        self._narrow(request, actor)
        permission = rule.permission(request.method or "GET")
        if permission is None:
            raise WrongMethod
        if not rule.by_grant:
            actor.require(permission)

    @staticmethod
    def _narrow(request: PortalRequest, actor: Actor) -> None:
        """Who is let in for parts of a client sees those, by pages that keep to it. Raises Forbidden at any other."""
        if actor.scoped_as is None:
            return
        match = request.resolver_match
        if match is None or match.view_name not in WITHIN_REACH:
            raise Forbidden("you are let in for parts of this client only", actor=actor.label)
        _see_parts(actor.scoped_as)

    @staticmethod
    def _check_state(request: PortalRequest, rule: Rule) -> None:
        tenant = request.portal.tenant
        if (
            tenant is not None
            and tenant.state == TenantState.SUSPENDED
            and request.method not in SAFE
            and not rule.read_only_exempt
        ):
            raise TenantSuspended


def _see_parts(person: UUID) -> None:
    """Until the answer is made, nothing is seen beyond the parts that this person is let in for."""
    seen = rights.seen_by(person)
    reach.narrow(units.reach_of(seen.get("workflow", ()), seen.get("businessunit", ())))


def errors(get_response: Handler) -> Handler:
    """Turn our errors into answers: a page, a fragment or a problem document."""

    def middleware(request: PortalRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: PortalRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, PortalError):
            if not error.benign:
                log.error("request failed", code=error.code, **error.context, exc_info=error)
            return answer(request, error)  # no transaction is open here: each action has closed its own
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined] # Django looks for it there
    return middleware


def _look_at_letters(request: PortalRequest) -> None:
    """NUL is the one letter that no database takes: a search goes on without it. Raises Invalid for a field with it."""
    if "%00" in request.META.get("QUERY_STRING", ""):
        plain = QueryDict(mutable=True)
        for name, values in request.GET.lists():
            plain.setlist(name.replace("\x00", ""), [value.replace("\x00", "") for value in values])
        request.GET = plain  # type: ignore[assignment] # a form of it that nobody changes further
    wrong = [
        name
        for name, values in request.POST.lists()
        if "\x00" in name or any("\x00" in str(value) for value in values)
    ]
    if wrong:
        raise Invalid(
            fields={name.replace("\x00", ""): ["This holds a letter that cannot be kept."] for name in wrong}
        )


def is_api(request: PortalRequest) -> bool:
    """Whether a machine asks."""
    return request.path.startswith(("/api/", "/hooks/"))


def _to_sign_in(request: PortalRequest) -> HttpResponse:
    """The sign-in page, and back here afterwards; htmx is told to go there, since it would swap the page into a box."""
    here = request.headers.get("HX-Current-URL", "") if request.htmx else request.get_full_path()
    path = urlsplit(here)._replace(scheme="", netloc="").geturl()
    return _send_to(request, f"{reverse('sign-in')}?{urlencode({'next': path})}")


def _send_to(request: PortalRequest, address: str) -> HttpResponse:
    if not request.htmx:
        return HttpResponseRedirect(address)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = address
    return response


def _look_at_session(request: PortalRequest) -> None:
    """What the session is worth at this instant; one that is worth nothing ends here."""
    session, now = request.session, clock.now()
    found = accounts.standing(session, request.portal, now)
    visit = session.get(accounts.VISIT)
    if found.over:
        if visit:
            visits.left(visit_id=UUID(visit), now=now)
        logout(request)
        messages.info(request, _over(found.over))
        return
    request.standing = found
    if visit and now.timestamp() - session.get("seen", 0) > accounts.SEEN_SECONDS:
        session["seen"] = now.timestamp()
        visits.seen(visit_id=UUID(visit), now=now)


def _over(why: str) -> str:
    if why == "support":
        return _("The support access is over.")
    return _("Here one signs in by single sign-on alone.")


def _token_actor(request: PortalRequest) -> Any:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("use the scheme Bearer")
    return access.actor_for_token(
        token.strip(),
        request.portal,
        now=clock.now(),
        request_id=request.id,
        address=address(request),
    )
