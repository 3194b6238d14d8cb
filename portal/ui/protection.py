"""How one's sign-in is protected: an authenticator app, passkeys, recovery codes; and where one is signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

import segno
from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui import throttle
from portal.ui.entering import prove, relative, site_of
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.signing_in import ASKED, CodeForm, answer_of
from tenants.access import actions as access
from tenants.access.errors import BadCredentials
from tenants.accounts import queries
from tenants.accounts.actions import factors, passkeys, visits
from tenants.accounts.enums import FactorKind
from tenants.accounts.errors import WrongCode, WrongPasskey

ACTS.update(
    {
        "accounts.sign_in": gettext_lazy("Signed in"),
        "accounts.end_session": gettext_lazy("Ended a session"),
        "accounts.end_sessions": gettext_lazy("Ended all other sessions"),
        "accounts.add_factor": gettext_lazy("Set up a second factor"),
        "accounts.remove_factor": gettext_lazy("Removed a second factor"),
        "accounts.renew_codes": gettext_lazy("Made new recovery codes"),
        "accounts.reset_factors": gettext_lazy("Reset a person's second factors"),
        "accounts.set_policy": gettext_lazy("Changed how people sign in"),
    }
)
_SETTING_UP: Final = "app_setting_up"
"""In the session: the secret of an app that is being set up."""


def proven(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page only to somebody who has just proved who they are; others do so first."""

    @wraps(view)
    def checked(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if queries.fresh(request.session, clock.now()):
            return view(request, *args, **kwargs)
        back = request.path if request.method == "GET" else reverse("protection")
        return go(request, f"{reverse('confirm')}?{urlencode({'next': back})}")

    return checked


class ConfirmForm(forms.Form):
    """One's password, or a code of one's app."""

    secret = forms.CharField(
        label=gettext_lazy("Password, or a code of your authenticator app"),
        strip=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class NameForm(forms.Form):
    """What a passkey is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("So that you know it again: “Work laptop”."),
    )


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Profile"), "/profile"), *more]


@never_cache
@sensitive_post_parameters("secret")
@door(signed_in=True, read_only_exempt=True, unproven=True)
def confirm(request: SignedIn) -> HttpResponse:
    """Prove anew who one is, before changing how one signs in."""
    onwards = relative(request.POST.get("next") or request.GET.get("next", "/"))
    form = ConfirmForm(request.POST if "secret" in request.POST else None)
    if request.method == "POST":
        throttle.check(request, "factor", str(request.user.pk))
        try:
            strong = _shown(request, form)
        except (BadCredentials, WrongCode, WrongPasskey) as error:
            throttle.count(request, "factor", str(request.user.pk))
            if form.is_bound:
                form.add_error("secret", _("That was not it."))
            else:
                messages.error(request, _(error.message))
        else:
            if strong is not None:
                throttle.forget(request, "factor", str(request.user.pk))
                prove(request, strong=strong)
                return go(request, onwards)
    kinds = {one.kind for one in queries.factors_of(request.user)}
    shown = {
        "form": form,
        "next": onwards,
        "passkey": FactorKind.PASSKEY in kinds,
        "secret": request.user.has_usable_password() or FactorKind.TOTP in kinds,
        "crumbs": _crumbs((_("Confirm that it is you"), "")),
    }
    return page(request, "accounts/confirm.html", shown, status=422 if request.method == "POST" else 200)


def _shown(request: SignedIn, form: ConfirmForm) -> bool | None:
    """Whether what was shown is a second factor; None for an empty form. Raises what is wrong with it."""
    if "answer" in request.POST:
        asked = request.session.pop(ASKED, None)
        passkeys.show(
            user=request.user, site=site_of(request), asked=asked, answer=answer_of(request), now=clock.now()
        )
        return True
    if not form.is_valid():
        return None
    secret = form.cleaned_data["secret"]
    if secret.strip().isdigit() and len(secret.strip()) == 6 and queries.app_of(request.user):
        factors.show(user=request.user, code=secret, now=clock.now())
        return True
    access.sign_in(email=request.user.email, password=secret, request=request)
    return False


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
def protection(request: SignedIn) -> HttpResponse:
    """What protects one's sign-in."""
    found = queries.factors_of(request.user)
    shown = {
        "factors": found,
        "app": next((one for one in found if one.kind == FactorKind.TOTP), None),
        "codes": queries.codes_left(request.user),
        "due": request.standing.factor_due,
        "crumbs": _crumbs((_("Sign-in protection"), "")),
    }
    return page(request, "accounts/protection.html", shown)


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
@proven
def add_app(request: SignedIn) -> HttpResponse:
    """Set an authenticator app up: scan, then type a code that it shows."""
    secret = request.session.get(_SETTING_UP) if request.method == "POST" else None
    if secret is None:
        secret = request.session[_SETTING_UP] = factors.new_secret()
    form = CodeForm(request.POST if request.method == "POST" else None)
    form.fields["code"].help_text = _("Six digits that the app shows for this account.")
    if request.method == "POST" and form.is_valid():
        try:
            made = factors.add_app(
                user=request.user,
                secret=secret,
                code=form.cleaned_data["code"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            del request.session[_SETTING_UP]
            prove(request, strong=True)
            return _added(request, made)
    place = site_of(request).name
    label = quote(f"{place}:{request.user.email}")
    uri = f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': place}, quote_via=quote)}"
    shown = {
        "form": form,
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "code": segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
        "crumbs": _crumbs((_("Sign-in protection"), reverse("protection")), (_("Authenticator app"), "")),
    }
    return page(request, "accounts/app.html", shown, status=422 if form.errors else 200)


def _added(request: SignedIn, made: factors.Enrolled) -> HttpResponse:
    messages.success(request, _("It protects your sign-in from now on."))
    if not made.codes:
        return go(request, reverse("protection"))
    return _codes_page(request, made.codes)


def _codes_page(request: SignedIn, codes: list[str]) -> HttpResponse:
    shown = {
        "codes": codes,
        "crumbs": _crumbs((_("Sign-in protection"), reverse("protection")), (_("Recovery codes"), "")),
    }
    response = page(request, "accounts/codes.html", shown)
    response["Cache-Control"] = "no-store"
    return response


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
@proven
def renew_codes(request: SignedIn) -> HttpResponse:
    """New recovery codes, shown once."""
    if request.method != "POST" or not queries.has_factor(request.user):
        return go(request, reverse("protection"))
    return _codes_page(request, factors.renew_codes(user=request.user, actor=request.actor, now=clock.now()))


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
@proven
def ask_new_passkey(request: SignedIn) -> HttpResponse:
    """What the browser is asked to make a passkey, as JSON."""
    if request.method != "POST":
        return go(request, reverse("protection"))
    options, request.session[ASKED] = passkeys.ask_new(user=request.user, site=site_of(request))
    return JsonResponse(options)


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
@proven
def add_passkey(request: SignedIn) -> HttpResponse:
    """Make a passkey and give it a name."""
    form = NameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = request.session.pop(ASKED, None)
            made = passkeys.add(
                user=request.user,
                site=site_of(request),
                asked=asked,
                answer=answer_of(request),
                name=form.cleaned_data["name"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            prove(request, strong=True)
            return _added(request, made)
    shown = {
        "form": form,
        "crumbs": _crumbs((_("Sign-in protection"), reverse("protection")), (_("New passkey"), "")),
    }
    return page(request, "accounts/passkey.html", shown, status=422 if form.errors else 200)


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
@proven
def remove(request: SignedIn, factor: str) -> HttpResponse:
    """Take a second factor away, after asking."""
    found = queries.factor_of(request.user, factor)
    if request.method == "POST":
        factors.remove(factor=found, actor=request.actor, now=clock.now())
        messages.success(request, _("It is removed."))
        return go(request, reverse("protection"))
    last = len(queries.factors_of(request.user)) == 1
    shown = {
        "factor": found,
        "last": last,
        "crumbs": _crumbs((_("Sign-in protection"), reverse("protection")), (found.name, "")),
    }
    return page(request, "accounts/factor_remove.html", shown, part="dialog")


@never_cache
@door(signed_in=True, read_only_exempt=True, unproven=True)
def sessions(request: SignedIn) -> HttpResponse:
    """Where one is signed in."""
    shown = {
        "visits": queries.visits_of(request.user, clock.now()),
        "present": request.session.get(queries.VISIT, ""),
        "crumbs": _crumbs((_("Your sessions"), "")),
    }
    return page(request, "accounts/sessions.html", shown)


@door(signed_in=True, read_only_exempt=True, unproven=True)
def end_session(request: SignedIn, visit: str) -> HttpResponse:
    """End one of one's sessions; it is gone at its next request."""
    if request.method == "POST":
        found = queries.visit_of(request.user, visit)
        visits.end(visit=found, actor=request.actor, now=clock.now())
        messages.success(request, _("The session is ended."))
    return go(request, reverse("sessions"))


@door(signed_in=True, read_only_exempt=True, unproven=True)
def end_others(request: SignedIn) -> HttpResponse:
    """End all sessions but this one."""
    if request.method == "POST":
        present = request.session.get(queries.VISIT)
        count = visits.end_others(
            user=request.user, keep=UUID(present) if present else None, actor=request.actor, now=clock.now()
        )
        messages.success(request, _("%(count)s other sessions have ended.") % {"count": count})
    return go(request, reverse("sessions"))
