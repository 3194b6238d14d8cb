"""The template library."""

from django.apps import AppConfig


class TemplatesLibConfig(AppConfig):
    """Public schema: partners share a library over their tenants."""

    name = "templates_lib"
    label = "templates_lib"
