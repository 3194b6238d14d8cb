"""The connectors room."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.connectors"
    label = "connectors"

    def ready(self) -> None:
        """Say where sealed secrets stand."""
        from automations.connectors import handlers  # noqa: F401 - it registers itself
