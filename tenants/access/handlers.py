"""What this room does when a tenant is made: its first people."""

from datetime import datetime

from django.db import IntegrityError, transaction

from kernel.actor import system
from tenants.access import actions
from tenants.access.enums import Role
from tenants.access.errors import AlreadyMember
from tenants.access.models import ApiToken, Membership, User
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, farewell, provisioning_step


@provisioning_step(40, "people", "Invite people")
def invite_people(ref: TenantRef, job: ProvisioningJob, now: datetime) -> str:
    """Make the people that were named members of the new tenant."""
    invited = 0
    with context.leave():
        tenant = Tenant.objects.select_related("partner").get(pk=ref.id)
        for person in job.request.get("people", []):
            try:
                actions.add_member(
                    partner=tenant.partner,
                    tenant=tenant,
                    email=person["email"],
                    name=person.get("name", ""),
                    role=Role(person["role"]),
                    actor=system("provisioning"),
                    now=now,
                )
            except AlreadyMember:
                continue  # this step ran before
            invited += 1
    return f"{invited} people invited"


@arrival
def end_tokens(ref: TenantRef, why: Why, now: datetime) -> None:
    """No key for machines that was given out before a restore works after it."""
    if why == Why.RESTORE:
        ApiToken.objects.filter(tenant_id=ref.id, revoked_at__isnull=True).update(revoked_at=now)


@farewell
def forget_people(ref: TenantRef) -> None:
    """People who had nothing to do anywhere else go with the client; whoever looks after the platform stays."""
    here = Membership.objects.filter(tenant_id=ref.id).values("user_id")
    elsewhere = Membership.objects.exclude(tenant_id=ref.id).values("user_id")
    only_here = User.objects.filter(pk__in=here, is_staff=False, is_superuser=False).exclude(pk__in=elsewhere)
    with context.own(ref):  # what they were granted stands in there
        for user in list(only_here):
            _forget(user)


def _forget(user: User) -> None:
    """Delete a person, or all that says who it was, where another client still has something that refers to them."""
    try:
        with transaction.atomic():
            user.delete()
    except IntegrityError:
        user.email, user.name, user.is_active = f"gone-{user.id.hex}@invalid.invalid", "", False
        user.set_unusable_password()
        user.save()
