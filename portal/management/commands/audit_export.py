"""`manage.py audit_export`: a whole log as lines that verify offline, however long it is."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from tenants.audit import actions
from tenants.tenancy import context, queries


class Command(BaseCommand):
    """The export ends at the last checkpoint; the act stands in the log."""

    help = "Write the audit log of --tenant or of the --platform into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and where to."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", help="The log of <partner>/<tenant>.")
        whose.add_argument(
            "--platform", action="store_true", help="The log of the platform and its partners."
        )
        parser.add_argument("--as", dest="kind", choices=["jsonl", "zip"], default="jsonl")
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, tenant: str | None, kind: str, file: Path, **__: Any) -> None:
        """Raises CommandError."""
        try:
            inside: AbstractContextManager[Any] = (
                context.enter(queries.tenant_by_slug(tenant)) if tenant else context.leave()
            )
            with inside, file.open("wb") as out:
                count = actions.export(
                    kind=kind,
                    out=out,
                    filters={},
                    partner_id=None,
                    most=None,
                    actor=system("audit_export"),
                    now=clock.now(),
                )
        except (PortalError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} events written to {file}")
