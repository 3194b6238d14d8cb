"""What somebody should look at first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max

from automations.connectors import queries as connectors
from automations.engine import queries as engine
from automations.events.models import Event
from automations.inbox import queries as inbox
from automations.inbox.contract import Words
from automations.inbox.queries import CaseFilter

_CASES: Final = 4
_WINDOW: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that needs a look: a case, a connection or a workflow; `id` leads to it."""

    kind: str
    id: str
    title: str
    detail: Words
    tone: str
    due_at: datetime | None = None
    value_minor: int | None = None
    currency: str = ""


def needed(now: datetime) -> list[Attention]:
    """The most urgent open cases, connections that do not work, and workflows that fail, in this order."""
    found = [
        Attention(
            kind="case",
            id=one.public_id,
            title=one.title,
            detail=one.label,
            tone="bad" if one.late or one.severity == "critical" else "warn",
            due_at=one.due_at,
            value_minor=one.value_minor,
            currency=one.currency,
        )
        for one in inbox.cases(CaseFilter(), now=now, limit=_CASES).items
    ]
    found += [
        Attention(kind="connection", id=one.public_id, title=one.name, detail=one.state_detail, tone="bad")
        for one in connectors.unhealthy()
    ]
    found += [
        Attention(
            kind="workflow",
            id=one.workflow.public_id,
            title=one.workflow.title,
            detail=str(one.faulted + one.suspended),
            tone="warn",
        )
        for one in engine.workflow_figures(now - _WINDOW)
        if one.health == "degraded"
    ]
    return found


def last_event_at() -> datetime | None:
    """When the last event came in."""
    found: datetime | None = Event.objects.aggregate(last=Max("received_at"))["last"]
    return found
