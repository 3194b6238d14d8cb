"""How a session begins: the ways in that a place has, what is asked after the first step, what the session holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from kernel import clock
from portal.request import PortalRequest, SignedIn, address
from portal.ui.kit.pages import go
from tenants.access.models import User
from tenants.access.queries import actor_for
from tenants.accounts import queries
from tenants.accounts.actions import visits
from tenants.accounts.actions.passkeys import Site
from tenants.accounts.enums import Via
from tenants.accounts.models import Provider
from tenants.branding import queries as branding
from tenants.tenancy.queries import primary_host

_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
HALF: Final = "half"
"""In the session of somebody who still has to show a second factor: who they are, how they came, where they go."""
HALF_SECONDS: Final = 300


@dataclass(frozen=True)
class Ways:
    """How one may sign in here."""

    password: bool
    links: bool
    providers: list[Provider]


def ways_in(request: PortalRequest) -> Ways:
    """How one may sign in on this host."""
    place = queries.place_of(request.portal)
    rules = queries.rules_at(*place)
    links = place[0] is not None and rules.mail_links and not rules.sign_on_only
    return Ways(not rules.sign_on_only, links, list(queries.providers_at(*place)))


def relative(address: str) -> str:
    """`address` if it stays on this host, else the start page."""
    stays = address.startswith("/") and address.isprintable()
    stays = stays and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if stays else "/"


def come_in(request: PortalRequest, user: User, via: Via, onwards: str) -> HttpResponse:
    """Let somebody in who has taken the first step; who has a second factor is asked for it before."""
    if not queries.has_factor(user):
        enter_session(request, user, via)
        return go(request, onwards)
    request.session.flush()  # nothing of whoever was here before goes along
    request.session[HALF] = {"user": str(user.pk), "via": via, "next": onwards, "at": clock.now().timestamp()}
    return go(request, reverse("sign-in-factor"))


def address_of(request: PortalRequest, host: str, text: str = "", onwards: str = "/") -> str:
    """Another portal, reached as this one was: scheme, host and port; with a pass, where it is redeemed."""
    _name, _colon, port = request.META.get("HTTP_HOST", "").partition(":")
    scheme = "https" if settings.PORTAL_HTTPS else request.scheme
    base = f"{scheme}://{host}{f':{port}' if port else ''}"
    query = urlencode({"pass": text, **({"next": onwards} if onwards != "/" else {})})
    return f"{base}/enter?{query}" if text else base


def half_of(request: PortalRequest) -> tuple[User, Via, str] | None:
    """Who has taken the first step here a moment ago, how, and where they want to go."""
    half = request.session.get(HALF)
    if not half or half["at"] < clock.now().timestamp() - HALF_SECONDS:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    return (user, Via(half["via"]), str(half["next"])) if user else None


def enter_session(
    request: PortalRequest,
    user: User,
    via: Via,
    *,
    strong: bool = False,
    held: Mapping[str, str] | None = None,
) -> None:
    """Make this session `user`'s, under a new key and bound to this host; `held` is what it keeps besides."""
    request.session.pop(HALF, None)
    login(request, user, backend=_BACKEND)
    session, now = request.session, clock.now()
    for name in (queries.SUPPORT, queries.PROVIDER, queries.PROVED):
        session.pop(name, None)
    session["host"] = request.portal.host
    session.update({queries.VIA: str(via), queries.STRONG: strong, "seen": now.timestamp(), **(held or {})})
    if queries.SUPPORT not in session:
        session[queries.PROVED] = now.timestamp()
    session.save()
    made = visits.begin(
        user=user,
        session_key=session.session_key or "",
        host=request.portal,
        via=Via.SUPPORT if queries.SUPPORT in session else via,
        strong=strong,
        agent=request.headers.get("User-Agent", ""),
        actor=actor_for(user, request.portal, request_id=request.id, address=address(request)),
        now=now,
    )
    session[queries.VISIT] = str(made.id)


def keep_session(request: SignedIn) -> None:
    """After a change of password: this session goes on under a new key; all others of this person are over."""
    update_session_auth_hash(request, request.user)
    request.session.save()
    visit = request.session.get(queries.VISIT)
    visits.end_others(
        user=request.user, keep=UUID(visit) if visit else None, actor=request.actor, now=clock.now()
    )
    if visit:
        visits.moved(visit_id=UUID(visit), session_key=request.session.session_key or "")


def prove(request: PortalRequest, *, strong: bool = False) -> None:
    """Note that whoever is signed in has just proved who they are."""
    now = clock.now()
    request.session[queries.PROVED] = now.timestamp()
    if strong:
        request.session[queries.STRONG] = True
        if visit := request.session.get(queries.VISIT):
            visits.seen(visit_id=UUID(visit), strong=True, now=now)


def site_of(request: PortalRequest) -> Site:
    """Whom passkeys are for here: the partner's own host where this one is below it, so that one does for all."""
    host, portal = request.portal.host, request.portal
    rp = primary_host(partner_id=portal.partner.id) if portal.partner else ""
    name: Any = branding.brand_of(portal.partner).name if portal.partner else host
    fits = bool(rp) and (host == rp or host.endswith(f".{rp}"))
    return Site(str(name), rp if fits else host, f"{request.scheme}://{request.get_host()}")
