"""Signing in and out, going from one portal to another, and finding one's first page."""

from urllib.parse import urlencode
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock
from kernel.errors import Invalid, NotFound
from portal.permissions import door
from portal.request import PortalRequest, SignedIn
from portal.ui import throttle
from portal.ui.access_forms import SignInForm
from portal.ui.entering import address_of, come_in, enter_session, relative, ways_in
from portal.ui.kit.pages import go as go_to
from portal.ui.kit.pages import page
from portal.ui.shell import Shell
from tenants.access import actions, queries
from tenants.access.errors import BadCredentials, HandoffSpent
from tenants.accounts import queries as accounts
from tenants.accounts.actions import crossing, visits
from tenants.accounts.enums import Via
from tenants.tenancy import context
from tenants.tenancy.queries import primary_host

log = structlog.get_logger(__name__)


@never_cache
@sensitive_post_parameters("password")
@door(public=True, read_only_exempt=True)
def sign_in(request: PortalRequest) -> HttpResponse:
    """Sign in by e-mail and password; the same answer for an unknown e-mail as for a wrong password."""
    onwards = relative(request.POST.get("next") or request.GET.get("next", "/"))
    if request.method != "POST":
        if request.user.is_authenticated:
            return go_to(request, onwards)
        return page(
            request, "access/sign_in.html", {"form": SignInForm(), "next": onwards, "ways": ways_in(request)}
        )
    form, ways = SignInForm(request.POST), ways_in(request)
    if not ways.password:
        form.add_error(None, _("Here one signs in by single sign-on alone."))
    elif form.is_valid():
        email, password = form.cleaned_data["email"], form.cleaned_data["password"]
        throttle.check(request, "sign-in", email)
        try:
            user = actions.sign_in(email=email, password=password, request=request)
        except BadCredentials:
            throttle.count(request, "sign-in", email)
            log.info("sign-in refused", host=request.portal.host)
            form.add_error(None, _("E-mail and password do not match."))
        else:
            throttle.forget(request, "sign-in", email)
            return come_in(request, user, Via.PASSWORD, onwards)
    return page(request, "access/sign_in.html", {"form": form, "next": onwards, "ways": ways}, status=422)


@door(signed_in=True, read_only_exempt=True, unproven=True)
def sign_out(request: SignedIn) -> HttpResponse:
    """End this session."""
    if request.method == "POST":
        if visit := request.session.get(accounts.VISIT):
            visits.left(visit_id=UUID(visit), now=clock.now())
        logout(request)
        messages.success(request, _("You are signed out."))
    return go_to(request, "/sign-in")


@door(signed_in=True, read_only_exempt=True)
def go(request: SignedIn, place: str) -> HttpResponse:
    """Open another portal: a page that leads there with a pass that works once.

    It is a page and no redirect, since the policy of this site lets a form lead nowhere else.
    """
    if request.method != "POST":
        return go_to(request, "/")
    found = queries.place(request.user, place)
    onwards = relative(request.POST.get("next", "/"))
    if found.tenant_id and not accounts.is_member(request.user, found.partner_id, found.tenant_id):
        query = f"?{urlencode({'next': onwards})}" if onwards != "/" else ""
        return go_to(request, f"{reverse('support-enter', args=[place])}{query}")
    with context.leave():  # another place than this one
        host = primary_host(partner_id=found.partner_id, tenant_id=found.tenant_id)
    if not host:
        raise NotFound
    text = crossing.issue(
        user=request.user,
        place=found,
        host=host,
        session=request.session,
        origin=request.portal.partner.id if request.portal.partner else None,
        now=clock.now(),
    )
    address = address_of(request, host, text, onwards)
    response = page(request, "access/go.html", {"place": found, "address": address})
    response["Cache-Control"] = "no-store"
    return response


@never_cache
@door(public=True, read_only_exempt=True)
def enter(request: PortalRequest) -> HttpResponse:
    """Redeem a pass from another portal: it works once, on this host, within a minute.

    Whoever is signed in here, or comes from another site, is asked first: a link must neither swap who one is nor sign
    somebody in as whoever sent it.
    """
    text = request.POST.get("pass") or request.GET.get("pass", "")
    onwards = relative(request.POST.get("next") or request.GET.get("next", "/"))
    present = request.user if request.user.is_authenticated else None
    if request.method != "POST" and (present is not None or not _from_our_site(request)):
        return page(request, "access/enter.html", {"pass": text, "next": onwards})
    try:
        crossed = crossing.redeem(text=text, host=request.portal.host, now=clock.now())
    except HandoffSpent:
        if present is not None:  # the Back button, or a page that was opened twice
            return go_to(request, onwards)
        raise
    enter_session(request, crossed.user, crossed.via, strong=crossed.strong, held=crossed.held)
    return go_to(request, onwards)


def _from_our_site(request: PortalRequest) -> bool:
    """Whether a page of this site led here, by the browser's own word; one that says nothing counts as no."""
    return request.headers.get("Sec-Fetch-Site", "") in ("same-origin", "same-site")


@door(signed_in=True, read_only_exempt=True)
def start(request: SignedIn) -> HttpResponse:
    """The first page that one may see here; whoever may see none is told where they may go."""
    for _group, shown in Shell(request).nav:
        if shown[0].url != "/":
            return go_to(request, shown[0].url)
    return page(
        request,
        "access/nothing_here.html",
        {"places": queries.places(request.user)},
        status=200 if request.actor.permissions else 403,
    )


@door(signed_in=True)
def places(request: SignedIn) -> HttpResponse:
    """The switcher's list, narrowed by what was typed."""
    found = queries.places(request.user, text=request.GET.get("q", "").strip())
    return page(request, "access/places.html", {"places": found}, part="list")


@door(public=True, read_only_exempt=True)
def language(request: PortalRequest) -> HttpResponse:
    """Choose the language of the pages before signing in; it is kept in a cookie."""
    chosen = request.POST.get("language", "")
    if request.method == "POST" and chosen not in dict(settings.LANGUAGES):
        raise Invalid
    response = go_to(request, relative(request.POST.get("next", "/")))
    if request.method == "POST":
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=365 * 86_400,
            secure=settings.PORTAL_HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return response
