"""The branding room."""

from django.apps import AppConfig


class BrandingConfig(AppConfig):
    """Public schema: one brand a partner."""

    name = "tenants.branding"
    label = "branding"

    def ready(self) -> None:
        """Register the jobs: own domains are looked at again, and claims that came to nothing forgotten."""
        from tenants.branding import tasks  # noqa: F401 - they register themselves
