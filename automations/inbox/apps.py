"""The inbox room."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.inbox"
    label = "inbox"
