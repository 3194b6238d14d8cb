"""The ledger room."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Public schema: one queue for all tenants."""

    name = "automations.ledger"
    label = "ledger"

    def ready(self) -> None:
        """Follow the state and clock of tenants."""
        from automations.ledger import handlers  # noqa: F401
