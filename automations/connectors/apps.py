"""The connectors room."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.connectors"
    label = "connectors"
