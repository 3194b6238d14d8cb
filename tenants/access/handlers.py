"""What this room does when a tenant is made: its first people."""

from datetime import datetime

from kernel.actor import system
from tenants.access import actions
from tenants.access.enums import Role
from tenants.access.errors import AlreadyMember
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import provisioning_step


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
