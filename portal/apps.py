"""The street front as a Django app: it has doors, no tables."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Starts error reporting once everything is loaded."""

    name = "portal"
    label = "portal"

    def ready(self) -> None:
        """Say which broker jobs go to, and report errors where an operator said so."""
        from portal import celery, watch  # noqa: F401 - the app makes itself the default
        from portal.ui import invitation_mails, link_mails, notice_mails  # noqa: F401 - their mails are sent by workers

        watch.start()
