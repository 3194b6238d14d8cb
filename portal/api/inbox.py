"""Cases: what needs a person, what may be decided about it, and what was."""

from typing import Any, Final
from uuid import UUID

from automations.engine.errors import RunOver
from automations.inbox import actions, policy, queries
from automations.inbox.enums import (
    CLOSING,
    ON_THE_RUN,
    CaseState,
    ClosedHow,
    Decide,
    IntentState,
    Severity,
    Visibility,
)
from automations.inbox.errors import (
    CaseAlreadyDecided,
    CaseChanged,
    CaseClosed,
    CaseOpen,
    NotDecidable,
    RunWaits,
)
from automations.inbox.queries import CaseDetail, CaseFilter
from automations.inbox.queries.listing import SORTS
from portal.api import fields
from portal.api.desk import CREATED, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.tenancy import context

_STATES: Final = ["open", "snoozed", "resolving", "second", "closed", "all"]
_DECISIONS: Final = [one for one in Decide.values if one in ON_THE_RUN | CLOSING]


class CaseShape(Shape):
    """A case as the list shows it."""

    id = PublicId("case", source="public_id", help_text="Id of the case.")
    code = fields.text("What people call it: EX-1042.")
    kind = fields.text("Kind as the catalogue names it: `run_failed.connection`, `delivery_late`.")
    label = fields.text("The kind in words.")
    severity = fields.one_of(Severity.choices, "How urgent it is.")
    state = fields.one_of(CaseState.choices, "Where it stands.")
    title = fields.text("What is the matter.")
    run = PublicId("run", source="run_id", allow_null=True, help_text="The run behind it.")
    workflow = PublicId("wfl", source="workflow_id", allow_null=True, help_text="Of this workflow.")
    step = fields.text("Pointer of the failed step.", allow_blank=True)
    business_key = fields.text("The order, RMA, PO or SKU that it is about.", allow_blank=True)
    value_minor = fields.money("Money at risk")
    currency = fields.text("Of that amount.", allow_blank=True)
    fingerprint = fields.text("The same for cases of one cause.")
    due_at = fields.at("When it has to be settled.")
    late = fields.yes_or_no("Whether that is over.")
    snoozed_until = fields.perhaps_at("Until when it is out of sight.")
    assignee = fields.text("Who has it.", allow_blank=True)
    assignee_id = PublicId("usr", allow_null=True, help_text="Their id.")
    opened_at = fields.at("When it opened, by this client's clock.")
    reopened = fields.number("How often it came back.")
    closed_at = fields.perhaps_at("When it was closed.")
    closed_how = fields.one_of(["", *ClosedHow.values], "Who closed it.", allow_blank=True)
    closed_by = fields.text("Their name.", allow_blank=True)
    outcome = fields.text("How it ended.", allow_blank=True)
    version = fields.number("Rises with each change that matters.")


class ProblemPlace(Shape):
    """One thing that a system found wrong."""

    pointer = fields.text("Where: a JSON pointer; empty if it did not say.", allow_blank=True)
    field = fields.text("The same for people.", allow_blank=True)
    message = fields.text("What.", allow_blank=True)
    missing = fields.yes_or_no("Whether it is not there at all.")


class AnswerShape(Shape):
    """Something that may be decided."""

    decision = fields.one_of(Decide.choices, "What to send.")
    label = fields.text("What it means.")


class SuggestionShape(AnswerShape):
    """What usually helps."""

    text = fields.text("In words.")
    decline = fields.text("What else can be done.")
    worked = fields.number("How often it helped in cases of the same cause.")
    times = fields.number("Of how often.")


class ActShape(Shape):
    """Something that was done about a case."""

    id = PublicId("dec", source="public_id", help_text="Id of the act.")
    kind = fields.one_of(Decide.choices, "What it was.")
    actor = fields.text("Who did it.")
    actor_kind = fields.text("A person, an API token, or the portal itself.")
    at = fields.at("When.")
    reason = fields.text("Why, in their words.", allow_blank=True)
    before = fields.anything("What differed before.")
    after = fields.anything("What differs since.")
    outcome = fields.text("Whether it worked: pending, worked, failed; empty where that cannot be told.")
    audit = fields.text("Id of the audit entry of the same act.", source="audit_id", allow_blank=True)


class NoteShape(Shape):
    """A comment."""

    id = PublicId("cmt", source="public_id", help_text="Id of the comment.")
    text = fields.text("What is said.")
    visibility = fields.one_of(Visibility.choices, "Who sees it.")
    actor = fields.text("Who said it.")
    at = fields.at("When.")


class PendingShape(Shape):
    """A decision that may still be undone, waits for a second person, or could not be carried out."""

    id = PublicId("int", source="public_id", help_text="Its id.")
    decision = fields.one_of(Decide.choices, "What was decided.")
    state = fields.one_of(IntentState.choices, "Where it is.")
    value = fields.anything("The corrected data, or the step's output; else null.")
    reason = fields.text("Why, in their words.", allow_blank=True)
    digest = fields.text("Says exactly what was decided on what; a second person sends it back.")
    first = fields.text("Who decided.")
    second = fields.text("Who agreed or declined, where that took a second person.", allow_blank=True)
    at = fields.at("When it was decided.")
    error = fields.text("Why it was not carried out.", allow_blank=True)


class CaseWhole(Shape):
    """A case with all that is needed to decide it."""

    case = CaseShape(source="row", help_text="The case.")
    cause = fields.text("What happened, in plain words.", allow_blank=True)
    problems = ProblemPlace(many=True, help_text="What the other system found wrong.")
    error = fields.anything("What the failed step raised, as a problem document; else null.")
    facts = fields.anything("What each system says, as the workflow put it together.")
    failures = fields.number("How often its step failed.")
    reopened_at = fields.perhaps_at("When it came back last.")
    decided_at = fields.perhaps_at("When somebody decided last.")
    decided_by = fields.text("Who.", allow_blank=True)
    decision = fields.text("What.", allow_blank=True)
    run_status = fields.text("Where the run behind it is.", allow_blank=True)
    workflow = fields.text("The workflow's name for people.", allow_blank=True)
    answers = AnswerShape(many=True, help_text="What may be decided now.")
    suggestion = SuggestionShape(
        allow_null=True, help_text="What usually helps; null where nothing is to be done."
    )
    has_editable = fields.yes_or_no("Whether the failed step's data can be corrected now.")
    editable = fields.anything("These data; the decision `edit` sends them back corrected.")
    acts = ActShape(many=True, help_text="What was done about it, oldest first.")
    comments = NoteShape(source="notes", many=True, help_text="What was said about it.")
    alike_open = fields.number("Other open cases of the same cause.")
    runbook = fields.text("Name of the page that says what to do.")
    pending = PendingShape(
        allow_null=True,
        help_text="What is about to become of it, or why the last decision was not carried out.",
    )


class CaseQuery(Shape):
    """Which cases."""

    state = fields.one_of(
        _STATES, "Open ones (awake), unless said otherwise.", required=False, default="open"
    )
    assignee = PublicId("usr", required=False, help_text="Of this person.")
    unassigned = fields.yes_or_no("Only those that nobody has.", required=False, default=False)
    past_due = fields.yes_or_no("Only those whose due time is over.", required=False, default=False)
    kind = fields.text("Of this kind; `run_failed` for every failure.", required=False)
    severity = fields.one_of(Severity.choices, "As urgent as this.", required=False)
    workflow = PublicId("wfl", required=False, help_text="Of this workflow.")
    business_key = fields.text("About exactly this order, RMA, PO or SKU.", required=False)
    fingerprint = fields.text("Of the same cause.", required=False)
    closed_how = fields.one_of(ClosedHow.choices, "Closed by whom.", required=False)
    text = fields.text("Stands in title, cause, order or code.", required=False)
    since = fields.at("Opened at or after this instant.", required=False)
    until = fields.at("Opened before this instant.", required=False)
    sort = fields.one_of(
        list(SORTS),
        "By due time, by money, newest first, or last closed first.",
        required=False,
    )


class DecideCase(Shape):
    """A decision."""

    decision = fields.one_of(
        _DECISIONS,
        "About the run: retry, edit (on `value`), skip, complete (with `value`), cancel. Else: resolve or dismiss.",
    )
    value = fields.anything(
        "Corrected data, or the step's output.", required=False, default=None, allow_null=True
    )
    reason = fields.reason()
    seen = fields.number(
        "The version that you saw; refused if the case has changed since.",
        required=False,
        default=None,
        allow_null=True,
    )


class ReopenCase(Shape):
    """Why it is open again."""

    reason = fields.reason()


class AssignCase(Shape):
    """Who gets it."""

    to = PublicId("usr", allow_null=True, help_text="A person who decides cases here; null for nobody.")
    reason = fields.reason()


class SnoozeCase(Shape):
    """Until when it sleeps."""

    until = fields.perhaps_at("An instant to come; null wakes it.")
    reason = fields.reason()


class CommentCase(Shape):
    """Something to say."""

    text = fields.text("At most 5,000 characters.", max_length=5_000)
    visibility = fields.one_of(
        Visibility.choices, "Internal ones are the partner's.", required=False, default=Visibility.CLIENT
    )


class CommentMade(Shape):
    """A comment that was made."""

    id = PublicId("cmt", help_text="Id of the comment.")


class Cases(Desk):
    """The inbox."""

    rule = rule(get="inbox.read")

    @operation("list_cases", query=CaseQuery, returns=CaseShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Cases, most urgent first unless sorted otherwise."""
        wanted = dict(call.query)
        sort, now = wanted.pop("sort", ""), context.now()
        found = CaseFilter(**wanted)
        return call.paging.behind(lambda **page: queries.cases(found, now=now, sort=sort, **page))


def _whole(call: Call, key: UUID) -> CaseDetail:
    return queries.case(key, now=context.now(), internal=policy.is_partner_staff(call.actor))


class OneCase(Desk):
    """One case."""

    rule = rule(get="inbox.read")

    @operation("get_case", returns=CaseWhole)
    def get(self, call: Call, case: str) -> CaseDetail:
        """A case with all that is needed to decide it."""
        return _whole(call, key_of("case", case))


class DecideOne(Desk):
    """Deciding."""

    rule = rule(post="inbox.decide")

    @operation(
        "decide_case",
        takes=DecideCase,
        returns=CaseWhole,
        once=True,
        raises=(NotDecidable, CaseAlreadyDecided, CaseClosed, CaseChanged, RunWaits),
        example={"decision": "edit", "value": {"postcode": "BS1 4DB"}, "reason": "By phone.", "seen": 1},
    )
    def post(self, call: Call, case: str) -> CaseDetail:
        """Decide an open case: send the run behind it on its way, cancel it, or resolve or dismiss the case.

        Above the client's limit a second person agrees in the portal first: the case is answered as it is, with
        `pending` in state `asked`.
        """
        key = key_of("case", case)
        actions.put_decision(case_id=key, actor=call.actor, now=context.now(), **call.body)
        return _whole(call, key)


class ReopenOne(Desk):
    """Opening again."""

    rule = rule(post="inbox.decide")

    @operation("reopen_case", takes=ReopenCase, returns=CaseWhole, once=True, raises=(CaseOpen, RunOver))
    def post(self, call: Call, case: str) -> CaseDetail:
        """Open a closed case again; its due time starts anew."""
        key = key_of("case", case)
        actions.reopen_case(case_id=key, actor=call.actor, now=context.now(), **call.body)
        return _whole(call, key)


class AssignOne(Desk):
    """Giving."""

    rule = rule(post="inbox.decide")

    @operation("assign_case", takes=AssignCase, returns=CaseWhole, once=True, raises=(CaseClosed,))
    def post(self, call: Call, case: str) -> CaseDetail:
        """Give a case to a person, or to nobody."""
        key = key_of("case", case)
        actions.assign_case(case_id=key, actor=call.actor, now=context.now(), **call.body)
        return _whole(call, key)


class SnoozeOne(Desk):
    """Putting off."""

    rule = rule(post="inbox.decide")

    @operation("snooze_case", takes=SnoozeCase, returns=CaseWhole, once=True, raises=(CaseClosed,))
    def post(self, call: Call, case: str) -> CaseDetail:
        """Take a case out of sight for a while; its due time stays."""
        key = key_of("case", case)
        actions.snooze_case(case_id=key, actor=call.actor, now=context.now(), **call.body)
        return _whole(call, key)


class Comments(Desk):
    """Saying something."""

    rule = rule(post="inbox.comment")

    @operation(
        "comment_on_case",
        takes=CommentCase,
        returns=CommentMade,
        status=CREATED,
        once=True,
        example={"text": "The carrier found it.", "visibility": "client"},
    )
    def post(self, call: Call, case: str) -> dict[str, Any]:
        """Say something about a case, open or closed."""
        key = key_of("case", case)
        made = actions.comment_on_case(case_id=key, actor=call.actor, now=context.now(), **call.body)
        return {"id": made}
