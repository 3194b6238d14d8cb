"""API tokens: the same pages for a partner's console and for a client tenant."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import crumbs, place, rows
from portal.ui.access_forms import RotateForm, TokenForm
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from tenants.access import actions, catalog, queries
from tenants.access.models import ApiToken


@door("access.tokens")
def tokens(request: SignedIn) -> HttpResponse:
    """Keys for machines."""
    partner_id, tenant_id = place(request)
    now = clock.now()
    found = [
        (token, token.state(now)) for token in queries.tokens_of(partner_id=partner_id, tenant_id=tenant_id)
    ]
    return page(
        request, "access/tokens.html", {"tokens": found, "crumbs": crumbs(request, (_("API tokens"), ""))}
    )


@never_cache
@door("access.tokens")
def make_token(request: SignedIn) -> HttpResponse:
    """A new token; its text is in the answer to this very request and nowhere else, ever."""
    scopes = [(name, words) for name, words in catalog.PERMISSIONS.items() if request.actor.may(name)]
    form = TokenForm(request.POST if request.method == "POST" else None, scopes=scopes)
    trail = crumbs(request, (_("API tokens"), "/tokens/"), (_("New token"), ""))
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        days, now = form.cleaned_data["days"], clock.now()
        try:
            token, text = actions.make_token(
                partner=partner,
                tenant=tenant,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=now + timedelta(days=days) if days else None,
                actor=request.actor,
                now=now,
            )
        except PortalError as error:
            refuse(form, error)
        else:
            return page(request, "access/token_made.html", {"token": token, "text": text, "crumbs": trail})
    return page(
        request, "access/token_add.html", {"form": form, "crumbs": trail}, status=422 if form.errors else 200
    )


@never_cache
@door("access.tokens")
def rotate_token(request: SignedIn, token: str) -> HttpResponse:
    """Another token in place of this one, which lives on for a while; the new text is in this answer alone."""
    found = _token(request, token)
    form = RotateForm(request.POST if request.method == "POST" else None)
    trail = crumbs(request, (_("API tokens"), "/tokens/"), (found.name, ""))
    if request.method == "POST" and form.is_valid():
        try:
            made, text = actions.rotate_token(
                token=found,
                overlap=timedelta(hours=form.cleaned_data["hours"]),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            found.refresh_from_db()
            context = {"token": made, "text": text, "old": found, "crumbs": trail}
            return page(request, "access/token_made.html", context)
    context = {"form": form, "token": found, "crumbs": trail}
    return page(request, "access/token_rotate.html", context, status=422 if form.errors else 200)


@door("access.tokens")
def revoke_token(request: SignedIn, token: str) -> HttpResponse:
    """End a token, once asked and confirmed."""
    found = _token(request, token)
    if request.method == "POST":
        actions.revoke_token(token=found, actor=request.actor, now=clock.now())
        messages.success(request, _("The token “%(name)s” is revoked.") % {"name": found.name})
        return go(request, "/tokens/")
    trail = crumbs(request, (_("API tokens"), "/tokens/"), (found.name, ""))
    return page(request, "access/token_revoke.html", {"token": found, "crumbs": trail}, part="dialog")


def _token(request: SignedIn, token: str) -> ApiToken:
    """The token of the URL, if it is one of this place. Raises NotFound."""
    partner_id, tenant_id = place(request)
    found: ApiToken | None = (
        queries.tokens_of(partner_id=partner_id, tenant_id=tenant_id).filter(pk=key_of("tok", token)).first()
    )
    if found is None:
        raise NotFound
    return found
