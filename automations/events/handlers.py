"""What the vault is told of endpoints: where their secrets stand, the present one and the one before."""

from datetime import datetime

from automations.events.actions import (
    endpoints,
    keeping,  # noqa: F401 - says how old events go
)
from automations.events.models import Endpoint
from automations.events.policy import PURPOSE
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, hides, withhold
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

withhold("events_endpoint", "secret", "previous_secret", beside=("secret_version", "previous_until", "token"))
hides("events_rejection", reason="scan", subject="")
hides("events_event", source="", event_id="", type="", subject="")


@arrival
def renew_secrets(_: TenantRef, why: Why, __: datetime) -> None:
    """An endpoint that came without its secret gets another, so nobody's signature counts until somebody sets it."""
    endpoints.renew_empty(other_tokens=why == Why.SANDBOX)
