"""What requests and answers about acts on many runs, going back, moving and dry runs are made of."""

from typing import Any

from rest_framework import serializers

from automations.engine.actions import redriving
from automations.engine.enums import BulkAct, BulkState, ItemState, RunStatus
from automations.engine.queries import BulkView
from portal.api import fields
from portal.api.fields import PublicId, Shape

_ACTS = [(one.value, one.label) for one in BulkAct if one != BulkAct.MIGRATE]


class FilterShape(Shape):
    """Which runs are meant; what is left out does not narrow."""

    workflow = PublicId("wfl", required=False, help_text="Of this workflow.")
    status = fields.one_of(
        [one for one in RunStatus.choices if one[0] in ("suspended", "waiting")],
        "Only in this status.",
        required=False,
    )
    step = fields.text("That stand at this step: the pointer of its task.", required=False)
    error = fields.text("The last word of the error's type, as `communication`.", required=False)
    code = fields.number("The error's status, as 503.", required=False)
    business_key = fields.text("About exactly this order, RMA, PO or SKU.", required=False)
    since = fields.at("Started at or after this instant.", required=False)
    until = fields.at("Started before this instant.", required=False)
    fingerprint = fields.text("Whose open case has this cause: the fingerprint of a case.", required=False)


class PreviewQuery(FilterShape):
    """What would be done, and to which runs."""

    act = fields.one_of(_ACTS, "What would be done to each.", required=False, default="retry")


class CauseShape(Shape):
    """Matching runs that stand at one step for one reason."""

    workflow = PublicId("wfl", source="workflow_id", help_text="Their workflow.")
    step = fields.text("Pointer of the task.", allow_blank=True)
    error = fields.text("The last word of the error's type.", allow_blank=True)
    code = fields.number("The error's status; 0 without one.")
    runs = fields.number("How many.", source="number")


class BulkPreviewShape(Shape):
    """What an act on many runs would be done to."""

    runs = fields.number("How many runs match.", source="number")
    business_keys = fields.number("How many orders, RMAs, POs or SKUs they are about.", source="keys")
    oldest = fields.perhaps_at("When the first of them started.")
    newest = fields.perhaps_at("When the last of them started.")
    causes = CauseShape(many=True, help_text="The most frequent causes, at most twelve.")


class StartBulk(FilterShape):
    """What to do to which runs, and how fast."""

    act = fields.one_of(_ACTS, "What is done to each.")
    rate = serializers.FloatField(
        required=False,
        default=redriving.RATE,
        help_text=f"Runs a second at most; at most {redriving.RATE_MOST:g}.",
    )
    expected = fields.number(
        "How many were seen to match; if others do by now, nothing begins.",
        required=False,
        default=None,
        allow_null=True,
    )
    reason = fields.reason()


class BulkShape(Shape):
    """An act on many runs, and how far it is."""

    id = PublicId("blk", source="row.public_id", help_text="Its id.")
    act = fields.one_of(BulkAct.choices, "What is done to each.", source="row.act")
    state = fields.one_of(BulkState.choices, "Whether it goes on.", source="row.state")
    filter = fields.anything("By what the runs were chosen.", source="row.wanted")
    rate = serializers.FloatField(source="row.rate", help_text="Runs a second at most.")
    reason = fields.text("Why.", source="row.reason", allow_blank=True)
    total = fields.number("How many runs.", source="row.total")
    counts = serializers.SerializerMethodField(help_text="How many of them are in each state.")
    by = serializers.SerializerMethodField(help_text="Who began it.")
    created_at = fields.at("When it began.", source="row.created_at")
    over_at = fields.perhaps_at("When it was through.", source="row.over_at")

    def get_counts(self, view: BulkView) -> dict[str, int]:
        """By state."""
        return dict(view.counts)

    def get_by(self, view: BulkView) -> str:
        """The name in the audit log."""
        return str(view.row.actor["label"])


class ItemShape(Shape):
    """What became of one run."""

    position = fields.number("Its place, from 0.")
    run = PublicId("run", source="run_id", help_text="The run.")
    business_key = fields.text("What it is about.", allow_blank=True)
    step = fields.text("Where it stood.", allow_blank=True)
    state = fields.one_of(ItemState.choices, "What became of it.")
    why = fields.text("Why it was refused, left alone, or failed again.", allow_blank=True)
    at = fields.perhaps_at("When its state changed last.")


class ItemQuery(Shape):
    """Which of them."""

    state = serializers.MultipleChoiceField(
        choices=ItemState.choices, required=False, help_text="In one of these, with commas between."
    )


class LineQuery(Shape):
    """From where."""

    line = fields.number(
        "Number of the line in the run's journal; 0 is the first.", required=False, default=0
    )


class RewindRun(LineQuery):
    """From where a run goes on, and with which data."""

    data = fields.anything(
        "Other data for the step; left out, those of then.", required=False, allow_null=True
    )
    reason = fields.reason()


class AgainShape(Shape):
    """A call that will be made a second time."""

    line = fields.number("Its line in the journal.", source="no")
    ref = fields.text("Pointer of the task.")
    what = fields.text("Method and address.")
    changes = fields.yes_or_no("Whether it changes something there.")


class OutlookShape(Shape):
    """What going back to a line means."""

    ref = fields.text("Pointer of the task that is done first.")
    data = fields.anything("Its data, as they were in front of it.")
    calls = AgainShape(many=True, help_text="Calls that will be made again, each under a new key.")
    events = fields.number("Events that will be sent again.")
    questions = fields.number("People who will be asked again.")
    runs = fields.number("Steps that will start their runs again.")


class ForecastShape(Shape):
    """What moving the runs of a workflow to its present version would come to."""

    can = fields.number("Runs that can move.")
    cannot = serializers.SerializerMethodField(help_text="Why others cannot, and how many of each.")
    versions = serializers.SerializerMethodField(help_text="How many stand on which version.")
    more = fields.yes_or_no("Whether there are more than were looked at.")

    def get_cannot(self, forecast: Any) -> dict[str, int]:
        """By reason."""
        return dict(forecast.cannot)

    def get_versions(self, forecast: Any) -> dict[str, int]:
        """By version."""
        return dict(forecast.versions)


class MoveRuns(Shape):
    """Move every run of a workflow that can be moved to its present version."""

    rate = serializers.FloatField(
        required=False, default=redriving.RATE_MOST, help_text="Runs a second at most."
    )
    reason = fields.reason()


class DryRunOf(Shape):
    """On what: an event, or an input."""

    event = PublicId("evt", required=False, help_text="An event that starts the workflow.")
    input = fields.anything("What a run would be given.", required=False, allow_null=True)


class PredictedShape(Shape):
    """A call that would be made."""

    ref = fields.text("Pointer of the task.")
    kind = fields.text("`http`, or the function that would be called.")
    what = fields.text("The call in one line.")
    request = fields.anything("What would be sent, without credentials.")
    answer = fields.one_of(
        ["runs", "table", "nothing"],
        "Where its answer was taken from: the latest runs, a decision table, or nowhere.",
    )


class StepSeen(Shape):
    """A step that would be taken."""

    ref = serializers.SerializerMethodField(help_text="Pointer of the task.")
    status = serializers.SerializerMethodField(help_text="How it would end.")

    def get_ref(self, pair: tuple[str, str]) -> str:
        """The first of the two."""
        return pair[0]

    def get_status(self, pair: tuple[str, str]) -> str:
        """The second."""
        return pair[1]


class DryRunShape(Shape):
    """What would have happened; nothing was sent."""

    status = fields.one_of(RunStatus.choices, "How the run would stand a day later.")
    output = fields.anything("What would come out.")
    error = fields.anything("What it would fail on; null where it would not.")
    calls = PredictedShape(many=True, help_text="Calls that would be made, in order.")
    steps = StepSeen(many=True, help_text="Steps that would be taken, in order.")
    emitted = serializers.ListField(
        child=serializers.CharField(), help_text="Types of events that would be sent."
    )
    cases = fields.anything("Cases that would be opened.")
    waits_for = serializers.ListField(
        child=serializers.CharField(), help_text="Types of events that it would wait for."
    )
