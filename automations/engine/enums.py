"""Status words of the engine, as the workflow standard has them."""

from enum import IntFlag

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


TERMINAL = frozenset({RunStatus.CANCELLED, RunStatus.FAULTED, RunStatus.COMPLETED})


class WorkflowState(TextChoices):
    """Whether events start runs of a workflow."""

    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")


class Signal(IntFlag):
    """What an operator asks of a run that a worker may hold."""

    NONE = 0
    CANCEL = 1
    PAUSE = 2
