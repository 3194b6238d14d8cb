"""What a request carries once the middleware has seen it; views annotate their request with one of these."""

from django.conf import settings
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from kernel.actor import Actor
from tenants.access.models import User
from tenants.accounts.queries import Standing
from tenants.tenancy.queries import HostRef, PartnerRef, TenantRef


class PortalRequest(HttpRequest):
    """Any request: its id, whose portal it asks for, who asks (None where nobody is), what the session is worth."""

    id: str
    portal: HostRef
    actor: Actor | None
    standing: Standing
    htmx: HtmxDetails


class SignedIn(PortalRequest):
    """A request that passed a door: somebody asks."""

    actor: Actor
    user: User


class PartnerRequest(SignedIn):
    """A request on a partner's host."""

    partner: PartnerRef


class TenantRequest(SignedIn):
    """A request on a tenant's host."""

    partner: PartnerRef
    tenant: TenantRef
    open_cases: int
    """How many cases are open, where the page has counted them for itself: the sidebar need not ask again."""


def address(request: PortalRequest) -> str:
    """The peer's address; behind our own proxy, the last hop it recorded."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.PORTAL_HTTPS else ""
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")
