"""Stopping what feeds on itself: flows that start themselves, events that start too much. Each stop is a case."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.utils import translation
from django.utils.translation import gettext as _

from automations.engine.dsl.limits import MAX_HOPS, MAX_RATE, MAX_STARTS, MAX_VALUE, MEGABYTE
from automations.engine.models import Run, Workflow
from automations.engine.queries.causes import first_event
from automations.events.actions import publish
from automations.events.models import Event
from kernel import clock
from tenants.tenancy import context

log = structlog.get_logger(__name__)
_FAR: Final = 4
"""Hops from an outside cause from which on the rate of a workflow is looked at."""


@dataclass(slots=True)
class Gate:
    """Says of one batch of events which runs they may not start, and tells of each workflow once."""

    now: datetime
    _started: Counter[UUID] = field(default_factory=Counter)
    _rates: dict[UUID, int] = field(default_factory=dict)
    _told: set[tuple[UUID, str]] = field(default_factory=set)

    def lets(self, workflow: Workflow, event: Event, hops: int) -> bool:
        """Whether `event` may start a run of `workflow`."""
        limit = self._limit(workflow, event, hops)
        if limit:
            self.stop(workflow, event, limit)
            return False
        self._started[event.id] += 1
        if hops >= _FAR:
            self._rates[workflow.id] += 1
        return True

    def _limit(self, workflow: Workflow, event: Event, hops: int) -> str:
        if hops > MAX_HOPS:
            return "hops"
        if self._started[event.id] >= MAX_STARTS:
            return "starts"
        if hops >= _FAR:
            if workflow.id not in self._rates:
                since = self.now - timedelta(minutes=1)
                recent = Run.objects.filter(workflow_id=workflow.id, started_at__gt=since, hops__gte=_FAR)
                self._rates[workflow.id] = recent.order_by()[: MAX_RATE + 1].count()
            if self._rates[workflow.id] >= MAX_RATE:
                return "rate"
        return ""

    def stop(self, workflow: Workflow, event: Event, limit: str) -> None:
        """Log it, and ask for a case that names the limit and the oldest cause; again only after the next batch."""
        log.warning("run not started", workflow=workflow.name, event_id=event.public_id, limit=limit)
        if (workflow.id, limit) in self._told:
            return
        self._told.add((workflow.id, limit))
        first = first_event(event)
        with translation.override(context.current().language):
            title = _("“%(workflow)s” was not started again") % {"workflow": workflow.title}
            cause = f"{_why(limit)} {_began(first)}"
        publish(
            type="portal.case.requested",
            subject=event.subject,
            data={
                "key": f"stopped:{limit}:{workflow.id}",
                "kind": "flow_stopped",
                "title": title,
                "cause": cause,
                "severity": "high",
                "task": workflow.name,
                "facts": {
                    "limit": limit,
                    "code": f"limit_{limit}",
                    "workflow": workflow.name,
                    "event": event.public_id,
                    "firstEvent": first.public_id,
                },
            },
            source="/engine",
            time=self.now,
            internal=True,
        )


def _why(limit: str) -> str:
    return {
        "hops": _(
            "There are more than %(most)d runs and events between it and its first cause: it feeds on itself."
        )
        % {"most": MAX_HOPS},
        "starts": _("One event may start %(most)d runs; this one would start more.") % {"most": MAX_STARTS},
        "rate": _("Other runs started it more than %(most)d times within a minute.") % {"most": MAX_RATE},
        "value": _("The event is larger than the %(most)d MB that a value may have.")
        % {"most": MAX_VALUE // MEGABYTE},
    }[limit]


def _began(first: Event) -> str:
    return _("It began with the event %(type)s %(subject)s of %(time)s (%(id)s).") % {
        "type": first.type,
        "subject": first.subject,
        "time": clock.rfc3339(first.received_at.replace(microsecond=0)),
        "id": first.public_id,
    }
