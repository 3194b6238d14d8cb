"""What this room keeps sealed: always for the installation, since whoever signs in is in no tenant yet."""

from tenants.accounts.actions.factors import PURPOSE
from tenants.accounts.actions.sign_on import PURPOSE as SIGN_ON
from tenants.accounts.models import Factor, Provider
from tenants.vault.registry import SealedColumn, sealed_column

sealed_column(SealedColumn(Factor, "secret", PURPOSE, "Authenticator app", public=True, tenants=False))
sealed_column(
    SealedColumn(Provider, "client_secret", SIGN_ON, "Identity provider", public=True, tenants=False)
)
