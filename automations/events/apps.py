"""The events room."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.events"
    label = "events"

    def ready(self) -> None:
        """Say where sealed secrets stand."""
        from automations.events import handlers  # noqa: F401 - it registers itself
