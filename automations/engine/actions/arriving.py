"""Runs and workflows that came with a copy of a client: what was under way there is not under way here."""

from datetime import datetime

from automations.engine.enums import STARTING, TERMINAL, RunStatus, WorkflowState
from automations.engine.models import Run, Workflow


def end_everything(at: datetime) -> tuple[int, int]:
    """Count runs that are not over as cancelled, and switch every workflow off; how many of each."""
    runs = Run.objects.exclude(status__in=TERMINAL).update(status=RunStatus.CANCELLED, ended_at=at)
    return runs, Workflow.objects.filter(state__in=STARTING).update(state=WorkflowState.OFF)
