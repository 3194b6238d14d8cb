"""What the vault is told of connections: where their secrets stand."""

from automations.connectors.actions import PURPOSE
from automations.connectors.models import Connection
from automations.connectors.queries import told
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
