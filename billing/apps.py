"""The billing room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Public schema: meters of all tenants."""

    name = "billing"
    label = "billing"

    def ready(self) -> None:
        """Register this room's job and its step of provisioning."""
        from billing import actions, tasks  # noqa: F401
