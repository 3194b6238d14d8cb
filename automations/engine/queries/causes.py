"""What something began with: the chain of runs and events behind it, followed to its first link."""

from typing import Final
from uuid import UUID

from automations.engine.models import Run
from automations.events.models import Event

_LONGEST: Final = 64
_RUN_ID: Final = 36


def first_event(event: Event) -> Event:
    """The oldest event in the chain that led to `event`: the runs that told it, what started them, and so on."""
    for _ in range(_LONGEST):
        run = _eldest(_teller(event))
        before = Event.objects.filter(pk=run.event_id).first() if run and run.event_id else None
        if before is None:
            return event
        event = before
    return event


def first_event_of_run(run_id: UUID) -> Event | None:
    """The oldest event in the chain that led to a run; None where no event did."""
    run = _eldest(Run.objects.defer("input", "output").filter(pk=run_id).first())
    event = Event.objects.filter(pk=run.event_id).first() if run and run.event_id else None
    return first_event(event) if event else None


def _teller(event: Event) -> Run | None:
    """The run that told of `event`: its id begins with the run's."""
    if event.endpoint_id is not None:
        return None
    try:
        key = UUID(event.event_id[:_RUN_ID])
    except ValueError:
        return None
    return Run.objects.defer("input", "output").filter(pk=key).first()


def _eldest(run: Run | None) -> Run | None:
    """The run in which a run's ancestors began."""
    for _ in range(_LONGEST):
        parent = (
            Run.objects.defer("input", "output").filter(pk=run.parent_id).first()
            if run and run.parent_id
            else None
        )
        if parent is None:
            return run
        run = parent
    return run
