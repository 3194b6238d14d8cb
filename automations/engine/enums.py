"""Status words of the engine, as the workflow standard has them."""

from enum import IntFlag
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunStatus(TextChoices):
    """Where a run is. Suspended: it met an error that nothing in it caught, and waits for a person."""

    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")
    SUSPENDED = "suspended", _("Needs review")
    CANCELLED = "cancelled", _("Cancelled")
    FAULTED = "faulted", _("Failed")
    COMPLETED = "completed", _("Succeeded")


TERMINAL: Final = frozenset({RunStatus.CANCELLED, RunStatus.FAULTED, RunStatus.COMPLETED})
LEGAL: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    RunStatus.PENDING: frozenset({RunStatus.RUNNING, RunStatus.WAITING, RunStatus.SUSPENDED}) | TERMINAL,
    RunStatus.RUNNING: frozenset({RunStatus.WAITING, RunStatus.SUSPENDED}) | TERMINAL,
    RunStatus.WAITING: frozenset({RunStatus.RUNNING, RunStatus.SUSPENDED}) | TERMINAL,
    # it waits for a person, who sends it on or ends it
    RunStatus.SUSPENDED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.CANCELLED: frozenset(),
    RunStatus.FAULTED: frozenset(),
    RunStatus.COMPLETED: frozenset(),
}
"""What a status may become. The database itself refuses everything else (trigger `run_legal`)."""


class WorkflowState(TextChoices):
    """Whether events start runs of a workflow. Paused: they do, and the runs wait; off: they start none."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    OFF = "off", _("Switched off")


STARTING = frozenset({WorkflowState.ACTIVE, WorkflowState.PAUSED})
"""States in which events start runs; of a paused workflow they wait until it goes on."""


class BulkAct(TextChoices):
    """What is done to many runs."""

    RETRY = "retry", _("Try again")
    SKIP = "skip", _("Skip the failed step")
    CANCEL = "cancel", _("Cancel")
    MIGRATE = "migrate", _("Move to another version")


class BulkState(TextChoices):
    """How far a bulk act is. Stopped: nothing more is done until somebody lets it go on."""

    RUNNING = "running", _("Running")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Done")


class ItemState(TextChoices):
    """What became of one run of a bulk act.

    Held: an earlier run of the same order failed again, so that this one was left alone.
    """

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Under way")
    DONE = "done", _("Succeeded")
    FAILED = "failed", _("Failed again")
    REFUSED = "refused", _("Refused")
    HELD = "held", _("Left alone")


class Signal(IntFlag):
    """What an operator asks of a run that a worker may hold."""

    NONE = 0
    CANCEL = 1
