"""The audit room."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """A table in the public schema for the platform and partners, and one in each tenant's schema."""

    name = "tenants.audit"
    label = "audit"
