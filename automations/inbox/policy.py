"""Who may see and do what in the inbox, beyond what a role's permissions say by themselves."""

from dataclasses import dataclass
from uuid import UUID

from automations.inbox.enums import Visibility
from kernel.actor import Actor
from kernel.errors import Forbidden
from tenants.access import catalog as roles
from tenants.access import queries as access
from tenants.access.queries import rights
from tenants.tenancy import context


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be given cases."""

    id: UUID
    name: str


def is_partner_staff(actor: Actor) -> bool:
    """Whether the actor works for the partner that looks after this client (or is the portal itself)."""
    return actor.kind == "system" or any(role in roles.STAFF for role in actor.roles)


def require_visibility(actor: Actor, visibility: Visibility) -> None:
    """Go on only if the actor may write for those readers: internal notes are the partner's. Raises Forbidden."""
    if visibility == Visibility.INTERNAL and not is_partner_staff(actor):
        raise Forbidden("internal notes are written by the partner's staff")


def assignable() -> list[Person]:
    """People who may decide cases here, by name: the client's own and the partner's."""
    tenant = context.current()
    found: dict[UUID, Person] = {}
    for member in access.people_in(partner_id=tenant.partner_id, tenant_id=tenant.id):
        may = rights.permissions_of(member.role, member.custom, in_tenant=True)
        if member.user.is_active and "inbox.decide" in may:
            found[member.user_id] = Person(member.user_id, str(member.user))
    return sorted(found.values(), key=lambda person: person.name)
