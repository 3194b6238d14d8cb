"""Workflows and their runs: looked at, paused, set up, started, sent on from where they failed, cancelled."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from automations.connectors import queries as connectors
from automations.engine import queries
from automations.engine.actions import operate, workflows
from automations.engine.enums import WorkflowState
from automations.engine.errors import RunNotSuspended, RunOver
from automations.engine.models import Run, Workflow
from automations.engine.queries import RunView, Step, WorkflowFigures
from automations.events.queries import Page
from kernel import clock
from kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.api.desk import CREATED, Call, Desk, operation, rule
from portal.api.engine_shapes import (
    JournalQuery,
    ResumeRun,
    RunDetail,
    RunQuery,
    RunShape,
    Settings,
    StartRun,
    StepShape,
    Why,
    WorkflowShape,
)
from portal.api.fields import key_of
from portal.api.pages import Listing
from portal.permissions import Rule
from templates_lib.actions import installing
from tenants.access import policy
from tenants.tenancy import context

_WEEK: Final = timedelta(days=7)


def figures_of(key: UUID) -> WorkflowFigures:
    found = queries.workflow_figures(context.now() - _WEEK)
    one = next((row for row in found if row.workflow.id == key), None)
    if one is None:
        raise NotFound
    return one


def workflow_of(call: Call, workflow: str, permission: str) -> Workflow:
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
        return figures_of(key_of("wfl", workflow))


def _switch(call: Call, workflow: str, state: WorkflowState) -> WorkflowFigures:
    row = workflow_of(call, workflow, "engine.operate")
    workflows.set_state(workflow=row, state=state, actor=call.actor, now=context.now(), **call.body)
    return figures_of(row.id)


OPERATE: Final = Rule(methods={"POST": "engine.operate", "PUT": "engine.operate"}, by_grant=True)


class Pause(Desk):
    """Pausing."""

    rule = OPERATE

    @operation("pause_workflow", takes=Why, returns=WorkflowShape, once=True)
    def post(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let a workflow stand still: no further call is made, what events start waits; nothing is lost."""
        return _switch(call, workflow, WorkflowState.PAUSED)


class Activate(Desk):
    """Activating."""

    rule = OPERATE

    @operation("activate_workflow", takes=Why, returns=WorkflowShape, once=True)
    def post(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let events start runs, and what was paused go on, oldest first."""
        return _switch(call, workflow, WorkflowState.ACTIVE)


class WorkflowSettings(Desk):
    """Settings."""

    rule = OPERATE

    @operation("set_workflow_settings", takes=Settings, returns=WorkflowShape)
    def put(self, call: Call, workflow: str) -> WorkflowFigures:
        """Change the settings of a workflow; runs see them from their next move on."""
        row = workflow_of(call, workflow, "engine.operate")
        installing.configure(
            workflow=row,
            tenant=call.tenant,
            config=call.body["config"],
            connections=chosen(call.body["connections"]),
            actor=call.actor,
            now=clock.now(),
        )
        return figures_of(row.id)


class Runs(Desk):
    """Runs."""

    rule = rule(get="engine.read")

    @operation("list_runs", query=RunQuery, returns=RunShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Runs, newest first."""
        wanted = dict(call.query)
        status, workflow = sorted(wanted.pop("status", ())), wanted.pop("workflow", None)
        return call.paging.of(queries.runs(status=status, workflow_id=workflow, **wanted), by="-started_at")


def view_of(key: UUID) -> RunView:
    try:
        return queries.run_view(key)
    except Run.DoesNotExist as error:
        raise NotFound from error


def run_key(call: Call, run: str) -> UUID:
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
        return view_of(key_of("run", run))


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
        row = workflow_of(call, workflow, "engine.start")
        given = call.body["input"]
        return view_of(workflows.start_run(workflow=row, given=given, actor=call.actor, now=context.now()))


class ResumeOne(Desk):
    """Sending a run on."""

    rule = OPERATE

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
        key, given = run_key(call, run), call.body
        operate.resume(
            run_id=key,
            mode=given["mode"],
            value=given["data"],
            reason=given["reason"],
            actor=call.actor,
            now=context.now(),
        )
        return view_of(key)


class CancelOne(Desk):
    """Ending a run."""

    rule = OPERATE

    @operation("cancel_run", takes=Why, returns=RunDetail, once=True, raises=(RunOver,))
    def post(self, call: Call, run: str) -> RunView:
        """End a run where it is; one that a worker holds ends at its next checkpoint."""
        key = run_key(call, run)
        operate.cancel(run_id=key, actor=call.actor, now=context.now(), **call.body)
        return view_of(key)
