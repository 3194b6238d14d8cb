"""The notices room."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.notices"
    label = "notices"

    def ready(self) -> None:
        """Listen to what opens cases and gives them to people."""
        from automations.notices import handlers, tasks  # noqa: F401
