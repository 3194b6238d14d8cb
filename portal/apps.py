"""The street front as a Django app: it has doors, no tables."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Starts error reporting once everything is loaded."""

    name = "portal"
    label = "portal"

    def ready(self) -> None:
        """Report errors where an operator said so."""
        from portal import watch

        watch.start()
