"""`manage.py tenant_file`: a client out into a file, and in again from a file of this portal or of another."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from tenants.audit import actions as audit
from tenants.tenancy import actions, context, queries
from tenants.tenancy.actions import exporting, importing
from tenants.tenancy.enums import JobState
from tenants.tenancy.models import Partner


class Command(BaseCommand):
    """The file holds everything of a client but secrets and rights, as of one instant, signed by the audit's key."""

    help = "Write a client into a file (out), make a client of one (in), or say what one holds (look)."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, whose, and which file."""
        parser.add_argument("what", choices=["out", "in", "look"])
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", default="", help="out: <partner>/<tenant>.")
        parser.add_argument("--partner", default="", help="in: whose client it becomes.")
        parser.add_argument("--slug", default="", help="in: the first part of its address; else as it was.")
        parser.add_argument("--name", default="", help="in: what it is called; else as it was.")
        parser.add_argument(
            "--key", action="append", default=[], help="A key of another portal, as its audit log shows it."
        )
        parser.add_argument("--reason", default="", help="Stands in the audit.")

    def handle(self, *_: Any, what: str, **asked: Any) -> None:
        """Raises CommandError."""
        began = time.monotonic()
        try:
            told = self._told(what, asked)
        except Partner.DoesNotExist as error:
            raise CommandError(f"no partner is called {asked['partner']}") from error
        except (PortalError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{told} in {time.monotonic() - began:.1f} s")

    def _told(self, what: str, asked: dict[str, Any]) -> str:
        if what == "look":
            return self._look(**asked)
        return self._out(**asked) if what == "out" else self._in(**asked)

    def _out(self, *, tenant: str, file: Path, reason: str, **_: Any) -> str:
        ref = queries.tenant_by_slug(tenant)
        with context.enter(ref):
            while audit.seal(now=clock.now()):
                continue
        return exporting.write_to(
            ref=ref, path=file, reason=reason, actor=system("tenant_file"), now=clock.now()
        )

    def _look(self, *, file: Path, key: list[str], **_: Any) -> str:
        found = importing.look_into(file, key)
        self.stdout.write(f"{found.tenant['name']} of {found.portal}, as of {found.made_at}")
        for table in found.tables:
            self.stdout.write(f"{table.rows:>12} {table.name}")
        return f"{found.rows} rows, all as they were signed; log: {found.audit.get('size', 0)} events: looked"

    def _in(
        self, *, file: Path, partner: str, slug: str, name: str, key: list[str], reason: str, **_: Any
    ) -> str:
        job = importing.request_import(
            partner=Partner.objects.get(slug=partner),
            file=file,
            slug=slug,
            name=name,
            keys=key,
            reason=reason,
            actor=system("tenant_file"),
            now=clock.now(),
        )
        done = actions.provision(job_id=job.id, now=clock.now())
        if done.state != JobState.DONE:
            actions.roll_back(job=done, now=clock.now())
            raise CommandError(f"nothing was brought in: {done.error}")
        step = done.step("content") or {}
        return f"{done.tenant.slug} is here, suspended: {step.get('detail', '')}"
