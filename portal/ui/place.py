"""Whose client a page works on: the one whose host it is, or in a partner's console the one that its address names.

Partner staff act in every client of their partner with what their role allows there; so what they do from the console
is allowed, refused and written down as if they had gone there.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from kernel.actor import Actor
from kernel.errors import NotFound
from portal.permissions import SAFE
from portal.request import SignedIn, address
from portal.ui.kit.pages import key_of
from tenants.access import queries as access
from tenants.access.enums import Staff
from tenants.tenancy import queries
from tenants.tenancy.enums import CLOSED, TenantState
from tenants.tenancy.errors import TenantNotReady, TenantSuspended
from tenants.tenancy.queries import HostRef, TenantRef


@dataclass(frozen=True)
class Place:
    """A client, who acts there, and its id in addresses of the console (empty on the client's own host)."""

    tenant: TenantRef
    actor: Actor
    console: str = ""

    @property
    def partner_id(self) -> UUID:
        """Whose client it is."""
        return self.tenant.partner_id

    def url(self, name: str, **ids: str) -> str:
        """The address of a page about this client, on the host where one is."""
        return reverse(name, kwargs={"tenant": self.console, **ids} if self.console else ids)


def place_of(request: SignedIn, tenant: str = "") -> Place:
    """The client that a page is about. Raises NotFound, TenantNotReady, and TenantSuspended for a change."""
    if request.portal.tenant is not None:
        return Place(request.portal.tenant, request.actor)
    assert request.portal.partner is not None
    if not request.actor.permissions:
        raise NotFound  # a role in the client opens the client's own portal, not its partner's console
    row = queries.tenant_of(request.portal.partner.id, key_of("tnt", tenant))
    if row is None or row.state in CLOSED:
        raise NotFound
    found = queries.ref_of(row)
    if not found.ready:
        raise TenantNotReady(retry_after=10)
    if found.state == TenantState.SUSPENDED and request.method not in SAFE:
        raise TenantSuspended
    host = HostRef("tenant", request.portal.host, request.portal.partner, found)
    actor = access.actor_for(
        request.user, host, staff=Staff.CONSOLE, request_id=request.id, address=address(request)
    )
    return Place(found, actor, row.public_id)


def crumbs(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way from the first page of this host."""
    here = request.portal.tenant or request.portal.partner
    return [(here.name if here else "", "/"), *more]


def there(name: str, *args: Any) -> str:
    """The address of another room's page on this host; empty where there is none."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
