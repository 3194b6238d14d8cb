"""What this room keeps sealed: always for the installation, since whoever signs in is in no tenant yet."""

from datetime import datetime

from tenants.accounts.actions import visits
from tenants.accounts.actions.factors import PURPOSE
from tenants.accounts.enums import SIGN_ON
from tenants.accounts.models import Factor, Provider
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival
from tenants.vault.registry import SealedColumn, sealed_column

sealed_column(SealedColumn(Factor, "secret", PURPOSE, "Authenticator app", public=True, tenants=False))
sealed_column(
    SealedColumn(Provider, "client_secret", SIGN_ON, "Identity provider", public=True, tenants=False)
)


@arrival
def end_sessions(ref: TenantRef, why: Why, now: datetime) -> None:
    """Nobody goes on where they were before a restore: they sign in anew."""
    if why == Why.RESTORE:
        visits.end_everybody_at(tenant_id=ref.id, now=now)
