"""The inbox room."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.inbox"
    label = "inbox"

    def ready(self) -> None:
        """Know the kinds of cases and the jobs, and listen to what runs tell."""
        from automations.inbox import handlers, tasks  # noqa: F401
