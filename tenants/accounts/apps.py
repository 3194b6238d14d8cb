"""The accounts room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Public schema: whoever signs in belongs to no tenant yet."""

    name = "tenants.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Register this room's jobs and what it keeps sealed."""
        from tenants.accounts import handlers, tasks  # noqa: F401
