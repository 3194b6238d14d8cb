"""Signing in by an identity provider: off to it, and back."""

from typing import Final
from uuid import UUID

import structlog
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.errors import NotFound
from kernel.ids import public_id
from portal.permissions import door
from portal.request import PortalRequest
from portal.ui.entering import enter_session, relative
from portal.ui.kit.pages import go
from tenants.accounts import queries
from tenants.accounts.actions import sign_on
from tenants.accounts.enums import Via
from tenants.accounts.errors import SignOnRefused
from tenants.accounts.models import Provider

log = structlog.get_logger(__name__)
_KEPT: Final = "sign_on"


def back_address(request: PortalRequest) -> str:
    """Where a provider sends people back to on this host; it has to be told it beforehand."""
    return f"{request.scheme}://{request.get_host()}{reverse('sign-on-back')}"


@never_cache
@door(public=True, read_only_exempt=True)
def start(request: PortalRequest, provider: str) -> HttpResponse:
    """Off to the provider."""
    found = queries.provider_at(*queries.place_of(request.portal), provider)
    try:
        address, request.session[_KEPT] = sign_on.begin(
            provider=found,
            back=back_address(request),
            onwards=relative(request.GET.get("next", "/")),
            now=clock.now(),
        )
    except SignOnRefused as error:
        return _refused(request, error)
    return HttpResponseRedirect(address)


@never_cache
@door(public=True, read_only_exempt=True)
def back(request: PortalRequest) -> HttpResponse:
    """Back from the provider: whoever it names is signed in."""
    kept = request.session.pop(_KEPT, None)
    if not kept:
        return go(request, reverse("sign-in"))
    try:
        provider = queries.provider_at(
            *queries.place_of(request.portal), public_id(Provider.prefix, UUID(kept["provider"]))
        )
        user = sign_on.complete(
            provider=provider,
            kept=kept,
            given={name: str(value) for name, value in request.GET.items()},
            back=back_address(request),
            now=clock.now(),
        )
    except (SignOnRefused, NotFound) as error:
        return _refused(request, error if isinstance(error, SignOnRefused) else SignOnRefused())
    enter_session(request, user, Via.SSO, held={queries.PROVIDER: str(provider.id)})
    return go(request, relative(kept["next"]))


def _refused(request: PortalRequest, error: SignOnRefused) -> HttpResponse:
    log.info("single sign-on refused", host=request.portal.host, **error.context)
    messages.error(request, _(error.message))
    return go(request, reverse("sign-in"))
