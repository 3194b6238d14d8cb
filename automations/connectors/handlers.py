"""What the vault is told of connections: where their secrets stand."""

from datetime import datetime

from automations.connectors.actions import PURPOSE
from automations.connectors.enums import AuthKind, ConnectionState
from automations.connectors.models import Connection
from automations.connectors.queries import told
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, withhold
from tenants.vault.registry import SealedColumn, sealed_column

sealed_column(
    SealedColumn(
        Connection,
        "secret",
        PURPOSE,
        "Connection",
        version=lambda row: int(row.secret_version),
        told=told,
    )
)

_SET = ("secret_version", "secret_hint", "secret_set_at", "secret_expires_at")
withhold("connectors_connection", "secret", beside=_SET)


@arrival
def ask_for_secrets(_: TenantRef, __: Why, ___: datetime) -> None:
    """A connection that came without its secret has yet to be given one, and is checked then."""
    without = Connection.objects.filter(secret__isnull=True).exclude(auth=AuthKind.NONE)
    without.update(
        state=ConnectionState.NEW,
        state_detail="",
        secret_hint="",
        secret_set_at=None,
        secret_expires_at=None,
    )
