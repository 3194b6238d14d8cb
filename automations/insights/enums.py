"""Words about orders: where they are, which way a figure should go, what a timeline shows."""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrderStatus(TextChoices):
    """Where an order is, by its instants; a shop may state another word, which then counts as it is."""

    CREATED = "created", _("Created")
    APPROVED = "approved", _("Approved")
    SHIPPED = "shipped", _("Handed over")
    DELIVERED = "delivered", _("Delivered")
    CANCELED = "canceled", _("Canceled")
    UNAVAILABLE = "unavailable", _("Unavailable")


STATED: Final = {"invoiced": _("Invoiced"), "processing": _("Processing")}
"""Words that shops are known to state beside ours."""


class UnitKind(TextChoices):
    """What a part of the business is; an order belongs to one by its channel or its region."""

    STORE = "store", _("Store")
    REGION = "region", _("Region")


class Unit(StrEnum):
    """What a figure counts."""

    ORDERS = "orders"
    LINES = "lines"
    CASES = "cases"
    RUNS = "runs"
    HOURS = "hours"
    FRACTION = "fraction"


class Better(StrEnum):
    """Which way a figure should go."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class EntryKind(StrEnum):
    """What an entry of a timeline is about."""

    EVENT = "event"
    RUN = "run"
    STEP = "step"
    CASE = "case"
    DECISION = "decision"
    AUDIT = "audit"
