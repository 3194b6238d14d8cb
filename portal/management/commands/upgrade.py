"""`manage.py upgrade`: everything that a new version of the portal needs of the database, in one command."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from billing.actions import ensure_plans
from kernel import clock, notes
from kernel.actor import system
from templates_lib.actions.publishing import publish_catalog
from tenants.tenancy import store
from tenants.tenancy.actions import fleet
from tenants.vault import actions as vault


class Command(BaseCommand):
    """One query finds who is behind; a deploy with nothing to do costs that query and a look at the library."""

    help = (
        "Migrate the public schema, the template schema and every tenant that is behind; publish templates."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        """Migrate what is behind; each tenant by itself, so that a failure leaves the others as they are."""
        if notes.make_key(settings.AUDIT_KEY_FILE):
            self.stdout.write(f"made the key that signs the audit: {settings.AUDIT_KEY_FILE}; keep a copy")
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        store.share()
        for schema in store.unguarded():
            store.guard(schema)
        vault.make_data_key(tenant_id=None, now=clock.now())
        store.make_image(clock.now())
        voyage = fleet.migrate_fleet(actor=system("upgrade"), now=clock.now(), tell=self.stdout.write)
        if not voyage.ok:
            raise CommandError(f"{voyage.failed[0][0]} could not be migrated: {voyage.failed[0][1]}")
        ensure_plans()
        published = publish_catalog(actor=system("library"), now=clock.now())
        self.stdout.write(
            f"up to date: {voyage.migrated} tenants migrated, {len(published)} templates in the library"
        )
