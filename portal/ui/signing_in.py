"""The other steps of signing in: the second factor, a passkey by itself, a link by mail."""

from typing import Any, Final

import structlog
from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock, jsonx
from kernel.errors import Invalid, PortalError
from portal.permissions import door
from portal.request import PortalRequest
from portal.ui import throttle
from portal.ui.entering import come_in, enter_session, half_of, relative, site_of, ways_in
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from tenants.accounts import queries
from tenants.accounts.actions import factors, links, passkeys
from tenants.accounts.enums import FactorKind, Via
from tenants.accounts.errors import LinkSpent, WrongCode, WrongPasskey

log = structlog.get_logger(__name__)
ASKED: Final = "passkey"
"""In the session: what a browser was asked about a passkey."""
_MOST: Final = 20_000


class CodeForm(forms.Form):
    """Six digits, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        help_text=gettext_lazy("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class LinkForm(forms.Form):
    """Where a link is to go."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "inputmode": "email"}),
    )


def answer_of(request: PortalRequest) -> dict[str, Any]:
    """What the browser answered about a passkey. Raises Invalid."""
    text = request.POST.get("answer", "")
    try:
        found = jsonx.loads(text) if len(text) <= _MOST else None
    except ValueError as error:
        raise Invalid from error
    if not isinstance(found, dict):
        raise Invalid
    return found


@never_cache
@sensitive_post_parameters("code")
@door(public=True, read_only_exempt=True)
def factor(request: PortalRequest) -> HttpResponse:
    """The second step: a code, or a passkey."""
    half = half_of(request)
    if half is None:
        return go(request, reverse("sign-in"))
    user, via, onwards = half
    form = CodeForm(request.POST if "code" in request.POST else None)
    if request.method == "POST":
        throttle.check(request, "factor", str(user.pk))
        try:
            if "answer" in request.POST:
                asked = request.session.pop(ASKED, None)
                passkeys.show(
                    user=user, site=site_of(request), asked=asked, answer=answer_of(request), now=clock.now()
                )
            elif form.is_valid():
                used = factors.show(user=user, code=form.cleaned_data["code"], now=clock.now())
                if used == "recovery":
                    messages.warning(
                        request, _("A recovery code was used; %s are left.") % queries.codes_left(user)
                    )
        except (WrongCode, WrongPasskey) as error:
            throttle.count(request, "factor", str(user.pk))
            log.info("second factor refused", host=request.portal.host)
            refuse(form, error) if form.is_bound else messages.error(request, _(error.message))
        else:
            if not form.errors:
                throttle.forget(request, "factor", str(user.pk))
                enter_session(request, user, via, strong=True)
                return go(request, onwards)
    kinds = {one.kind for one in queries.factors_of(user)}
    shown = {"form": form, "app": True, "passkey": FactorKind.PASSKEY in kinds}
    return page(request, "accounts/factor.html", shown, status=422 if request.method == "POST" else 200)


@never_cache
@door(public=True, read_only_exempt=True)
def ask_passkey(request: PortalRequest) -> HttpResponse:
    """What the browser is asked to show a passkey, as JSON."""
    if request.method != "POST":
        return go(request, reverse("sign-in"))
    half = half_of(request)
    user = half[0] if half else (request.user if request.user.is_authenticated else None)
    options, request.session[ASKED] = passkeys.ask(user=user, site=site_of(request))
    return JsonResponse(options)


@never_cache
@door(public=True, read_only_exempt=True)
def passkey(request: PortalRequest) -> HttpResponse:
    """Sign in by a passkey alone: it is something one has, and it asks for a finger or a PIN."""
    onwards = relative(request.POST.get("next", "/"))
    if request.method != "POST" or not ways_in(request).password:
        return go(request, reverse("sign-in"))
    throttle.check(request, "passkey", "")
    try:
        asked = request.session.pop(ASKED, None)
        user = passkeys.show(
            user=None, site=site_of(request), asked=asked, answer=answer_of(request), now=clock.now()
        )
    except PortalError as error:
        throttle.count(request, "passkey", "")
        messages.error(request, _(error.message))
        return go(request, reverse("sign-in"))
    enter_session(request, user, Via.PASSKEY, strong=True)
    return go(request, onwards)


@never_cache
@door(public=True, read_only_exempt=True)
def link(request: PortalRequest) -> HttpResponse:
    """Have a link sent to one's mail."""
    if not ways_in(request).links:
        return go(request, reverse("sign-in"))
    form = LinkForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        throttle.check(request, "link", email)
        throttle.count(request, "link", email)  # each asks for a mail, right or wrong
        links.ask(email=email, host=request.portal, now=clock.now())
        return page(request, "accounts/link_sent.html", {"email": email})
    return page(request, "accounts/link.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@door(public=True, read_only_exempt=True)
def by_link(request: PortalRequest, link: str) -> HttpResponse:
    """The page behind the link: a button signs in, so that a mail program that looks at links uses none up."""
    if request.method != "POST":
        return page(request, "accounts/by_link.html", {"link": link})
    try:
        user = links.redeem(text=link, host=request.portal, now=clock.now())
    except LinkSpent as error:
        messages.error(request, _(error.message))
        return go(request, reverse("sign-in"))
    return come_in(request, user, Via.LINK, "/")
