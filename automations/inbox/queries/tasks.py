"""Small tasks of a store: cases that a workflow asked for, with the form of their answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from automations.engine import queries as engine
from automations.inbox.enums import STORE_TASKS
from automations.inbox.errors import CaseUnknown
from automations.inbox.models import Case
from automations.inbox.queries.listing import CaseRow, row_of


@dataclass(frozen=True, slots=True)
class StoreTask:
    """A task; `form` is the schema of its answer, none where a yes is enough; `facts` what the workflow says."""

    row: CaseRow
    cause: str
    facts: Any
    form: Mapping[str, Any] | None


def store_tasks(*, now: datetime, limit: int = 100) -> list[CaseRow]:
    """Open tasks, the most urgent first."""
    found = Case.objects.open().filter(kind__in=STORE_TASKS).order_by("due_at", "id")[:limit]
    return [row_of(case, now) for case in found]


def store_task(case_id: UUID, *, now: datetime) -> StoreTask:
    """One task, open or done. Raises CaseUnknown for every other case."""
    found = Case.objects.filter(pk=case_id, kind__in=STORE_TASKS).first()
    if found is None:
        raise CaseUnknown
    asked = engine.question(found.run_id, found.key) if found.run_id and not found.closed else None
    return StoreTask(row_of(found, now), found.cause, found.facts, asked.form if asked else None)


def done_by(case_id: UUID, user_id: UUID | None) -> bool:
    """Whether this person has done this task already."""
    last = Case.objects.filter(pk=case_id, closed_at__isnull=False, by_person=True).first()
    act = last.decisions.filter(kind="resolve").last() if last else None
    return act is not None and act.actor_id == user_id
