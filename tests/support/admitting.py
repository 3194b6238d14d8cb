"""A partner's staff come into a client for support: what tests of a client's pages take for granted."""

from datetime import timedelta

from django.conf import settings

from kernel import clock
from tenants.access.models import Membership, User
from tenants.accounts.models import SupportAccess
from tenants.tenancy.errors import UnknownHost
from tenants.tenancy.queries import host as host_of


def admit(user: User, host: str) -> str:
    """The key of an open support access, where `user` comes as the partner's staff to a client's host; else empty."""
    try:
        place = host_of(host, settings.BASE_DOMAIN)
    except UnknownHost:
        return ""
    if place.tenant is None or place.partner is None:
        return ""
    held = set(
        Membership.objects.filter(user=user, partner_id=place.partner.id).values_list("tenant_id", flat=True)
    )
    if place.tenant.id in held or None not in held:
        return ""
    now = clock.now()
    made = SupportAccess.objects.create(
        partner_id=place.partner.id,
        tenant_id=place.tenant.id,
        user=user,
        reason="Looks after this client",
        minutes=120,
        state="open",
        asked_at=now,
        expires_at=now + timedelta(hours=2),
    )
    return str(made.id)
