"""The words of the privacy room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SubjectState(TextChoices):
    """How far a request about one person is."""

    FINDING = "finding", _("Looking")
    FOUND = "found", _("Found")
    ERASING = "erasing", _("Erasing")
    ERASED = "erased", _("Erased")


class Keeps(TextChoices):
    """Classes of data that are kept for a time."""

    RUN_DATA = "run_data", _("Data of runs")
    RUNS = "runs", _("Runs")
    EVENTS = "events", _("Events")
    CASES = "cases", _("Closed cases")
    QUARANTINE = "quarantine", _("Quarantined events, once decided")
    ORDERS = "orders", _("Orders in figures")


class Level(TextChoices):
    """Who said how long something is kept."""

    SYSTEM = "system", _("Installation")
    PLATFORM = "platform", _("Platform")
    PARTNER = "partner", _("Partner")
    TENANT = "tenant", _("Client")
