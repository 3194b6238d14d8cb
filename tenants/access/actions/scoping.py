"""Letting somebody in for a few workflows, stores or regions only: guardian's grants in the client's own schema."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from guardian.shortcuts import assign_perm

from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.models import Row
from tenants.access.actions.roles import check_standing
from tenants.access.models import Membership
from tenants.access.queries import rights
from tenants.audit.actions import record


def set_scope(*, membership: Membership, objects: Collection[Row], actor: Actor, now: datetime) -> Membership:
    """Let a member of the entered client see and do only what these objects are about; none: everything again.

    It counts from their next request. Raises Invalid for the partner's staff, and MoreThanOwn.
    """
    actor.require("access.people")
    check_standing(membership, actor)
    if membership.tenant_id is None:
        raise Invalid("the partner's staff are let in for whole clients")
    with transaction.atomic():
        membership = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
        grants = rights.sights_of(membership.user_id)
        before = sorted(f"{one.content_type.model} {one.object_pk}" for one in grants)
        grants.delete()
        for one in objects:
            assign_perm(f"{one._meta.app_label}.view_{one._meta.model_name}", membership.user, one)
        membership.scoped = bool(objects)
        membership.save(update_fields=["scoped"])
        record(
            actor=actor,
            action="access.set_scope",
            obj=membership,
            now=now,
            before={"only": before},
            after={"only": sorted(f"{one._meta.model_name} {one.pk}" for one in objects)},
            partner_id=membership.partner_id,
        )
    return membership
