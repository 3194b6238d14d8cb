"""Signing in by an identity provider: off to it, and back."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import structlog
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from kernel import clock
from kernel.errors import NotFound
from kernel.ids import public_id
from kernel.saml import description
from portal.permissions import door
from portal.request import PortalRequest
from portal.ui.entering import enter_session, relative
from portal.ui.kit.pages import go
from tenants.accounts import queries
from tenants.accounts.actions import saml, sign_on
from tenants.accounts.enums import ProviderKind, Via
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
    onwards = relative(request.GET.get("next", "/"))
    try:
        if found.kind == ProviderKind.SAML:
            address, request.session[_KEPT] = saml.begin(
                provider=found,
                ours=own_name(request),
                back=saml_address(request),
                onwards=onwards,
                now=clock.now(),
            )
        else:
            address, request.session[_KEPT] = sign_on.begin(
                provider=found, back=back_address(request), onwards=onwards, now=clock.now()
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
        given = {name: str(value) for name, value in request.GET.items()}
        if provider.kind == ProviderKind.SAML:
            user = saml.complete(provider=provider, kept=kept, text=given.get("pass", ""), now=clock.now())
        else:
            user = sign_on.complete(
                provider=provider, kept=kept, given=given, back=back_address(request), now=clock.now()
            )
    except (SignOnRefused, NotFound) as error:
        return _refused(request, error if isinstance(error, SignOnRefused) else SignOnRefused())
    enter_session(request, user, Via.SSO, held={queries.PROVIDER: str(provider.id)})
    return go(request, relative(kept["next"]))


@csrf_exempt  # the provider's page sends it; it counts by its signature, and for the browser that asked alone
@never_cache
@door(public=True, read_only_exempt=True)
def saml_answer(request: PortalRequest) -> HttpResponse:
    """The answer of a SAML provider, by a form of its page: checked, kept, and the browser sent on with its session."""
    if request.method != "POST":
        return go(request, reverse("sign-in"))
    try:
        text = saml.take(
            portal=request.portal,
            response=request.POST.get("SAMLResponse", ""),
            ours=own_name(request),
            back=saml_address(request),
            now=clock.now(),
        )
    except SignOnRefused as error:
        return _refused(request, error)
    return HttpResponseRedirect(f"{reverse('sign-on-back')}?{urlencode({'pass': text})}")


@door(public=True, read_only_exempt=True)
def saml_metadata(request: PortalRequest) -> HttpResponse:
    """What a SAML provider has to know of this portal."""
    if request.portal.partner is None:
        raise NotFound
    text = description(ours=own_name(request), back=saml_address(request))
    return HttpResponse(text, content_type="application/samlmetadata+xml")


def saml_address(request: PortalRequest) -> str:
    """Where a SAML provider sends its answers on this host."""
    return f"{request.scheme}://{request.get_host()}{reverse('saml-answer')}"


def own_name(request: PortalRequest) -> str:
    """What this portal calls itself before a SAML provider: the address of its description."""
    return f"{request.scheme}://{request.get_host()}{reverse('saml-metadata')}"


def _refused(request: PortalRequest, error: SignOnRefused) -> HttpResponse:
    log.info("single sign-on refused", host=request.portal.host, **error.context)
    messages.error(request, _(error.message))
    return go(request, reverse("sign-in"))
