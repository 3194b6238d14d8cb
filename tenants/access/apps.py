"""The access room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Public schema: one identity works for several partners and tenants."""

    name = "tenants.access"
    label = "access"

    def ready(self) -> None:
        """Register this room's step of provisioning, and its jobs."""
        from tenants.access import handlers, tasks  # noqa: F401
