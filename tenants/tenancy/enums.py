"""The states of a tenant and of a job."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TenantState(TextChoices):
    """Where a tenant is in its life; what each state means for hooks, schedules and pages is in docs/map.md."""

    TRIAL = "trial", _("Trial")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    ARCHIVED = "archived", _("Archived")
    EXPORTED = "exported", _("Exported")


CLOSED = frozenset({TenantState.ARCHIVED, TenantState.EXPORTED})
"""States in which a tenant's address leads nowhere; what is exported is to live elsewhere."""


class DeletionState(TextChoices):
    """How far the deletion of a tenant is."""

    HELD = "held", _("Waits")
    CANCELLED = "cancelled", _("Taken back")
    DONE = "done", _("Deleted")


class FleetStep(TextChoices):
    """How the last migration of a tenant's schema went."""

    DONE = "done", _("Migrated")
    FAILED = "failed", _("Failed")


class PartnerState(TextChoices):
    """Whether a partner's console and its clients work."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")


class JobState(TextChoices):
    """How far a provisioning job is."""

    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    ROLLED_BACK = "rolled_back", _("Rolled back")


class RestoreState(TextChoices):
    """How far a restore is."""

    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    READY = "ready", _("Ready to be looked at")
    DONE = "done", _("Done")
    DROPPED = "dropped", _("Thrown away")
    FAILED = "failed", _("Failed")
