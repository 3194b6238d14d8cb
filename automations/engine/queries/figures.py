"""Figures of workflows and runs over a period."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from automations.engine.enums import RunStatus
from automations.engine.models import Run, Workflow

Json = Any
_FIGURES: Final = """
select workflow_id, count(*) filter (where tasks = ''),
  count(*) filter (where status = 'completed' and tasks = ''), count(*) filter (where status = 'suspended'),
  count(*) filter (where status = 'faulted' and tasks = ''), count(*) filter (where status = 'waiting' and tasks = ''),
  max(started_at),
  percentile_cont(0.5) within group (order by extract(epoch from ended_at - started_at))
    filter (where ended_at is not null and tasks = '')
from engine_run where started_at >= %s group by workflow_id
"""


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """How a workflow does over a period; the median is of runs that ended, in seconds."""

    workflow: Workflow
    total: int
    completed: int
    suspended: int
    faulted: int
    waiting: int
    last_started_at: datetime | None
    median_seconds: float | None

    @property
    def success(self) -> float | None:
        """Completed over ended or held, as a fraction; None without any."""
        ended = self.completed + self.faulted + self.suspended
        return self.completed / ended if ended else None

    @property
    def health(self) -> str:
        """paused, healthy or degraded (a run waits for a person, or more than 1 % failed)."""
        if self.workflow.state != "active":
            return "paused"
        if self.suspended or (self.success is not None and self.success < 0.99):
            return "degraded"
        return "healthy"


def workflow_figures(since: datetime) -> list[WorkflowFigures]:
    """All workflows with their figures since then; two statements however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [since])
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    nothing = (0, 0, 0, 0, 0, None, None)
    return [WorkflowFigures(workflow, *rows.get(workflow.id, nothing)) for workflow in Workflow.objects.all()]


def unfinished_counts(workflow_id: UUID | None = None) -> dict[str, int]:
    """Runs that are not over, by status; cheap, since there are few of them."""
    found = Run.objects.exclude(status__in=(RunStatus.COMPLETED, RunStatus.CANCELLED))
    if workflow_id:
        found = found.filter(workflow_id=workflow_id)
    return dict(found.values_list("status").annotate(n=Count("id")).order_by())


def titles() -> dict[UUID, str]:
    """What people call each workflow."""
    return dict(Workflow.objects.values_list("id", "title"))


def status_counts(since: datetime | None = None) -> dict[str, int]:
    """Runs by status, started since then; of a map's items only those that wait for a person count."""
    found = Run.objects.filter(Q(tasks="") | Q(status=RunStatus.SUSPENDED))
    if since:
        found = found.filter(started_at__gte=since)
    counts = dict(found.values_list("status").annotate(n=Count("id")).order_by())
    return {status: counts.get(status, 0) for status in RunStatus.values}
