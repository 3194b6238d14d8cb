"""`manage.py api_tokens FILE…`: find API tokens in files, and end those that are live in this installation."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import apikeys, clock
from kernel.actor import system
from tenants.access import actions, queries
from tenants.access.models import ApiToken

BY = system("api_tokens")


class Command(BaseCommand):
    """Says of each token by its first letters and its place, never in full. Ends in an error while one is live."""

    help = "Find API tokens in files (- is what is piped in); --revoke ends those that are live here."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to look."""
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--revoke", action="store_true", help="end those that are live")
        parser.add_argument("--reason", default="found outside of where it belongs", help="for the audit")

    def handle(self, *_: Any, files: list[str], revoke: bool, reason: str, **__: Any) -> None:
        """Raises CommandError where a file cannot be read, and where live tokens stay."""
        live = 0
        for name in files:
            for text in sorted(set(apikeys.found_in(_read(name)))):
                live += self._one(name, text, revoke, reason)
        if live:
            raise CommandError(f"{live} found that are live; --revoke ends them")

    def _one(self, name: str, text: str, revoke: bool, reason: str) -> int:
        row, now = queries.token_by_text(text), clock.now()
        state = row.state(now) if row else "not of this installation"
        ended = row is not None and revoke and not row.over(now)
        if row is not None and ended:
            actions.revoke_token(token=row, actor=BY, now=now, reason=reason)
            state = "revoked now"
        self.stdout.write(f"{name}: {text[: apikeys.HINT]}…{_place(row)}: {state}")
        return int(row is not None and not row.over(now) and not ended)


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(errors="replace")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error


def _place(row: ApiToken | None) -> str:
    if row is None:
        return ""
    tenant = f"/{row.tenant.slug}" if row.tenant else ""
    return f" “{row.name}” of {row.partner.slug}{tenant}"
