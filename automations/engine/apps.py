"""The engine room."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.engine"
    label = "engine"
