"""The billing room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Public schema: meters of all tenants."""

    name = "billing"
    label = "billing"
