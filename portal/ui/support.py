"""Support access: a partner's staff ask to come into a client and go in; the client sees it, decides, ends it."""

from collections.abc import Iterable

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.actor import Actor
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest, PortalRequest, SignedIn, TenantRequest, address
from portal.ui.entering import address_of, relative
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.kit.words import ago, time_of_day
from portal.ui.place import crumbs
from portal.ui.shell import Banner, Notice, banners, notices
from tenants.access import queries as access
from tenants.access.queries import Place
from tenants.accounts import queries
from tenants.accounts.actions import crossing, support
from tenants.accounts.enums import SupportState
from tenants.accounts.models import SupportAccess
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import HostRef, partner_ref, primary_host

ACTS.update(
    {
        "accounts.ask_support": gettext_lazy("Asked for support access"),
        "accounts.decide_support": gettext_lazy("Decided on a support access"),
        "accounts.end_support": gettext_lazy("Ended a support access"),
    }
)
_SHOWN = 200


class SupportForm(forms.Form):
    """Why somebody comes, and for how long."""

    reason = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text=gettext_lazy("The client reads it, and it stays in both audit logs."),
    )
    ticket = forms.CharField(label=gettext_lazy("Ticket"), max_length=80, required=False)
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        coerce=int,
        choices=[
            (15, gettext_lazy("15 minutes")),
            (30, gettext_lazy("30 minutes")),
            (60, gettext_lazy("An hour")),
            (120, gettext_lazy("Two hours")),
        ],
        initial=30,
        widget=forms.RadioSelect,
    )


def doer_at_partner(request: SignedIn, place: Place) -> Actor:
    """Who asks, with what they may do at the partner's console, wherever they ask from."""
    with context.leave():
        partner = partner_ref(Partner.objects.get(pk=place.partner_id))
        host = HostRef("partner", request.portal.host, partner)
        return access.actor_for(request.user, host, request_id=request.id, address=address(request))


def _client(place: Place) -> tuple[Tenant, str]:
    """The client's row, and its rule about support."""
    with context.leave():
        row = Tenant.objects.get(Q(pk=place.tenant_id))
        return row, queries.rules_at(place.partner_id, place.tenant_id).support


@never_cache
@door(signed_in=True, read_only_exempt=True)
def enter(request: SignedIn, place: str) -> HttpResponse:
    """Ask to come into a client, and go in where that is open."""
    found = access.place(request.user, place)
    if found.tenant_id is None:
        raise NotFound
    actor = doer_at_partner(request, found)
    actor.require("tenancy.support")
    onwards = relative(request.POST.get("next") or request.GET.get("next", "/"))
    form = SupportForm(request.POST if "reason" in request.POST else None)
    live = queries.own_support(request.user, found.tenant_id, clock.now())
    client, rule = _client(found)
    if request.method == "POST" and live is not None and live.state == SupportState.OPEN:
        return _cross(request, found, live, onwards)
    if request.method == "POST" and live is None and form.is_valid():
        try:
            made = support.ask(
                tenant=client,
                user=request.user,
                actor=actor,
                now=clock.now(),
                **form.cleaned_data,
            )
        except PortalError as error:
            refuse(form, error)
        else:
            if made.state == SupportState.OPEN:
                return _cross(request, found, made, onwards)
            return go(request, request.get_full_path())
    shown = {
        "form": form,
        "place": found,
        "live": live,
        "rule": rule,
        "next": onwards,
        "crumbs": crumbs(request, (_("Support access"), "")),
    }
    return page(request, "accounts/support_enter.html", shown, status=422 if form.errors else 200)


def _cross(request: SignedIn, place: Place, row: SupportAccess, onwards: str) -> HttpResponse:
    with context.leave():
        host = primary_host(partner_id=place.partner_id, tenant_id=place.tenant_id)
    if not host:
        raise NotFound
    text = crossing.issue(
        user=request.user,
        place=place,
        host=host,
        session=request.session,
        origin=request.portal.partner.id if request.portal.partner else None,
        support=row,
        now=clock.now(),
    )
    shown = {"place": place, "address": address_of(request, host, text, onwards)}
    response = page(request, "access/go.html", shown)
    response["Cache-Control"] = "no-store"
    return response


@door("tenancy.support")
def of_partner(request: PartnerRequest) -> HttpResponse:
    """Whom of the staff support took to which client."""
    rows = queries.supports_of(partner_id=request.partner.id)
    return _list(request, list(rows[:_SHOWN]))


@door("access.support")
def of_tenant(request: TenantRequest) -> HttpResponse:
    """Who came in for support, why and how long; and who asks to."""
    rows = queries.supports_of(partner_id=request.partner.id, tenant_id=request.tenant.id)
    return _list(request, list(rows[:_SHOWN]))


def _list(request: SignedIn, rows: list[SupportAccess]) -> HttpResponse:
    now = clock.now()
    shown = {
        "rows": [(row, queries.support_word(row, now)) for row in rows],
        "may": request.portal.tenant is not None,
        "rule": queries.rules_at(*queries.place_of(request.portal)).support,
        "crumbs": crumbs(request, (_("Support access"), "")),
    }
    return page(request, "accounts/support.html", shown)


@door(post="access.support")
def decide(request: TenantRequest, support_access: str, verdict: str) -> HttpResponse:
    """Let somebody in who asked, refuse, or show somebody out."""
    found = queries.support_at(request.partner.id, request.tenant.id, support_access)
    try:
        if verdict == "end":
            support.end(access=found, actor=request.actor, now=clock.now())
        elif verdict in ("agree", "refuse"):
            support.decide(access=found, agree=verdict == "agree", actor=request.actor, now=clock.now())
        else:
            raise NotFound
    except PortalError as error:
        if error.status == 404:
            raise
        messages.error(request, _(error.message))
    else:
        said = {"agree": _("They may come in now."), "refuse": _("It is refused.")}
        messages.success(request, said.get(verdict, _("The support access is over.")))
    return go(request, reverse("accounts:support"))


@door(signed_in=True, read_only_exempt=True)
def leave(request: SignedIn) -> HttpResponse:
    """End one's own support access, and back to the console."""
    row = request.standing.support
    if request.method != "POST" or row is None:
        return go(request, "/")
    support.end(access=row, actor=request.actor, now=clock.now())
    host = primary_host(partner_id=row.partner_id)
    found = access.place(request.user, row.partner.public_id)
    logout(request)
    return page(request, "access/go.html", {"place": found, "address": address_of(request, host)})


@banners
def _banner(request: PortalRequest) -> Iterable[Banner]:
    """Whoever came for support sees it on every page, and how long it lasts."""
    standing = getattr(request, "standing", None)
    row = standing.support if standing else None
    if row is None or row.expires_at is None:
        return
    yield Banner(
        _("Support access: %(reason)s. It ends at %(time)s, %(left)s.")
        % {
            "reason": f"{row.reason}{f' ({row.ticket})' if row.ticket else ''}",
            "time": time_of_day(row.expires_at)[:5],
            "left": ago(row.expires_at, clock.now()),
        },
        tone="bad",
        icon="shield-alert",
        url=reverse("support-leave"),
        action=_("Leave"),
        post=True,
    )


@notices
def _notices(request: PortalRequest) -> Iterable[Notice]:
    """Whoever decides is told that somebody asks, and that somebody is here."""
    tenant, actor = request.portal.tenant, request.actor
    if tenant is None or actor is None or not actor.may("access.support"):
        return
    for row in queries.supports_now(tenant.id, clock.now()):
        asks = row.state == SupportState.ASKED
        words = _("%(name)s asks to come in for support") if asks else _("%(name)s is here for support")
        yield Notice(
            words % {"name": row.user},
            reverse("accounts:support"),
            row.asked_at,
            tone="warn",
            icon="shield-alert",
        )
