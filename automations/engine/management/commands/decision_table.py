"""`manage.py decision_table <tenant> <list|try|publish|withdraw> …`: decision tables from files, with their tests."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automations.engine import queries
from automations.engine.actions import decisions
from automations.engine.dsl import document as documents
from automations.engine.errors import DefinitionRefused, TableRefused
from kernel import clock, jsonx
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy


class Command(BaseCommand):
    """Lists, tries, publishes and withdraws the decision tables of a client."""

    help = "Work on the decision tables of a client: list them, try one, publish a version, take one back."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do, for which client."""
        parser.add_argument("tenant", help="<partner>/<tenant>, or the tenant alone where it is unique")
        todo = parser.add_subparsers(dest="todo", required=True)
        todo.add_parser("list", help="tables with the version in force and those that come")
        trying = todo.add_parser("try", help="what a file's table gives; its own tests have to pass")
        trying.add_argument("file", type=Path)
        trying.add_argument("input", help="JSON")
        publishing = todo.add_parser("publish", help="publish a file (YAML or JSON) as the next version")
        publishing.add_argument("name")
        publishing.add_argument("file", type=Path)
        publishing.add_argument("--title", default="")
        publishing.add_argument("--effective-from", default="", help="RFC 3339; at once if left out")
        publishing.add_argument("--reason", default="")
        taking = todo.add_parser("withdraw", help="take a version back that is not in force yet")
        taking.add_argument("name")
        taking.add_argument("number", type=int)
        taking.add_argument("--reason", default="")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it, and print JSON lines."""
        try:
            with context.enter(tenancy.tenant_by_slug(options["tenant"])):
                lines = getattr(self, f"_{options['todo']}")(options)
        except (TableRefused, DefinitionRefused) as error:
            raise CommandError("\n".join(str(finding) for finding in error.findings)) from error
        except PortalError as error:
            fields = [f"{name}: {' '.join(words)}" for name, words in error.fields.items()]
            raise CommandError("\n".join([error.message, *fields])) from error
        for line in lines:
            self.stdout.write(jsonx.text(line))

    def _list(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "name": view.table.name,
                "title": view.table.title,
                "version": view.in_force.number if view.in_force else None,
                "coming": {str(v.number): clock.rfc3339(v.effective_from) for v in view.coming},
            }
            for view in queries.decision_tables(context.now())
        ]

    def _try(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        found = queries.try_table(_document(options["file"]), jsonx.loads(options["input"]))
        if found.error:
            raise CommandError(found.error)
        return [{"output": found.output, "rules": [number + 1 for number in found.rules]}]

    def _publish(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        begin = options["effective_from"]
        version = decisions.publish_table(
            name=options["name"],
            title=options["title"],
            document=_document(options["file"]),
            effective_from=clock.parse_rfc3339(begin) if begin else None,
            actor=system("decision_table"),
            now=context.now(),
            reason=options["reason"],
        )
        at = clock.rfc3339(version.effective_from)
        return [{"name": options["name"], "version": version.number, "effective_from": at}]

    def _withdraw(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        known = queries.table_versions(options["name"])
        version = next((one for one in known if one.number == options["number"]), None)
        if version is None:
            raise CommandError(f"{options['name']} has no version {options['number']}")
        decisions.withdraw_table(
            version=version, actor=system("decision_table"), now=context.now(), reason=options["reason"]
        )
        return [{"name": options["name"], "version": version.number, "withdrawn": True}]


def _document(path: Path) -> dict[str, Any]:
    try:
        return documents.read(path.read_text())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
