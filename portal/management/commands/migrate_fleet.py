"""`manage.py migrate_fleet`: bring every tenant's schema to the migrations on disk; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import queries, store
from tenants.tenancy.actions import fleet
from tenants.tenancy.models import Tenant

BY = system("migrate_fleet")


class Command(BaseCommand):
    """One query finds who is behind. Without anybody that is all it does."""

    help = "Migrate tenants that are behind: a few first, then many at a time. Stops at the first that fails."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many at a time; and holding one back."""
        parser.add_argument("--workers", type=int, default=2, help="how many at a time (2)")
        parser.add_argument("--canaries", type=int, default=1, help="how many alone, before the others (1)")
        parser.add_argument(
            "--status", action="store_true", help="say who is behind, failed or held; do nothing"
        )
        parser.add_argument(
            "--hold", metavar="PARTNER/TENANT", help="leave this one out until it is released"
        )
        parser.add_argument("--release", metavar="PARTNER/TENANT", help="let this one come along again")
        parser.add_argument("--reason", default="", help="why it is held")

    def handle(self, *_: Any, **options: Any) -> None:
        """Raises CommandError where a tenant could not be migrated; those before it are, those after it are not."""
        if options["hold"] or options["release"]:
            self._hold(options["hold"] or options["release"], bool(options["hold"]), options["reason"])
        elif options["status"]:
            self._status()
        else:
            self._migrate(options["workers"], options["canaries"])

    def _hold(self, name: str, held: bool, reason: str) -> None:
        try:
            tenant = Tenant.objects.get(pk=queries.tenant_by_slug(name).id)
        except PortalError as error:
            raise CommandError(error.message) from error
        fleet.hold_tenant(tenant=tenant, held=held, reason=reason, actor=BY, now=clock.now())
        self.stdout.write(f"{name}: {'held' if held else 'released'}")

    def _status(self) -> None:
        wanted = store.revision()
        for tenant in queries.tenants_behind(wanted).select_related("fleet"):
            known = getattr(tenant, "fleet", None)
            said = "held" if known and known.held else (known and known.error) or "waits"
            self.stdout.write(f"{tenant.slug}: {said}")
        self.stdout.write(f"{queries.tenants_behind(wanted).count()} behind {wanted}")

    def _migrate(self, workers: int, canaries: int) -> None:
        if queries.tenants_behind(store.revision()).exists():
            store.make_image(clock.now())
        voyage = fleet.migrate_fleet(
            actor=BY, now=clock.now(), workers=workers, canaries=canaries, tell=self.stdout.write
        )
        self.stdout.write(
            f"{voyage.behind} behind, {voyage.migrated} migrated, {voyage.held} held, {voyage.seconds:.1f} s"
        )
        if not voyage.ok:
            slug, error = voyage.failed[0]
            raise CommandError(f"{slug}: {error.strip()}; the others wait, run it again when it is mended")
