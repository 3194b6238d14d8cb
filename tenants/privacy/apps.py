"""The privacy room."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Public schema only: what is asked and what was erased outlives a backup of a tenant's schema."""

    name = "tenants.privacy"
    label = "privacy"

    def ready(self) -> None:
        """Register the jobs, the sealed columns, and what is done with a tenant that comes back from a backup."""
        from tenants.privacy import handlers, tasks  # noqa: F401 - they register themselves
