"""What requests and answers about workflows and runs are made of."""

from uuid import UUID

from rest_framework import serializers

from automations.connectors.models import Connection
from automations.engine.enums import RunStatus, WorkflowState
from automations.engine.queries import WorkflowFigures
from kernel import ids
from portal.api import fields
from portal.api.fields import Members, PublicId, Shape


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
    state = fields.one_of(
        WorkflowState.choices, "Whether events start runs; paused, those wait.", source="workflow.state"
    )
    template = fields.text(
        "`slug@version` that it was installed from.", source="workflow.template", allow_blank=True
    )
    config = fields.anything("Its settings.", source="workflow.config")
    connections = serializers.SerializerMethodField(help_text="Alias in the definition to connection.")
    concurrency = fields.anything(
        "`limit` and `key`: how many runs go at a time; null without a limit.", source="workflow.concurrency"
    )
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


class StepShape(Shape):
    """A line of a run's journal."""

    no = fields.number("Its place, from 0.")
    ref = fields.text("Pointer of the task.")
    name = fields.text("Name of the task.")
    status = fields.one_of(
        ["completed", "skipped", "retrying", "caught", "faulted", "resumed", "cancelled", "migrated"],
        "What happened.",
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
