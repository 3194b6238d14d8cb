"""`manage.py engine_pause <level> … [--resume] [--reason why]` and `engine_pause list`: what stands still, by hand."""

import argparse
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from automations.connectors.models import Connection
from automations.engine.actions import pausing, workflows
from automations.engine.enums import WorkflowState
from automations.engine.models import Run, Workflow
from automations.ledger import actions as ledger
from automations.ledger import queries
from kernel import clock, ids, jsonx
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Partner, Tenant

_BY: Final = system("engine_pause")


class Command(BaseCommand):
    """Lets a run, a workflow, a connection, a client or all clients of a partner stand still, and go on."""

    help = "Pause a run, a workflow, a connection, a tenant or a partner; --resume lets it go on."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which level, and what of it."""
        levels = parser.add_subparsers(dest="level", required=True)
        levels.add_parser("list", help="everything that is paused")
        _turn(levels.add_parser("partner", help="all clients of a partner")).add_argument("partner")
        _turn(_client(levels.add_parser("tenant", help="a client")))
        for level, prefix in (("workflow", "wfl"), ("connection", "con"), ("run", "run")):
            one = _turn(_client(levels.add_parser(level, help=f"a {level} of a client")))
            one.add_argument("what", help=f"its name, or {prefix}_…" if level != "run" else "run_…")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it, and say in JSON what came of it."""
        if options["level"] == "list":
            for one in queries.pauses():
                self.stdout.write(jsonx.text(_line(one)))
            return
        paused = not options["resume"]
        try:
            changed = _done(options, paused, clock.now())
        except PortalError as error:
            raise CommandError(error.message) from error
        self.stdout.write(jsonx.text({"level": options["level"], "paused": paused, "changed": changed}))


def _done(options: dict[str, Any], paused: bool, now: datetime) -> bool:
    """Whether anything changed by it."""
    given: Any = {"paused": paused, "reason": options["reason"], "actor": _BY, "now": now}
    if options["level"] == "partner":
        partner = Partner.objects.filter(slug=options["partner"]).first()
        if partner is None:
            raise CommandError(f"there is no partner {options['partner']!r}")
        return ledger.pause_partner(partner=partner, **given)
    ref = tenancy.tenant_by_slug(options["tenant"])
    if options["level"] == "tenant":
        return ledger.pause_tenant(tenant=Tenant.objects.get(pk=ref.id), **given)
    with context.enter(ref):
        return _inside(options["level"], options["what"], given)


def _inside(level: str, what: str, given: dict[str, Any]) -> bool:
    """The same for what a client has."""
    if level == "run":
        try:
            return pausing.pause_run(run_id=ids.parse_public_id("run", what), **given)
        except (ValueError, Run.DoesNotExist) as error:
            raise CommandError(f"there is no run {what!r}") from error
    if level == "connection":
        return pausing.pause_connection(connection=_named(Connection, what), **given)
    workflow = _named(Workflow, what)
    state = WorkflowState.PAUSED if given.pop("paused") else WorkflowState.ACTIVE
    changed = workflow.state != state
    workflows.set_state(workflow=workflow, state=state, **given)
    return bool(changed)


def _named(model: Any, what: str) -> Any:
    """The row with this public id or name."""
    try:
        found = model.objects.filter(pk=ids.parse_public_id(model.prefix, what)).first()
    except ValueError:
        found = model.objects.filter(name=what).first()
    if found is None:
        raise CommandError(f"there is no {model._meta.model_name} {what!r}")
    return found


def _line(one: queries.Standing) -> dict[str, Any]:
    return {
        "level": one.level,
        "what": one.label,
        "since": clock.rfc3339(one.at),
        "by": one.actor,
        "reason": one.reason,
        "held": queries.held_by(one.target),
    }


def _client(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("tenant", help="<partner>/<tenant>, or the tenant alone where it is unique")
    return parser


def _turn(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--resume", action="store_true", help="let it go on")
    parser.add_argument("--reason", default="", help="stands in the audit log")
    return parser
