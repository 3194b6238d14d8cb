"""The engine room."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Lives in each tenant's schema; its queue is the ledger's."""

    name = "automations.engine"
    label = "engine"

    def ready(self) -> None:
        """Register the drain and what events do."""
        from automations.engine import handlers, tasks  # noqa: F401
