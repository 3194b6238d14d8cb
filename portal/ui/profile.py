"""One's own page: name, language, time, look, password, and where one belongs."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock
from kernel.errors import Invalid
from portal.permissions import door
from portal.request import SignedIn
from portal.ui import throttle
from portal.ui.access_forms import PasswordForm, ProfileForm
from portal.ui.entering import keep_session, relative
from portal.ui.kit.pages import go, page
from tenants.access import actions, queries
from tenants.access.enums import Theme

_YEAR = 365 * 86_400


@door(signed_in=True, read_only_exempt=True)
def profile(request: SignedIn) -> HttpResponse:
    """See and change one's preferences."""
    user = request.user
    initial = {
        "name": user.name,
        "language": user.language or translation.get_language(),
        "timezone": user.timezone,
        "theme": user.theme,
        "density": user.density,
        "keys": request.COOKIES.get("keys") != "off",
    }
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        keys = values.pop("keys")
        actions.set_preferences(user=user, values=values, actor=request.actor, now=clock.now())
        translation.activate(values["language"] or translation.get_language() or "en")
        messages.success(request, _("Your profile is saved."))
        response = go(request, request.path)
        response.set_cookie(
            "keys", "on" if keys else "off", max_age=_YEAR, secure=settings.PORTAL_HTTPS, samesite="Lax"
        )
        return response
    context = {
        "form": form,
        "password_form": PasswordForm(user=user),
        "places": queries.places_of(user),
        "crumbs": [(_("Profile"), "")],
    }
    return page(request, "access/profile.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("old", "new")
@door(signed_in=True, read_only_exempt=True)
def password(request: SignedIn) -> HttpResponse:
    """Change one's password; other sessions end, this one stays."""
    form = PasswordForm(request.POST if request.method == "POST" else None, user=request.user)
    if request.method == "POST":
        throttle.check(request, "password", request.user.email)
        if form.is_valid():
            actions.set_password(
                user=request.user, password=form.cleaned_data["new"], actor=request.actor, now=clock.now()
            )
            keep_session(request)
            messages.success(request, _("Your password is changed. Other sessions have ended."))
            return go(request, relative("/profile"))
        throttle.count(request, "password", request.user.email)
    context = {"password_form": form, "crumbs": [(_("Profile"), "/profile"), (_("Password"), "")]}
    return page(request, "access/password.html", context, status=422 if form.errors else 200)


@door(signed_in=True, read_only_exempt=True)
def theme(request: SignedIn) -> HttpResponse:
    """Light, dark or as the system: the switch in the menu."""
    chosen = request.POST.get("theme", "")
    if request.method == "POST":
        if chosen not in Theme.values:
            raise Invalid
        actions.set_preferences(
            user=request.user, values={"theme": chosen}, actor=request.actor, now=clock.now()
        )
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204)
    return go(request, relative(request.headers.get("Referer", "/").partition(request.get_host())[2] or "/"))
