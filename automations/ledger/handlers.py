"""The ledger follows tenants: a slot when one is made, opened and shut with its state, on its clock."""

from datetime import datetime

from django.db import transaction

from automations.ledger import actions
from tenants.tenancy import context
from tenants.tenancy.actions import state_listeners
from tenants.tenancy.models import ProvisioningJob
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import provisioning_step


@provisioning_step(30, "slot", "Reserve a place in the work queue")
def reserve_slot(ref: TenantRef, _: ProvisioningJob, __: datetime) -> str:
    """A place in the fair order of tenants."""
    with context.leave():
        actions.open_slot(ref)
    return "Place in the work queue reserved"


def follow(ref: TenantRef) -> None:
    """Bring the slot in line with the tenant, and ring when the transaction is through."""
    if ref.ready:
        actions.open_slot(ref)
        transaction.on_commit(actions.ring)


state_listeners.append(follow)
