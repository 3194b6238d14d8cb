"""Files on cases: what there is, and what one holds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from automations.inbox.enums import Visibility
from automations.inbox.models import Paper
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class PaperView:
    """A file on a case, without what it holds."""

    id: UUID
    public_id: str
    name: str
    media: str
    size: int
    internal: bool
    actor: str
    at: datetime


def papers(case_id: UUID, *, internal: bool) -> list[PaperView]:
    """The files on a case, oldest first; those of the partner's staff if `internal`."""
    found = Paper.objects.filter(case_id=case_id).defer("content")
    if not internal:
        found = found.filter(visibility=Visibility.CLIENT)
    return [_view(one) for one in found]


def paper(case_id: UUID, key: UUID, *, internal: bool) -> tuple[PaperView, bytes]:
    """One file and what it holds. Raises NotFound."""
    found = Paper.objects.filter(pk=key, case_id=case_id).first()
    if found is None or (found.visibility == Visibility.INTERNAL and not internal):
        raise NotFound
    return _view(found), bytes(found.content)


def _view(one: Paper) -> PaperView:
    return PaperView(
        one.id,
        one.public_id,
        one.name,
        one.media,
        one.size,
        one.visibility == Visibility.INTERNAL,
        one.actor,
        one.at,
    )
