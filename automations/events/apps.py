"""The events room."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.events"
    label = "events"
