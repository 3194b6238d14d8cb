"""Words of the inbox: how urgent a case is, where it stands, what may be decided, and what became of it."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Severity(TextChoices):
    """How urgent a case is, whatever its due time."""

    CRITICAL = "critical", _("Critical")
    HIGH = "high", _("High")
    NORMAL = "normal", _("Normal")


class CaseState(TextChoices):
    """Where a case is. Resolving: somebody decided and the run is on its way; what comes of it is not known yet."""

    OPEN = "open", _("Open")
    RESOLVING = "resolving", _("Being resolved")
    RESOLVED = "resolved", _("Resolved")
    DISMISSED = "dismissed", _("Dismissed")


CLOSED: Final = frozenset({CaseState.RESOLVED, CaseState.DISMISSED})


class ClosedHow(TextChoices):
    """Who closed a case: a person, the source by healing (a late event came), or the run by going on or ending."""

    PERSON = "person", _("By a person")
    AUTO = "auto", _("By itself")
    RUN = "run", _("By the run")


class ErrorClass(TextChoices):
    """What kind of error made a run fail; it picks the default decision."""

    CONNECTION = "connection", _("No connection")
    RATE_LIMIT = "rate_limit", _("Rate limit")
    PERMISSION = "permission", _("Permission")
    MISSING_DATA = "missing_data", _("Missing data")
    INVALID_VALUE = "invalid_value", _("Invalid value")
    DUPLICATE = "duplicate", _("Duplicate")
    TOO_LARGE = "too_large", _("Too large")
    UNKNOWN_OUTCOME = "unknown_outcome", _("Unknown outcome")
    ENGINE = "engine", _("Workflow error")


class Decide(TextChoices):
    """What a person does with a case. The first five concern the run behind it."""

    RETRY = "retry", _("Try again")
    EDIT = "edit", _("Correct and try again")
    SKIP = "skip", _("Skip this step")
    COMPLETE = "complete", _("Enter the result by hand")
    CANCEL = "cancel", _("Cancel the run")
    RESOLVE = "resolve", _("Resolve")
    DISMISS = "dismiss", _("Dismiss")
    REOPEN = "reopen", _("Reopen")
    ASSIGN = "assign", _("Assign")
    SNOOZE = "snooze", _("Snooze")


ON_THE_RUN: Final = frozenset({Decide.RETRY, Decide.EDIT, Decide.SKIP, Decide.COMPLETE, Decide.CANCEL})
CLOSING: Final = frozenset({Decide.RESOLVE, Decide.DISMISS})
FIXING: Final = frozenset({Decide.RETRY, Decide.EDIT, Decide.SKIP, Decide.COMPLETE, Decide.RESOLVE})
"""Decisions of which can be told later whether they worked."""


class DecisionOutcome(TextChoices):
    """What came of a decision; empty where nothing can come of it (assigned, snoozed)."""

    PENDING = "pending", _("Not known yet")
    WORKED = "worked", _("Worked")
    FAILED = "failed", _("Did not work")


class IntentState(TextChoices):
    """Where a decision is that was not carried out at once: it may still be undone, or waits for a second person."""

    WAITING = "waiting", _("About to be carried out")
    ASKED = "asked", _("Waits for a second person")
    DONE = "done", _("Carried out")
    UNDONE = "undone", _("Undone")
    REFUSED = "refused", _("Could not be carried out")
    DECLINED = "declined", _("Declined by the second person")


PENDING: Final = (IntentState.WAITING, IntentState.ASKED)


class Visibility(TextChoices):
    """Who sees a comment: the partner's staff alone, or the client's people too."""

    INTERNAL = "internal", _("Internal")
    CLIENT = "client", _("Visible to the client")


GENERIC: Final = "generic"
"""The kind that stands in for one that a template made up, which keeps its own words and takes the rest from here."""
FAILED: Final = "run_failed"
"""The kind of a run's failure; its error class follows behind a dot. Alone it stands in for an error that a workflow
raised by a name of its own."""


STORE_TASKS: Final = ("store_count", "store_delivery", "store_return")
"""Kinds of cases that are small tasks of a store: count a shelf, confirm a delivery, photograph a return."""
