"""The engine room."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Lives in each tenant's schema; its queue is the ledger's."""

    name = "automations.engine"
    label = "engine"

    def ready(self) -> None:
        """Register the drain, what events do, and who uses connections."""
        from automations.engine import handlers, registry, tasks  # noqa: F401
        from automations.engine.actions import at_work
        from kernel import work

        work.register(at_work.Bulks())
