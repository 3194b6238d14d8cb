"""What rooms above ask of the ledger: a slot for a tenant, and the bell."""

from automations.ledger.models import Slot
from kernel import bell, jobs
from tenants.tenancy import queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.queries import TenantRef

DRAIN = "engine.drain"


def open_slot(ref: TenantRef) -> None:
    """Give a tenant its share of the workers, or bring the share in line with the tenant's state and clock."""
    Slot.objects.update_or_create(
        tenant_id=ref.id,
        defaults={
            "schema_name": ref.schema_name,
            "open": ref.state in (TenantState.TRIAL, TenantState.ACTIVE),
            "virtual_now": queries.virtual_now(ref.id) if ref.virtual else None,
        },
    )


def ring() -> None:
    """Tell workers that something is due; if none listens, start one. Call it after the commit."""
    if bell.ring() == 0 and DRAIN in jobs.registry:
        jobs.send(DRAIN)
