"""Named lists of cases."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from automations.inbox.models import View


@dataclass(frozen=True, slots=True)
class Named:
    """A list that has a name; `query` are the parameters of its address."""

    id: UUID
    public_id: str
    name: str
    slug: str
    query: str
    shared: bool
    owner: str
    mine: bool


def views(who: UUID | None) -> list[Named]:
    """The named lists of a person and those of everybody, by name."""
    found = View.objects.filter(Q(shared=True) | Q(owner_id=who)) if who else View.objects.filter(shared=True)
    return [
        Named(
            one.id, one.public_id, one.name, one.slug, one.query, one.shared, one.owner, one.owner_id == who
        )
        for one in found
    ]


def view(slug: str, who: UUID | None) -> Named | None:
    """The list of this name: one's own before one of everybody's."""
    found = [one for one in views(who) if one.slug == slug]
    return min(found, key=lambda one: one.shared, default=None)
