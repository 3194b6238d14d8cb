"""The vault room."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Public schema only."""

    name = "tenants.vault"
    label = "vault"

    def ready(self) -> None:
        """Tell the kernel how secrets are kept, and register the jobs and the provisioning step of this room."""
        from kernel import secrets
        from tenants.vault import handlers, policy, tasks  # noqa: F401 - they register themselves

        secrets.use_keeper(policy.keeper)
