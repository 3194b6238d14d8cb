"""The insights room."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """Lives in each tenant's schema."""

    name = "automations.insights"
    label = "insights"
