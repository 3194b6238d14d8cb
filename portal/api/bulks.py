"""Operations on runs beyond the single step: acts on many, going back, moving to another version, dry runs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automations.engine import queries
from automations.engine.actions import dryrunning, migrating, redriving, rewinding
from automations.engine.actions.dryrunning import DryRun
from automations.engine.actions.migrating import Forecast
from automations.engine.actions.rewinding import Outlook
from automations.engine.enums import BulkAct
from automations.engine.errors import (
    BulkOver,
    CannotMigrate,
    CannotRewind,
    NothingMatches,
    OthersMatch,
    RunMoves,
    RunOver,
)
from automations.engine.models import Bulk, BulkItem, Definition, Run, Workflow
from automations.engine.queries import BulkView, RunFilter, RunView
from automations.events.queries import Page
from automations.inbox import queries as inbox
from kernel.errors import Invalid, NotFound
from portal.api.bulks_shapes import (
    BulkPreviewShape,
    BulkShape,
    DryRunOf,
    DryRunShape,
    ForecastShape,
    ItemQuery,
    ItemShape,
    LineQuery,
    MoveRuns,
    OutlookShape,
    PreviewQuery,
    RewindRun,
    StartBulk,
)
from portal.api.desk import CREATED, Call, Desk, operation, rule
from portal.api.engine import OPERATE, run_key, view_of, workflow_of
from portal.api.engine_shapes import RunDetail, Why
from portal.api.fields import key_of
from portal.api.pages import Listing
from tenants.tenancy import context


def _filter(given: Mapping[str, Any]) -> RunFilter:
    names = ("workflow", "status", "step", "error", "code", "business_key", "since", "until")
    wanted = RunFilter(**{name: given[name] for name in names if given.get(name)})
    alike = given.get("fingerprint")
    return replace(wanted, alike=alike, among=inbox.runs_alike(alike)) if alike else wanted


def _view(bulk: str) -> BulkView:
    try:
        return queries.bulk_view(key_of("blk", bulk))
    except Bulk.DoesNotExist as error:
        raise NotFound from error


class Bulks(Desk):
    """Acts on many runs."""

    rule = rule(get="engine.read", post="engine.operate")

    @operation("list_bulks", returns=BulkShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Acts on many runs, newest first."""
        found = call.paging.of(queries.bulks(), by="-created_at")
        return Listing(queries.bulk_views(found.items), found.next, found.previous)

    @operation(
        "start_bulk",
        takes=StartBulk,
        returns=BulkShape,
        status=CREATED,
        once=True,
        raises=(NothingMatches, OthersMatch),
        example={"act": "retry", "error": "validation", "rate": 5, "reason": "The ERP takes it again."},
    )
    def post(self, call: Call) -> BulkView:
        """Do something to every run that matches, at a pace and in the order of each order."""
        given = call.body
        begun = redriving.start_bulk(
            act=given["act"],
            wanted=_filter(given),
            rate=given["rate"],
            expected=given["expected"],
            reason=given["reason"],
            actor=call.actor,
            now=context.now(),
        )
        return queries.bulk_view(begun.id)


class BulkPreview(Desk):
    """What would be meant."""

    rule = rule(get="engine.read")

    @operation("preview_bulk", query=PreviewQuery, returns=BulkPreviewShape)
    def get(self, call: Call) -> queries.Preview:
        """Count the runs that match, before anything is done to them."""
        wanted = dict(call.query)
        act = wanted.pop("act", BulkAct.RETRY)
        return queries.preview(_filter(wanted), act)


class OneBulk(Desk):
    """One act on many runs."""

    rule = rule(get="engine.read")

    @operation("get_bulk", returns=BulkShape)
    def get(self, call: Call, bulk: str) -> BulkView:
        """How far it is."""
        return _view(bulk)


class BulkItems(Desk):
    """What became of each run."""

    rule = rule(get="engine.read")

    @operation("list_bulk_items", query=ItemQuery, returns=ItemShape, many=True, paged=True)
    def get(self, call: Call, bulk: str) -> Listing:
        """The runs of an act on many, in the order in which they began."""
        key, states = _view(bulk).row.id, sorted(call.query.get("state", ()))

        def fetch(after: str, limit: int) -> Page[BulkItem]:
            if after and not after.isdigit():
                raise Invalid(fields={"after": []})
            found = list(queries.bulk_items(key, states=states, after=int(after or -1))[: limit + 1])
            last = str(found[limit - 1].position) if len(found) > limit else ""
            return Page(tuple(found[:limit]), last)

        return call.paging.behind(fetch)


class StopBulk(Desk):
    """Stopping."""

    rule = rule(post="engine.operate")

    @operation("stop_bulk", takes=Why, returns=BulkShape, once=True, raises=(BulkOver,))
    def post(self, call: Call, bulk: str) -> BulkView:
        """Do nothing more of it; runs that were sent on go on."""
        key = _view(bulk).row.id
        redriving.stop_bulk(bulk_id=key, actor=call.actor, now=context.now(), **call.body)
        return queries.bulk_view(key)


class ContinueBulk(Desk):
    """Going on."""

    rule = rule(post="engine.operate")

    @operation("continue_bulk", takes=Why, returns=BulkShape, once=True, raises=(BulkOver,))
    def post(self, call: Call, bulk: str) -> BulkView:
        """Go on with what was stopped."""
        key = _view(bulk).row.id
        redriving.continue_bulk(bulk_id=key, actor=call.actor, now=context.now(), **call.body)
        return queries.bulk_view(key)


class RewindOutlook(Desk):
    """What going back means."""

    rule = rule(get="engine.read")

    @operation(
        "get_run_outlook", query=LineQuery, returns=OutlookShape, raises=(RunOver, RunMoves, CannotRewind)
    )
    def get(self, call: Call, run: str) -> Outlook:
        """What going back to a line of a run's journal would do again, and with which data."""
        return rewinding.outlook(key_of("run", run), call.query["line"])


class RewindOne(Desk):
    """Going back."""

    rule = OPERATE

    @operation(
        "rewind_run",
        takes=RewindRun,
        returns=RunDetail,
        once=True,
        raises=(RunOver, RunMoves, CannotRewind),
        example={"line": 0, "reason": "The ERP lost it."},
    )
    def post(self, call: Call, run: str) -> RunView:
        """Send a run that stands still back to a line of its journal; what follows is done again, under new keys."""
        key, given = run_key(call, run), call.body
        rewinding.rewind(
            run_id=key,
            no=given["line"],
            value=given.get("data"),
            edited="data" in given,
            reason=given["reason"],
            actor=call.actor,
            now=context.now(),
        )
        return view_of(key)


class MigrateOne(Desk):
    """Moving a run."""

    rule = OPERATE

    @operation(
        "migrate_run", takes=Why, returns=RunDetail, once=True, raises=(RunOver, RunMoves, CannotMigrate)
    )
    def post(self, call: Call, run: str) -> RunView:
        """Let a run that stands still go on by the version that its workflow works by now."""
        key = run_key(call, run)
        workflow = Run.objects.filter(pk=key).values("workflow_id")
        present = Definition.objects.filter(workflows__in=Workflow.objects.filter(pk__in=workflow)).first()
        if present is None:
            raise NotFound
        migrating.migrate(run_id=key, definition=present, actor=call.actor, now=context.now(), **call.body)
        return view_of(key)


class Migration(Desk):
    """Moving the runs of a workflow."""

    rule = rule(get="engine.read", post="engine.operate")

    @operation("preview_migration", returns=ForecastShape)
    def get(self, call: Call, workflow: str) -> Forecast:
        """How many runs can move to the version that a workflow works by now, and why others cannot."""
        found = Workflow.objects.select_related("definition").filter(pk=key_of("wfl", workflow)).first()
        if found is None:
            raise NotFound
        return migrating.forecast(found)

    @operation(
        "start_migration",
        takes=MoveRuns,
        returns=BulkShape,
        status=CREATED,
        once=True,
        raises=(NothingMatches,),
    )
    def post(self, call: Call, workflow: str) -> BulkView:
        """Move every run of a workflow that can be moved; those that cannot are told with the reason."""
        found = workflow_of(call, workflow, "engine.operate")
        begun = redriving.start_bulk(
            act=BulkAct.MIGRATE,
            wanted=RunFilter(workflow=found.id),
            definition=found.definition,
            actor=call.actor,
            now=context.now(),
            **call.body,
        )
        return queries.bulk_view(begun.id)


class DryRuns(Desk):
    """Dry runs."""

    rule = rule(post="engine.read")

    @operation(
        "dry_run", takes=DryRunOf, returns=DryRunShape, example={"input": [{"data": {"order_id": "10045"}}]}
    )
    def post(self, call: Call, workflow: str) -> DryRun:
        """What a workflow would do with an event or an input, as it is set up now; no request leaves."""
        found = Workflow.objects.select_related("definition").filter(pk=key_of("wfl", workflow)).first()
        if found is None:
            raise NotFound
        if ("event" in call.body) == ("input" in call.body):
            raise Invalid(fields={"event": ["Name an event or give an input."]})
        return dryrunning.dry_run(
            found, now=context.now(), event_id=call.body.get("event"), given=call.body.get("input")
        )
