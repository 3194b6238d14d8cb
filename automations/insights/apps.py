"""The insights room."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.insights"
    label = "insights"

    def ready(self) -> None:
        """Listen to what happens to orders."""
        from automations.insights import handlers  # noqa: F401
