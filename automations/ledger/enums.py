"""What can stand still, and what a run can be held by."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Level(TextChoices):
    """What a pause stops."""

    PLATFORM = "platform", _("Client, by the platform")
    PARTNER = "partner", _("All clients")
    TENANT = "tenant", _("Client")
    WORKFLOW = "workflow", _("Workflow")
    CONNECTION = "connection", _("Connection")
    RUN = "run", _("Run")


SHUTTING = frozenset({Level.PLATFORM, Level.PARTNER, Level.TENANT})
"""Those by which nothing of a client is claimed at all."""


class HoldKind(TextChoices):
    """Why a run is held."""

    PAUSE = "pause", _("Paused")
    LANE = "lane", _("Waits for its turn")
    CALL = "call", _("Waits for the connection")
