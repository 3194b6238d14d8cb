"""The template library."""

from django.apps import AppConfig


class TemplatesLibConfig(AppConfig):
    """Public schema: partners share a library over their tenants."""

    name = "templates_lib"
    label = "templates_lib"

    def ready(self) -> None:
        """Register this room's step of provisioning."""
        from templates_lib.actions import installing  # noqa: F401
