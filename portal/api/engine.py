"""Workflows and their runs: looked at, paused, set up, started, sent on from where they failed, cancelled."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from rest_framework import serializers

from automations.connectors import queries as connectors
from automations.connectors.models import Connection
from automations.engine import queries
from automations.engine.actions import operate, workflows
from automations.engine.enums import RunStatus, WorkflowState
from automations.engine.errors import RunNotSuspended, RunOver
from automations.engine.models import Run, Workflow
from automations.engine.queries import RunView, Step, WorkflowFigures
from automations.events.queries import Page
from kernel import clock, ids
from kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.api import fields
from portal.api.desk import CREATED, Call, Desk, operation, rule
from portal.api.fields import Members, PublicId, Shape, key_of
from portal.api.pages import Listing
from portal.permissions import Rule
from templates_lib.actions import installing
from tenants.access import policy
from tenants.tenancy import context

_WEEK: Final = timedelta(days=7)


class FiguresShape(Shape):
    """How a workflow did in the last seven days."""

    total = fields.number("Runs that started.")
    completed = fields.number("Of these, completed.")
    suspended = fields.number("Of these, waiting for review.")
    faulted = fields.number("Of these, failed.")
    waiting = fields.number("Of these, waiting for something.")
    success = serializers.FloatField(
        allow_null=True, help_text="Completed over ended or held, as a fraction; null without any."
    )
    median_seconds = serializers.FloatField(allow_null=True, help_text="Of runs that ended.")
    last_started_at = fields.perhaps_at("When the last run started.")
    health = fields.one_of(["healthy", "degraded", "paused"], "All that in a word.")


class WorkflowShape(Shape):
    """An automation of this client."""

    id = PublicId("wfl", source="workflow.public_id", help_text="Id of the workflow.")
    name = fields.text("Its name.", source="workflow.name")
    title = fields.text("Its name for people.", source="workflow.title")
    state = fields.one_of(WorkflowState.choices, "Whether events start runs.", source="workflow.state")
    template = fields.text(
        "`slug@version` that it was installed from.", source="workflow.template", allow_blank=True
    )
    config = fields.anything("Its settings.", source="workflow.config")
    connections = serializers.SerializerMethodField(help_text="Alias in the definition to connection.")
    created_at = fields.at("When it was set up.", source="workflow.created_at")
    figures = FiguresShape(source="*", help_text="How it did lately.")

    def get_connections(self, row: WorkflowFigures) -> dict[str, str]:
        """Public ids of the chosen connections."""
        chosen = row.workflow.connections
        return {alias: ids.public_id(Connection.prefix, UUID(key)) for alias, key in chosen.items() if key}


class Why(Shape):
    """Why."""

    reason = fields.reason()


class Settings(Shape):
    """All settings of a workflow."""

    config = Members(help_text="Settings, as the template's input schema says.")
    connections = serializers.DictField(
        child=PublicId("con"),
        required=False,
        default=dict,
        help_text="Alias in the definition to connection.",
    )


class StartRun(Shape):
    """What a run is to work on."""

    input = fields.anything("As the workflow takes it: usually an event's data.")


def _figures(key: UUID) -> WorkflowFigures:
    found = queries.workflow_figures(context.now() - _WEEK)
    one = next((row for row in found if row.workflow.id == key), None)
    if one is None:
        raise NotFound
    return one


def _workflow(call: Call, workflow: str, permission: str) -> Workflow:
    """The workflow, if the role or a grant on it allows `permission`. Raises NotFound and Forbidden."""
    found = Workflow.objects.filter(pk=key_of("wfl", workflow)).first()
    if found is None or (not call.actor.permissions and not policy.may(call.actor, permission, found)):
        raise NotFound
    if not policy.may(call.actor, permission, found):
        raise Forbidden(permission=permission)
    return found


def chosen(given: dict[str, UUID]) -> dict[str, str]:
    """Connections as workflows keep them. Raises Invalid, naming the alias of one that there is not."""
    known = {one.id for one in connectors.connections()}
    wrong = {
        f"connections.{alias}": ["There is no such connection."]
        for alias, key in given.items()
        if key not in known
    }
    if wrong:
        raise Invalid(fields=wrong)
    return {alias: str(key) for alias, key in given.items()}


class Workflows(Desk):
    """Automations."""

    rule = rule(get="engine.read")

    @operation("list_workflows", returns=WorkflowShape, many=True)
    def get(self, call: Call) -> list[WorkflowFigures]:
        """Workflows by title with how they did lately; all of them."""
        return queries.workflow_figures(context.now() - _WEEK)


class OneWorkflow(Desk):
    """One automation."""

    rule = rule(get="engine.read")

    @operation("get_workflow", returns=WorkflowShape)
    def get(self, call: Call, workflow: str) -> WorkflowFigures:
        """One workflow with how it did lately."""
        return _figures(key_of("wfl", workflow))


def _switch(call: Call, workflow: str, state: WorkflowState) -> WorkflowFigures:
    row = _workflow(call, workflow, "engine.operate")
    workflows.set_state(workflow=row, state=state, actor=call.actor, now=context.now(), **call.body)
    return _figures(row.id)


_OPERATE: Final = Rule(methods={"POST": "engine.operate", "PUT": "engine.operate"}, by_grant=True)


class Pause(Desk):
    """Pausing."""

    rule = _OPERATE

    @operation("pause_workflow", takes=Why, returns=WorkflowShape, once=True)
    def post(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let events start no runs; runs that are under way go on."""
        return _switch(call, workflow, WorkflowState.PAUSED)


class Activate(Desk):
    """Activating."""

    rule = _OPERATE

    @operation("activate_workflow", takes=Why, returns=WorkflowShape, once=True)
    def post(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let events start runs."""
        return _switch(call, workflow, WorkflowState.ACTIVE)


class WorkflowSettings(Desk):
    """Settings."""

    rule = _OPERATE

    @operation("set_workflow_settings", takes=Settings, returns=WorkflowShape)
    def put(self, call: Call, workflow: str) -> WorkflowFigures:
        """Change the settings of a workflow; runs see them from their next move on."""
        row = _workflow(call, workflow, "engine.operate")
        installing.configure(
            workflow=row,
            tenant=call.tenant,
            config=call.body["config"],
            connections=chosen(call.body["connections"]),
            actor=call.actor,
            now=clock.now(),
        )
        return _figures(row.id)


class RunShape(Shape):
    """A run, without its data."""

    id = PublicId("run", source="public_id", help_text="Id of the run.")
    workflow = PublicId("wfl", source="workflow_id", help_text="What runs.")
    status = fields.one_of(RunStatus.choices, "Where it is.")
    cause = fields.one_of(["event", "manual", "schedule", "parent", "test"], "What started it.")
    business_key = fields.text("The order, RMA, PO or SKU that it is about.", allow_blank=True)
    value_minor = fields.money("Money that it is about")
    currency = fields.text("Of that amount.", allow_blank=True)
    step = fields.text("Where it stands, as long as it is not over.", allow_blank=True)
    error = fields.anything("What it failed on, as a problem document; else null.")
    started_at = fields.at("When it started, by this client's clock.")
    ended_at = fields.perhaps_at("When it was over.")


class WaitingShape(Shape):
    """What a run waits for at one place."""

    ref = fields.text("Pointer of the task.")
    kind = fields.one_of(["timer", "event", "retry", "answer", "person"], "What it waits for.")
    since = fields.at("Since when.")
    until = fields.perhaps_at("Until when at most.")
    detail = fields.text("The same in words.", allow_blank=True)


class RunDetail(Shape):
    """A run with its data and what it waits for."""

    id = PublicId("run", source="public_id", help_text="Id of the run.")
    workflow = PublicId(
        "wfl", source="workflow.public_id", allow_null=True, default=None, help_text="What runs."
    )
    title = fields.text(
        "The workflow's name for people.", source="workflow.title", allow_null=True, default=None
    )
    definition = fields.text("Name and version of the definition that it is pinned to.")
    status = fields.one_of(RunStatus.choices, "Where it is.")
    cause = fields.one_of(["event", "manual", "schedule", "parent", "test"], "What started it.")
    business_key = fields.text("The order, RMA, PO or SKU that it is about.", allow_blank=True)
    value_minor = fields.money("Money that it is about")
    currency = fields.text("Of that amount.", allow_blank=True)
    error = fields.anything("What it failed on, as a problem document; else null.")
    started_at = fields.at("When it started, by this client's clock.")
    ended_at = fields.perhaps_at("When it was over.")
    input = fields.anything("What it works on.")
    output = fields.anything("What came out; null until it is completed.")
    waiting = WaitingShape(many=True, help_text="What it waits for.")
    failed_data = fields.anything("Data of the failed step, to be corrected; null where none failed.")


class RunQuery(Shape):
    """Which runs."""

    status = serializers.MultipleChoiceField(
        choices=RunStatus.choices, required=False, help_text="In one of these, with commas between."
    )
    workflow = PublicId("wfl", required=False, help_text="Of this workflow.")
    business_key = fields.text("About exactly this order, RMA, PO or SKU.", required=False)
    since = fields.at("Started at or after this instant.", required=False)
    until = fields.at("Started before this instant.", required=False)
    text = fields.text("Stands in the business key or the step.", required=False)


class ResumeRun(Shape):
    """How to send a run on."""

    mode = fields.one_of(
        ["retry", "edit", "skip", "complete"],
        "`retry` does the step again, `edit` on `data`; `skip` goes on behind it, `complete` with `data` as output.",
    )
    data = fields.anything("For `edit` and `complete`.", required=False, default=None, allow_null=True)
    reason = fields.reason()


class Runs(Desk):
    """Runs."""

    rule = rule(get="engine.read")

    @operation("list_runs", query=RunQuery, returns=RunShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Runs, newest first."""
        wanted = dict(call.query)
        status, workflow = sorted(wanted.pop("status", ())), wanted.pop("workflow", None)
        return call.paging.of(queries.runs(status=status, workflow_id=workflow, **wanted), by="-started_at")


def _view(key: UUID) -> RunView:
    try:
        return queries.run_view(key)
    except Run.DoesNotExist as error:
        raise NotFound from error


def _run(call: Call, run: str) -> UUID:
    """The key of a run, if the role or a grant on its workflow lets it be operated. Raises NotFound and Forbidden."""
    key = key_of("run", run)
    row = Run.objects.only("workflow_id").filter(pk=key).first()
    if row is None:
        raise NotFound
    if not policy.may(call.actor, "engine.operate", Workflow.objects.filter(pk=row.workflow_id).first()):
        raise Forbidden(permission="engine.operate") if call.actor.permissions else NotFound
    return key


class OneRun(Desk):
    """One run."""

    rule = rule(get="engine.read")

    @operation("get_run", returns=RunDetail)
    def get(self, call: Call, run: str) -> RunView:
        """A run with its data, what it waits for, and what it failed on."""
        return _view(key_of("run", run))


class StepShape(Shape):
    """A line of a run's journal."""

    no = fields.number("Its place, from 0.")
    ref = fields.text("Pointer of the task.")
    name = fields.text("Name of the task.")
    status = fields.one_of(
        ["completed", "skipped", "retrying", "caught", "faulted", "resumed", "cancelled"], "What happened."
    )
    begin = fields.at("When it began.")
    end = fields.at("When it was over.")
    input = fields.anything("What went in, where it was kept.")
    output = fields.anything("What came out, where it was kept.")
    error = fields.anything("What went wrong, as a problem document; else null.")
    attempt = fields.number("Which try it was.")
    delay = serializers.FloatField(help_text="Seconds until the next try.")
    request = fields.anything("The call that was made, without its credentials; else null.")
    http_status = fields.number("What the other system answered; 0 if nothing.")
    case = fields.text("Which way a switch went.", allow_blank=True)
    by = fields.text("Who sent it on or cancelled it.", allow_blank=True)
    reason = fields.text("Why, in their words.", allow_blank=True)
    mode = fields.text("How it was sent on.", allow_blank=True)
    before = fields.anything("The data before somebody corrected them.")
    after = fields.anything("The corrected data.")


class JournalQuery(Shape):
    """Which lines."""

    problems = fields.yes_or_no("Only what went wrong.", required=False, default=False)


class Journal(Desk):
    """What a run did."""

    rule = rule(get="engine.read")

    @operation("get_run_journal", query=JournalQuery, returns=StepShape, many=True, paged=True)
    def get(self, call: Call, run: str) -> Listing:
        """What a run did, step by step, oldest first."""
        key = key_of("run", run)
        if not Run.objects.filter(pk=key).exists():
            raise NotFound

        def fetch(after: str, limit: int) -> Page[Step]:
            if after and not after.isdigit():
                raise Invalid(fields={"after": []})
            found = queries.journal(key, after=int(after or -1), most=limit + 1, **call.query)
            last = found[limit - 1].no if len(found) > limit else None
            return Page(tuple(found[:limit]), "" if last is None else str(last))

        return call.paging.behind(fetch)


class WorkflowRuns(Desk):
    """Starting by hand."""

    rule = Rule(methods={"POST": "engine.start"}, by_grant=True)

    @operation(
        "start_run",
        takes=StartRun,
        returns=RunDetail,
        status=CREATED,
        once=True,
        raises=(Conflict,),
        example={"input": {"order_id": "10045", "total_minor": 17_895, "currency": "GBP"}},
    )
    def post(self, call: Call, workflow: str) -> RunView:
        """Start a run by hand; it works as soon as a worker is free."""
        row = _workflow(call, workflow, "engine.start")
        given = call.body["input"]
        return _view(workflows.start_run(workflow=row, given=given, actor=call.actor, now=context.now()))


class ResumeOne(Desk):
    """Sending a run on."""

    rule = _OPERATE

    @operation(
        "resume_run",
        takes=ResumeRun,
        returns=RunDetail,
        once=True,
        raises=(RunNotSuspended, RunOver),
        example={"mode": "edit", "data": {"postcode": "BS1 4DB"}, "reason": "The customer gave it by phone."},
    )
    def post(self, call: Call, run: str) -> RunView:
        """Send a run that waits for review on from its failed step; steps before it are not done again."""
        key, given = _run(call, run), call.body
        operate.resume(
            run_id=key,
            mode=given["mode"],
            value=given["data"],
            reason=given["reason"],
            actor=call.actor,
            now=context.now(),
        )
        return _view(key)


class CancelOne(Desk):
    """Ending a run."""

    rule = _OPERATE

    @operation("cancel_run", takes=Why, returns=RunDetail, once=True, raises=(RunOver,))
    def post(self, call: Call, run: str) -> RunView:
        """End a run where it is; one that a worker holds ends at its next checkpoint."""
        key = _run(call, run)
        operate.cancel(run_id=key, actor=call.actor, now=context.now(), **call.body)
        return _view(key)
