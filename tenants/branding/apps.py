"""The branding room."""

from django.apps import AppConfig


class BrandingConfig(AppConfig):
    """Public schema: one brand a partner."""

    name = "tenants.branding"
    label = "branding"
