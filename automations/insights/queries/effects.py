"""What came of an event: the runs that it started, and whether working on it failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from automations.engine import queries as engine
from automations.events.models import Rejection
from automations.events.queries import EventView

_MOST: Final = 50
_SOON: Final = timedelta(days=2)
"""A run begins at the instant of its event, or when it was worked on: backlogs are hours, hardly days."""


@dataclass(frozen=True, slots=True)
class Started:
    """A run that an event started."""

    public_id: str
    title: str
    status: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What came of an event; `rejection` is the public id of what was set aside of it."""

    runs: Sequence[Started]
    rejection: str


def effects(event: EventView) -> Effects:
    """The runs that an event started, and what was set aside of it."""
    first, last = min(event.time, event.received_at), max(event.time, event.received_at)
    found = list(
        engine.runs(since=first, until=last + _SOON).filter(event_id=event.id, parent_id=None)[:_MOST]
    )
    titles = engine.titles() if found else {}
    runs = [Started(run.public_id, titles.get(run.workflow_id, ""), run.status) for run in found]
    aside = Rejection.objects.filter(event=event.id).order_by("-received_at").first()
    return Effects(runs, aside.public_id if aside else "")
