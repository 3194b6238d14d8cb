"""Going from one portal to another: a pass, and with it how its bearer signed in. It opens no more than that did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from kernel.errors import NotFound
from tenants.access import actions as access
from tenants.access.models import Handoff, User
from tenants.access.queries import Place, digest
from tenants.accounts import queries
from tenants.accounts.enums import Via
from tenants.accounts.models import Crossing, Provider, SupportAccess
from tenants.tenancy import context


@dataclass(frozen=True, slots=True)
class Crossed:
    """Who came over, and what their session holds from now on."""

    user: User
    via: Via
    strong: bool = False
    held: Mapping[str, str] = field(default_factory=dict)


def issue(
    *,
    user: User,
    place: Place,
    host: str,
    session: Mapping[str, Any],
    origin: UUID | None,
    support: SupportAccess | None = None,
    now: datetime,
) -> str:
    """A pass for `place`, from a host of partner `origin`. Raises NotFound where what they showed does not reach it.

    To another partner's places goes only who has a password, which takes a mail to come by: a login that a partner made
    for somebody else's address stays with that partner.
    """
    provider = session.get(queries.PROVIDER)
    if provider and not _reaches(UUID(provider), place):
        raise NotFound
    if support is None and place.tenant_id and not queries.is_member(user, place.partner_id, place.tenant_id):
        raise NotFound  # a partner's staff come for support, or not at all
    if origin is not None and origin != place.partner_id and not user.has_usable_password():
        raise NotFound
    with context.leave(), transaction.atomic():
        text = access.issue_handoff(user_id=user.id, host=host, now=now)
        Crossing.objects.create(
            handoff=Handoff.objects.get(digest=digest(text)),
            via=session.get(queries.VIA, Via.PASSWORD),
            strong=bool(session.get(queries.STRONG)),
            provider_id=provider,
            support=support,
        )
    return text


def _reaches(provider_id: UUID, place: Place) -> bool:
    """A partner's provider speaks for its own people in the partner's places; a client's in that client."""
    with context.leave():
        found = Provider.objects.filter(pk=provider_id, partner_id=place.partner_id).first()
    return found is not None and found.tenant_id in (None, place.tenant_id)


def redeem(*, text: str, host: str, now: datetime) -> Crossed:
    """Who comes over by a pass. Raises HandoffSpent."""
    with transaction.atomic():
        user = access.redeem_handoff(text=text, host=host, now=now)
        row = Crossing.objects.filter(handoff__digest=digest(text)).first()
    if row is None:
        return Crossed(user, Via.PASSWORD)
    held = {
        name: str(value)
        for name, value in ((queries.PROVIDER, row.provider_id), (queries.SUPPORT, row.support_id))
        if value
    }
    return Crossed(user, Via(row.via), row.strong, held)
