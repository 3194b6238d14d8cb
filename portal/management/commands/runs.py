"""`manage.py runs <tenant> <list|cancel|resume|rewind|migrate|redrive|bulk|stop|continue|dryrun> …`: runs by hand."""

import argparse
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from automations.engine import queries
from automations.engine.actions import dryrunning, migrating, operate, redriving, rewinding
from automations.engine.enums import BulkAct
from automations.engine.models import Bulk, Run, Workflow
from automations.engine.queries import BulkView, RunFilter
from automations.events.models import Event
from automations.inbox import queries as inbox
from kernel import clock, ids, jsonx
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy

_BY: Final = system("runs")
Lines = Iterator[dict[str, Any]]


class Command(BaseCommand):
    """Does with runs what the portal's pages do, for scripts and for whoever is on call."""

    help = "Look at the runs of a client, act on one or on many, and try a workflow without sending anything."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do, for which client."""
        parser.add_argument("tenant", help="<partner>/<tenant>, or the tenant alone where it is unique")
        todo = parser.add_subparsers(dest="todo", required=True)
        _filter(todo.add_parser("list", help="runs that wait for review, and of what causes"))
        for name, words in (("cancel", "end a run"), ("migrate", "move a run to the present version")):
            _one(todo.add_parser(name, help=words))
        resuming = _one(todo.add_parser("resume", help="send a run on from its failed step"))
        resuming.add_argument("--mode", default="retry", choices=("retry", "edit", "skip", "complete"))
        resuming.add_argument("--data", help="JSON, for edit and complete")
        back = _one(todo.add_parser("rewind", help="send a run back to a line of its journal"))
        back.add_argument("line", type=int)
        back.add_argument("--data", help="JSON: other data for the step")
        back.add_argument("--look", action="store_true", help="only say what would be done again")
        many = _filter(todo.add_parser("redrive", help="act on every run that matches"))
        many.add_argument("--act", default="retry", choices=BulkAct.values)
        many.add_argument("--rate", type=float, default=redriving.RATE, help="runs a second at most")
        many.add_argument("--reason", default="")
        many.add_argument("--yes", action="store_true", help="begin; without it, only count")
        many.add_argument("--wait", action="store_true", help="stay until it is through")
        for name, words in (("bulk", "how far it is"), ("stop", "stop it"), ("continue", "let it go on")):
            one = todo.add_parser(name, help=f"an act on many runs: {words}")
            one.add_argument("bulk", help="blk_…")
            one.add_argument("--reason", default="")
        dry = todo.add_parser("dryrun", help="what a workflow would do; nothing is sent")
        dry.add_argument("workflow", help="its name, or wfl_…")
        dry.add_argument("--event", help="evt_…; the latest that would start it, if nothing is given")
        dry.add_argument("--input", help="JSON, as a run would be given it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it, and print JSON lines."""
        try:
            with context.enter(tenancy.tenant_by_slug(options["tenant"])):
                for line in getattr(self, f"_{options['todo']}")(options):
                    self.stdout.write(jsonx.text(line))
        except PortalError as error:
            fields = [f"{name}: {' '.join(words)}" for name, words in error.fields.items()]
            raise CommandError("\n".join([error.message, *fields])) from error

    def _list(self, options: dict[str, Any]) -> Lines:
        wanted = _wanted(options)
        found = queries.preview(wanted, BulkAct.RETRY)
        yield {"runs": found.number, "orders": found.keys}
        for cause in found.causes:
            yield {"step": cause.step, "error": cause.error, "code": cause.code, "runs": cause.number}

    def _cancel(self, options: dict[str, Any]) -> Lines:
        key = _run(options["run"])
        at_once = operate.cancel(run_id=key, actor=_BY, now=context.now(), reason=options["reason"])
        yield {"run": options["run"], "cancelled": at_once}

    def _resume(self, options: dict[str, Any]) -> Lines:
        key, data = _run(options["run"]), options["data"]
        operate.resume(
            run_id=key,
            mode=options["mode"],
            value=None if data is None else jsonx.loads(data),
            actor=_BY,
            now=context.now(),
            reason=options["reason"],
        )
        yield {"run": options["run"], "status": Run.objects.get(pk=key).status}

    def _rewind(self, options: dict[str, Any]) -> Lines:
        key, data = _run(options["run"]), options["data"]
        found = rewinding.outlook(key, options["line"])
        yield {"from": found.ref, "again": [call.what for call in found.calls], "data": found.data}
        if options["look"]:
            return
        rewinding.rewind(
            run_id=key,
            no=options["line"],
            value=None if data is None else jsonx.loads(data),
            edited=data is not None,
            actor=_BY,
            now=context.now(),
            reason=options["reason"],
        )
        yield {"run": options["run"], "status": Run.objects.get(pk=key).status}

    def _migrate(self, options: dict[str, Any]) -> Lines:
        key = _run(options["run"])
        workflow = Workflow.objects.get(pk=Run.objects.get(pk=key).workflow_id)
        migrating.migrate(
            run_id=key,
            definition=workflow.definition,
            actor=_BY,
            now=context.now(),
            reason=options["reason"],
        )
        yield {"run": options["run"], "version": workflow.definition.version}

    def _redrive(self, options: dict[str, Any]) -> Lines:
        wanted, act = _wanted(options), options["act"]
        target = wanted.narrowed_to() if act == BulkAct.MIGRATE else None
        definition = target.definition if target else None
        found = queries.preview(wanted, act, pinned_not_to=definition.id if definition else None)
        yield {"act": act, "runs": found.number, "orders": found.keys}
        if not options["yes"]:
            return
        begun = redriving.start_bulk(
            act=act,
            wanted=wanted,
            definition=definition,
            rate=options["rate"],
            reason=options["reason"],
            expected=found.number,
            actor=_BY,
            now=context.now(),
        )
        yield _told(queries.bulk_view(begun.id))
        while options["wait"] and queries.bulk_view(begun.id).moving:
            time.sleep(1.0)
            yield _told(queries.bulk_view(begun.id))

    def _bulk(self, options: dict[str, Any]) -> Lines:
        view = queries.bulk_view(_bulk(options["bulk"]))
        yield _told(view)
        for item in queries.bulk_items(view.row.id, states=["failed", "refused", "held"]):
            yield {"run": ids.public_id("run", item.run_id), "state": item.state, "why": item.why}

    def _stop(self, options: dict[str, Any]) -> Lines:
        key = _bulk(options["bulk"])
        redriving.stop_bulk(bulk_id=key, actor=_BY, now=context.now(), reason=options["reason"])
        yield _told(queries.bulk_view(key))

    def _continue(self, options: dict[str, Any]) -> Lines:
        key = _bulk(options["bulk"])
        redriving.continue_bulk(bulk_id=key, actor=_BY, now=context.now(), reason=options["reason"])
        yield _told(queries.bulk_view(key))

    def _dryrun(self, options: dict[str, Any]) -> Lines:
        workflow = _workflow(options["workflow"])
        event = _event(workflow, options)
        seen = dryrunning.dry_run(
            workflow,
            now=context.now(),
            event_id=event,
            given=jsonx.loads(options["input"]) if options["input"] else None,
        )
        yield {"status": seen.status, "waits_for": list(seen.waits_for), "error": seen.error}
        for call in seen.calls:
            yield {"step": call.ref, "call": call.what, "answer": call.answer, "request": call.request}
        yield {"output": seen.output}


def _one(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("run", help="run_…")
    parser.add_argument("--reason", default="")
    return parser


def _filter(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--workflow", default="", help="its name, or wfl_…")
    parser.add_argument("--status", default="", choices=("", "suspended", "waiting"))
    parser.add_argument("--step", default="", help="pointer of the task")
    parser.add_argument("--error", default="", help="the last word of the error's type")
    parser.add_argument("--code", type=int, default=0, help="the error's status")
    parser.add_argument("--order", default="", help="the business key")
    parser.add_argument("--fingerprint", default="", help="of their cases: runs that fail for one cause")
    parser.add_argument("--since", default="", help="RFC 3339")
    parser.add_argument("--until", default="", help="RFC 3339")
    return parser


def _wanted(options: dict[str, Any]) -> RunFilter:
    return RunFilter(
        workflow=_workflow(options["workflow"]).id if options["workflow"] else None,
        status=options["status"],
        step=options["step"],
        error=options["error"],
        code=options["code"],
        business_key=options["order"],
        since=clock.parse_rfc3339(options["since"]) if options["since"] else None,
        until=clock.parse_rfc3339(options["until"]) if options["until"] else None,
        alike=options["fingerprint"],
        among=inbox.runs_alike(options["fingerprint"]) if options["fingerprint"] else (),
    )


def _key(prefix: str, text: str) -> UUID:
    try:
        return ids.parse_public_id(prefix, text)
    except ValueError as error:
        raise CommandError(f"{text} is no id that begins with {prefix}_") from error


def _run(text: str) -> UUID:
    key = _key("run", text)
    if not Run.objects.filter(pk=key).exists():
        raise CommandError(f"there is no run {text}")
    return key


def _bulk(text: str) -> UUID:
    key = _key("blk", text)
    if not Bulk.objects.filter(pk=key).exists():
        raise CommandError(f"there is no act {text}")
    return key


def _workflow(text: str) -> Workflow:
    known = Workflow.objects.select_related("definition")
    by_key = known.filter(pk=_key("wfl", text)) if text.startswith("wfl_") else known.filter(name=text)
    found: Workflow | None = by_key.first()
    if found is None:
        raise CommandError(f"there is no workflow {text}")
    return found


def _event(workflow: Workflow, options: dict[str, Any]) -> UUID | None:
    """The event that is asked for, else the latest that would have started the workflow; None if an input is given."""
    if options["event"]:
        return _key(Event.prefix, options["event"])
    if options["input"]:
        return None
    latest = dryrunning.recent_events(workflow, most=1)
    if not latest:
        raise CommandError("no event has come that would start it; give one, or an input")
    return latest[0].id


def _told(view: BulkView) -> dict[str, Any]:
    counts = {state: number for state, number in view.counts.items() if number}
    return {"bulk": view.row.public_id, "state": view.row.state, "total": view.row.total, **counts}
