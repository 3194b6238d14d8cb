"""States of what was refused, and why it was."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

CLOUDEVENTS: Final = "cloudevents"
"""The kind of endpoint that takes CloudEvents signed as Standard Webhooks has it; other kinds are connectors' names."""


class RejectionState(TextChoices):
    """Whether somebody still has to look at it."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Taken after all")
    DISCARDED = "discarded", _("Discarded")


class RejectionCode(TextChoices):
    """Why an event was set aside."""

    CONTRACT_BROKEN = "contract_broken", _("Breaks its contract")
    NOT_AN_EVENT = "not_an_event", _("Is not a CloudEvent")
    RESERVED = "reserved", _("Has a type or source that only the portal itself writes")
    ID_REUSED = "id_reused", _("Has the id of another event")
    HANDLER_FAILED = "handler_failed", _("Could not be worked on")


ACCEPTABLE: Final = frozenset({RejectionCode.CONTRACT_BROKEN, RejectionCode.HANDLER_FAILED})
"""Those that a person may take after all."""
