"""What rooms above tell people of: cases that have just opened, and whose they are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from automations.inbox.models import Case


@dataclass(frozen=True, slots=True)
class Told:
    """A case, as much of it as a notice says."""

    id: UUID
    public_id: str
    code: str
    title: str
    severity: str
    fingerprint: str
    assignee_id: UUID | None
    opened_at: datetime
    version: int


def opened_by(runs: Collection[UUID], since: datetime) -> list[Told]:
    """Open cases of these runs that opened, or opened again, at `since` or later; oldest first."""
    found = Case.objects.open().filter(run_id__in=runs).order_by("opened_at", "id")
    return [told(case) for case in found if (case.reopened_at or case.opened_at) >= since]


def told_of(keys: Collection[UUID]) -> dict[UUID, Told]:
    """The cases with these keys, as far as they are there."""
    return {case.id: told(case) for case in Case.objects.filter(pk__in=keys)}


def told(case: Case) -> Told:
    """The frozen form of a case."""
    return Told(
        id=case.id,
        public_id=case.public_id,
        code=case.code,
        title=case.title,
        severity=case.severity,
        fingerprint=case.fingerprint,
        assignee_id=case.assignee_id,
        opened_at=case.opened_at,
        version=case.version,
    )
