"""`manage.py engine_limit <workflow|connection|tenant> …`: how much goes at a time, by hand."""

import argparse
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from automations.connectors.models import Connection
from automations.engine.actions import pausing
from automations.engine.models import Workflow
from automations.ledger import actions as ledger
from kernel import clock, ids, jsonx
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Tenant

_BY: Final = system("engine_limit")


class Command(BaseCommand):
    """Lets only so many runs of a workflow or a client go at a time, or so many calls through a connection."""

    help = (
        "Limit the runs of a workflow (--key: of those alike) or a tenant, or the calls through a connection."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What is limited, and to how many."""
        levels = parser.add_subparsers(dest="level", required=True)
        workflow = _level(levels.add_parser("workflow", help="runs of a workflow"), what="its name, or wfl_…")
        workflow.add_argument(
            "--key", default="", help="only those that give the same: $business, or jq on the input"
        )
        _level(levels.add_parser("connection", help="calls through a connection"), what="its name, or con_…")
        _level(levels.add_parser("tenant", help="runs of a client that workers hold"))

    def handle(self, *_: Any, **options: Any) -> None:
        """Set it, and say in JSON what holds now."""
        most: int | None = options["limit"]
        try:
            ref = tenancy.tenant_by_slug(options["tenant"])
            with context.enter(ref):
                holds = _set(options, most)
        except PortalError as error:
            fields = [f"{name}: {' '.join(words)}" for name, words in error.fields.items()]
            raise CommandError("\n".join([error.message, *fields])) from error
        self.stdout.write(jsonx.text({"level": options["level"], "holds": holds}))


def _set(options: dict[str, Any], most: int | None) -> Any:
    if options["level"] == "tenant":
        row = Tenant.objects.get(pk=context.current().id)
        return ledger.limit_tenant(tenant=row, most=most, actor=_BY, now=clock.now()).max_running
    if options["level"] == "connection":
        connection = _named(Connection, options["what"])
        return pausing.limit_connection(
            connection=connection, calls_at_once=most, actor=_BY, now=context.now()
        ).calls_at_once
    rule = None if most is None else {"limit": most, "key": options["key"]}
    workflow = _named(Workflow, options["what"])
    return pausing.limit_workflow(
        workflow=workflow, concurrency=rule, actor=_BY, now=context.now()
    ).concurrency


def _named(model: Any, what: str) -> Any:
    """The row with this public id or name."""
    try:
        found = model.objects.filter(pk=ids.parse_public_id(model.prefix, what)).first()
    except ValueError:
        found = model.objects.filter(name=what).first()
    if found is None:
        raise CommandError(f"there is no {model._meta.model_name} {what!r}")
    return found


def _level(parser: argparse.ArgumentParser, what: str = "") -> argparse.ArgumentParser:
    parser.add_argument("tenant", help="<partner>/<tenant>, or the tenant alone where it is unique")
    if what:
        parser.add_argument("what", help=what)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--limit", type=int, help="so many at a time")
    how.add_argument("--off", action="store_true", help="as many as there are")
    return parser
