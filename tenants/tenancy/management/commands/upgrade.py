"""`manage.py upgrade`: bring the public schema, the template schema and every tenant to the migrations on disk."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from kernel import clock
from tenants.tenancy import actions, queries, store


class Command(BaseCommand):
    """One query finds who is behind; a deploy with nothing to do costs that query."""

    help = "Migrate the public schema, the template schema and every tenant that is behind."

    def handle(self, *_: Any, **__: Any) -> None:
        """Migrate what is behind; each tenant by itself, so that a failure leaves the others as they are."""
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        store.make_image(clock.now())
        behind = list(queries.tenants_behind(store.revision()))
        for tenant in behind:
            actions.migrate_tenant(tenant=tenant, now=clock.now())
            self.stdout.write(f"migrated {tenant.slug}")
        self.stdout.write(f"up to date: {len(behind)} tenants migrated")
