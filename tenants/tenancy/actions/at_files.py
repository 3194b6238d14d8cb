"""Files of clients that are made, and files that are laid out beside them, as the one list of long work shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from kernel import work
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound
from kernel.work import Item, Place, Steer, Work
from tenants.tenancy.actions import restoring
from tenants.tenancy.enums import JobState, RestoreState
from tenants.tenancy.models import Restore, TenantFile

_FILES: Final[Mapping[str, str]] = {
    JobState.PENDING: work.PENDING,
    JobState.RUNNING: work.RUNNING,
    JobState.DONE: work.DONE,
    JobState.FAILED: work.FAILED,
    JobState.ROLLED_BACK: work.CANCELLED,
}
_RESTORES: Final[Mapping[str, str]] = {
    RestoreState.PENDING: work.PENDING,
    RestoreState.RUNNING: work.RUNNING,
    RestoreState.READY: work.PAUSED,  # it waits for somebody who looks
    RestoreState.DONE: work.DONE,
    RestoreState.DROPPED: work.CANCELLED,
    RestoreState.FAILED: work.FAILED,
}


class Files:
    """The files of a partner's clients."""

    prefix: str = "tfl"
    place: Place = "partner"
    reads: str = "tenancy.carry"
    steers: str = "tenancy.carry"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """The last asked for first."""
        return [_file(row) for row in _before(_files(where), before)[:limit]]

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them."""
        row = _files(where).filter(pk=key).first()
        return _file(row) if row else None

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """A file is made in one piece."""
        return []

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """It goes on by itself, three times. Raises Conflict."""
        raise Conflict("this work takes no orders")


class Restores:
    """What is laid out beside a partner's clients."""

    prefix: str = "rst"
    place: Place = "partner"
    reads: str = "tenancy.carry"
    steers: str = "tenancy.carry"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """The last asked for first."""
        return [_restore(row) for row in _before(_restores(where), before)[:limit]]

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them."""
        row = _restores(where).filter(pk=key).first()
        return _restore(row) if row else None

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """The tables that are compared."""
        row = _restores(where).filter(pk=key).first()
        found = [
            Item(place, one["table"], work.DONE, f"{one['now']} → {one['then']}", None)
            for place, one in enumerate(row.compared if row else [], start=1)
        ]
        return found[after : after + limit]

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Throw it away. Raises NotFound and Conflict."""
        row = _restores(where).filter(pk=key).first()
        if row is None:
            raise NotFound
        if how != "cancel":
            raise Conflict("this work can only be called off")
        restoring.drop_restore(restore=row, reason=reason, actor=actor, now=now)


def _files(partner_id: UUID) -> Any:
    return TenantFile.objects.filter(partner_id=partner_id).select_related("tenant")


def _restores(partner_id: UUID) -> Any:
    return Restore.objects.filter(partner_id=partner_id).select_related("tenant")


def _before(rows: Any, before: datetime | None) -> Any:
    return rows.filter(asked_at__lt=before) if before else rows


def _file(row: TenantFile) -> Work:
    return Work(
        id=row.public_id,
        title=_("Export %(name)s") % {"name": row.tenant.name},
        who=row.asked_by,
        state=_FILES[row.state],
        began_at=row.asked_at,
        over_at=row.done_at,
        total=row.rows if row.state == JobState.DONE else 0,
        done=row.rows,
        trouble=1 if row.error else 0,
        said=row.error,
        takes=(),
    )


def _restore(row: Restore) -> Work:
    is_open = row.state in (RestoreState.PENDING, RestoreState.RUNNING, RestoreState.READY)
    return Work(
        id=row.public_id,
        title=_("Take %(name)s back to a file") % {"name": row.tenant.name},
        who=row.asked_by,
        state=_RESTORES[row.state],
        began_at=row.asked_at,
        over_at=row.over_at,
        total=len(row.compared),
        done=len(row.compared),
        trouble=1 if row.error else 0,
        said=row.error,
        takes=("cancel",) if is_open else (),
    )
