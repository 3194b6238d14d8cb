"""What the vault is told of endpoints: where their secrets stand, the present one and the one before."""

from automations.events.models import Endpoint
from automations.events.policy import PURPOSE
from tenants.vault.registry import SealedColumn, sealed_column

sealed_column(
    SealedColumn(Endpoint, "secret", PURPOSE, "Webhook endpoint", version=lambda row: int(row.secret_version))
)
sealed_column(
    SealedColumn(
        Endpoint,
        "previous_secret",
        PURPOSE,
        "Webhook endpoint, before",
        version=lambda row: int(row.secret_version) - 1,
    )
)
