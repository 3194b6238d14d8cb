"""What the vault is told of endpoints: where their secrets stand, the present one and the one before."""

from automations.events.models import Endpoint
from automations.events.policy import PURPOSE
from tenants.vault.registry import SealedColumn, Told, sealed_column

sealed_column(
    SealedColumn(
        Endpoint,
        "secret",
        PURPOSE,
        "Webhook endpoint",
        version=lambda row: int(row.secret_version),
        told=lambda rows: [Told(name=row.name, public_id=row.public_id) for row in rows],
    )
)
sealed_column(
    SealedColumn(
        Endpoint,
        "previous_secret",
        PURPOSE,
        "Webhook endpoint, before",
        version=lambda row: int(row.secret_version) - 1,
        told=lambda rows: [
            Told(name=row.name, public_id=row.public_id, expires_at=row.previous_until) for row in rows
        ],
    )
)
