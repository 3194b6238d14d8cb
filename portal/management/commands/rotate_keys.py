"""`manage.py rotate_keys`: other keys for what is sealed, while everything runs."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import queries
from tenants.tenancy.models import Tenant
from tenants.vault import actions


class Command(BaseCommand):
    """The master key wraps data keys; a data key a tenant seals its secrets. Each is rotated by itself."""

    help = "Rotate the master key (--master), or the data keys of tenants (--tenant, --all-tenants)."

    def add_arguments(self, parser: CommandParser) -> None:
        """One thing at a time."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--master", action="store_true", help="A new master key; data keys are wrapped by it."
        )
        what.add_argument("--wrap", action="store_true", help="Wrap data keys by the present master key.")
        what.add_argument("--forget-old", action="store_true", help="Drop master keys that wrap nothing.")
        what.add_argument("--tenant", help="A new data key for <partner>/<tenant>.")
        what.add_argument("--all-tenants", action="store_true", help="A new data key for every tenant.")
        parser.add_argument("--reason", default="", help="Stands in the audit.")

    def handle(self, *_: Any, reason: str, **asked: Any) -> None:
        """Do it, and say how much that was. Raises CommandError."""
        began = time.monotonic()
        given: dict[str, Any] = {"reason": reason, "actor": system("rotate_keys"), "now": clock.now()}
        try:
            if asked["master"]:
                told = f"a new master key wraps {actions.rotate_master_key(**given)} data keys"
            elif asked["wrap"]:
                told = f"{actions.wrap_data_keys(**given)} data keys wrapped anew"
            elif asked["forget_old"]:
                told = f"{actions.forget_master_keys(**given)} old master keys forgotten"
            else:
                told = self._tenants(asked["tenant"], given)
        except PortalError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{told} in {time.monotonic() - began:.1f} s")

    def _tenants(self, name: str | None, given: dict[str, Any]) -> str:
        rows = Tenant.objects.ready()
        if name:
            rows = rows.filter(pk=queries.tenant_by_slug(name).id)
        count = 0
        for tenant in rows:
            actions.rotate_data_key(tenant=tenant, **given)
            sealed = actions.reseal(tenant_id=tenant.id, now=clock.now())
            self.stdout.write(f"{tenant.slug}: {sealed} secrets sealed anew")
            count += sealed
        return f"{count} secrets of {len(rows)} tenants sealed anew"
