"""The setup checklist of a client: what is still to do before it works. Rooms add their items.

`@item(30, "Install a template", …)` over a function of the tenant and its provisioning that says whether it is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from templates_lib import queries as templates
from tenants.access import queries as access
from tenants.access.enums import Role
from tenants.branding import queries as branding
from tenants.tenancy.models import Tenant

Check = Callable[[Tenant], bool]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to do: its words, why, whether it is done, and where to do it (below the client's page)."""

    order: int
    title: str | Promise
    text: str | Promise
    where: str
    done: Check


@dataclass(frozen=True, slots=True)
class Stand:
    """An item as it stands for one client."""

    item: Item
    done: bool


_items: Final[list[Item]] = []


def item(order: int, title: str | Promise, text: str | Promise, where: str = "") -> Callable[[Check], Check]:
    """Register an item; `where` is an address, or empty where there is nothing to click."""

    def register(check: Check) -> Check:
        _items.append(Item(order, title, text, where, check))
        return check

    return register


def stand(tenant: Tenant) -> list[Stand]:
    """Every item, in order, as it stands for `tenant`."""
    return [Stand(one, one.done(tenant)) for one in sorted(_items, key=lambda one: one.order)]


@item(10, _("Set up the client"), _("Its own database schema, keys and address."))
def _ready(tenant: Tenant) -> bool:
    return tenant.ready_at is not None and tenant.provisioning.state == "done"


@item(20, _("Name a client admin"), _("Somebody on the client's side who can let others in."), "?tab=people")
def _admin(tenant: Tenant) -> bool:
    people = access.people_of(partner_id=tenant.partner_id, tenant_id=tenant.id)
    return bool(people.filter(role=Role.TENANT_ADMIN).exists())


@item(
    30, _("Wear your brand"), _("Name, colour and support contact on every page of the client."), "/branding/"
)
def _branded(tenant: Tenant) -> bool:
    return branding.row_of(tenant.partner_id) is not None


@item(40, _("Install a template"), _("What happens to an order, a return, a delivery."), "/templates/")
def _installed(tenant: Tenant) -> bool:
    return bool(templates.installations_of(tenant.id).exists())
