"""Saying how one signs in at a place."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from tenants.accounts.errors import NotByYourself
from tenants.accounts.models import Policy, Provider
from tenants.audit.actions import record
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import at

_FIELDS = ("sign_on_only", "second_factor", "mail_links", "support")


def set_policy(
    *,
    partner: Partner,
    tenant: Tenant | None,
    values: dict[str, object],
    by_sign_on: bool,
    actor: Actor,
    now: datetime,
) -> Policy:
    """Change how one signs in here; it holds at everybody's next request.

    `by_sign_on`: the actor came in by single sign-on themselves. Raises NotByYourself where nobody could come in.
    """
    actor.require("access.policy")
    with transaction.atomic():
        Policy.objects.get_or_create(partner=partner, tenant=tenant)
        row = Policy.objects.select_for_update().get(at(partner.id, tenant.id if tenant else None))
        before = {name: getattr(row, name) for name in _FIELDS}
        for name in _FIELDS:
            setattr(row, name, values.get(name, before[name]))
        known = Provider.objects.filter(at(partner.id, tenant.id if tenant else None)).exists()
        if row.sign_on_only and not before["sign_on_only"] and not (by_sign_on and known):
            raise NotByYourself(fields={"sign_on_only": [str(NotByYourself.__doc__)]})
        row.save()
        after = {name: getattr(row, name) for name in _FIELDS}
        if after != before:
            record(
                actor=actor,
                action="accounts.set_policy",
                obj=row,
                now=now,
                before=before,
                after=after,
                partner_id=partner.id,
            )
    return row
