"""`manage.py privacy`: a person's data found, exported and erased, terms, legal holds and purges, without a browser."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import Invalid, PortalError
from kernel.ids import parse_public_id
from tenants.privacy import policy, queries
from tenants.privacy.actions import keeping, subjects
from tenants.privacy.enums import Keeps, SubjectState
from tenants.privacy.models import SubjectRequest
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import tenant_by_slug

BY: Final = system("privacy")


class Command(BaseCommand):
    """Who is looked for stands in a file or is piped in, a line each: what is typed stays in a shell's history."""

    help = "Find, export or erase a person; show or set terms; place or lift a legal hold; purge."

    def add_arguments(self, parser: CommandParser) -> None:
        """One sub-command for each."""
        parts = parser.add_subparsers(dest="what", required=True)

        def part(name: str, words: str) -> ArgumentParser:
            made: ArgumentParser = parts.add_parser(name, help=words)
            made.add_argument("tenant", help="<partner>/<tenant>")
            return made

        find = part("find", "Look for a person.")
        find.add_argument(
            "--terms", default="-", help="A file with what they are known by; -: what is piped in."
        )
        find.add_argument("--reference", default="", help="What the request is called; it names nobody.")
        export = part("export", "Write what was found of a person as JSON lines.")
        export.add_argument("request")
        export.add_argument("file", type=Path)
        erase = part("erase", "Erase a person; it cannot be undone.")
        erase.add_argument("request")
        erase.add_argument("--reference", required=True, help="That of the request, again.")
        erase.add_argument("--reason", required=True)
        terms = part("terms", "Show how long data are kept, or set it.")
        terms.add_argument(
            "set", nargs="*", metavar="CLASS=DAYS", help="none: as the level above; 0: no end."
        )
        hold = part("hold", "Place a legal hold.")
        hold.add_argument("name")
        hold.add_argument("--reason", required=True)
        hold.add_argument(
            "--key", action="append", default=[], dest="keys", help="An order; may be repeated."
        )
        hold.add_argument("--everything", action="store_true")
        hold.add_argument("--request", default="", help="A request whose person is covered.")
        lift = part("lift", "Lift a legal hold.")
        lift.add_argument("name")
        lift.add_argument("--reason", required=True)
        part("purge", "Delete now what was kept long enough.")

    def handle(self, *_: Any, what: str, tenant: str, **asked: Any) -> None:
        """Raises CommandError."""
        try:
            with context.enter(tenant_by_slug(tenant)):
                told = getattr(self, f"_{what}")(**asked)
        except Invalid as error:
            raise CommandError(
                "; ".join(f"{name}: {said[0]}" for name, said in error.fields.items())
            ) from error
        except (PortalError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(told)

    def _find(self, *, terms: str, reference: str, **_: Any) -> str:
        text = sys.stdin.read() if terms == "-" else Path(terms).read_text()
        row = subjects.open_request(terms=text.splitlines(), reference=reference, actor=BY, now=clock.now())
        return self._carried_on(row)

    def _carried_on(self, row: SubjectRequest) -> str:
        while not subjects.carry_on(key=row.pk, now=clock.now()):
            row.refresh_from_db()
            if row.progress.get("waits"):
                return f"{row.public_id}: workers hold some of it; the portal goes on by itself"
        row.refresh_from_db()
        if row.error:
            raise CommandError(f"{row.public_id}: {row.error}")
        places = {name: said["rows"] for name, said in row.found.get("places", {}).items()}
        for table, count in sorted((row.erased if row.state == SubjectState.ERASED else places).items()):
            self.stdout.write(f"{count:>8} {table}")
        return f"{row.public_id} ({row.reference}): {row.get_state_display()}"

    def _export(self, *, request: str, file: Path, **_: Any) -> str:
        row = _request(request)
        with file.open("xb") as out:
            file.chmod(0o600)
            count = subjects.export_subject(row=row, out=out, actor=BY, now=clock.now())
        return f"{count} rows in {file}"

    def _erase(self, *, request: str, reference: str, reason: str, **_: Any) -> str:
        row = _request(request)
        known = policy.opened(row, purpose=policy.SUBJECT)
        row = subjects.erase_subject(
            row=row, terms=known, typed=reference, reason=reason, actor=BY, now=clock.now()
        )
        return self._carried_on(row)

    def _terms(self, *, set: list[str], **_: Any) -> str:  # noqa: A002 - the word on the command line
        here = context.current()
        if set:
            days = dict(_term(one) for one in set)
            keeping.set_terms(days=days, tenant=Tenant.objects.get(pk=here.id), actor=BY, now=clock.now())
        rows = queries.standing(partner_id=here.partner_id, tenant_id=here.id)
        return "\n".join(f"{one.what:<10} {one.days or 'no end':>7} {one.level}" for one in rows)

    def _hold(
        self, *, name: str, reason: str, keys: list[str], everything: bool, request: str, **_: Any
    ) -> str:
        made = keeping.place_hold(
            name=name,
            reason=reason,
            keys=keys,
            everything=everything,
            subject=_request(request) if request else None,
            actor=BY,
            now=clock.now(),
        )
        return f"{made.public_id} is in force"

    def _lift(self, *, name: str, reason: str, **_: Any) -> str:
        row = queries.holds().filter(name=name).first()
        if row is None:
            raise CommandError(f"no hold in force is called {name}")
        keeping.lift_hold(hold=row, reason=reason, actor=BY, now=clock.now())
        return f"{row.public_id} is lifted"

    def _purge(self, **_: Any) -> str:
        done = keeping.purge(now=clock.now())
        return "\n".join(f"{count:>8} {what}" for what, count in sorted(done.items())) or "nothing was due"


def _request(text: str) -> SubjectRequest:
    try:
        key = parse_public_id("dsr", text)
    except ValueError as error:
        raise CommandError(f"{text} is no id of a request") from error
    found: SubjectRequest | None = queries.requests().filter(pk=key).first()
    if found is None:
        raise CommandError(f"there is no request {text}")
    return found


def _term(text: str) -> tuple[Keeps, int | None]:
    what, _, days = text.partition("=")
    if what not in Keeps.values or not (days == "none" or days.isdigit()):
        raise CommandError(f"{text}: give one of {', '.join(Keeps.values)} with days, 0 or none")
    return Keeps(what), None if days == "none" else int(days)
