"""The vault follows tenants: a data key when one is made. What the audit room seals is registered here, above it."""

from datetime import datetime

from tenants.audit.models import AuditStream
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, provisioning_step, withhold
from tenants.vault import actions
from tenants.vault.registry import SealedColumn, Told, sealed_column


@provisioning_step(20, "keys", "Make encryption keys")
def make_keys(ref: TenantRef, _: ProvisioningJob, now: datetime) -> str:
    """The tenant's own data key, wrapped by the installation's master key."""
    with context.leave():
        actions.make_data_key(tenant_id=ref.id, now=now)
    return "Encryption keys made"


sealed_column(
    SealedColumn(
        AuditStream,
        "secret",
        "audit_stream",
        "Audit stream",
        public=True,
        told=lambda rows: [
            Told(
                name=row.name,
                public_id=row.public_id,
                hosts=row.address,
                set_at=row.created_at,
                used_at=row.sent_at,
            )
            for row in rows
        ],
    )
)

withhold("audit_auditstream", "secret")


@arrival
def stop_streams(_: TenantRef, why: Why, __: datetime) -> None:
    """What was told to others of one log is not told of another that grew out of it; a restore goes on with its own."""
    if why == Why.IMPORT:
        AuditStream.objects.update(active=False)
