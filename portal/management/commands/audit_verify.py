"""`manage.py audit_verify`: verify logs in the database, or an export in a file, by the one verifier there is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock, proof
from kernel.actor import system
from kernel.errors import PortalError
from tenants.audit import actions
from tenants.tenancy import context, queries
from tenants.tenancy.models import Tenant


class Command(BaseCommand):
    """Fails where anything is not as it was signed, and names the first event."""

    help = "Verify audit logs: --tenant, --platform, or all; or --file EXPORT with our own keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """Without arguments, every log of the installation."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--tenant", help="The log of <partner>/<tenant>.")
        what.add_argument("--platform", action="store_true", help="The log of the platform and its partners.")
        what.add_argument("--file", help="An export; without our keys, run kernel/proof.py by itself.")

    def handle(self, *_: Any, tenant: str | None, platform: bool, file: str | None, **__: Any) -> None:
        """Raises CommandError where something was changed."""
        if file:
            keys = [word for key in actions.keys_here() for word in ("--key", str(key))]
            if proof.main([file, *keys]):
                raise CommandError(f"{file} is not as it was signed")
            return
        try:
            bad = self._logs(tenant, platform)
        except PortalError as error:
            raise CommandError(error.message) from error
        if bad:
            raise CommandError(f"not as they were signed: {', '.join(bad)}")

    def _logs(self, tenant: str | None, platform: bool) -> list[str]:
        refs = [queries.tenant_by_slug(tenant)] if tenant else []
        if not tenant and not platform:
            refs = [queries.ref_of(row) for row in Tenant.objects.ready()]
        bad = []
        for ref in refs:
            with context.enter(ref):
                bad += self._one(ref.slug)
        if not tenant:
            with context.leave():
                bad += self._one("platform")
        return bad

    def _one(self, name: str) -> list[str]:
        check = actions.verify_log(actor=system("audit_verify"), now=clock.now())
        said = "as it was signed" if check.ok else f"CHANGED, first bad event {check.first_bad}"
        self.stdout.write(f"{name}: {check.size} events, {said} ({check.seconds:.1f} s)")
        for finding in check.findings:
            self.stdout.write(f"  {finding}")
        return [] if check.ok else [name]
