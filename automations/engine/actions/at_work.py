"""Acts on many runs, as the one list of long work shows and steers them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import ngettext

from automations.engine import queries
from automations.engine.actions import redriving
from automations.engine.enums import BulkAct, BulkState, ItemState
from automations.engine.models import Bulk
from automations.engine.queries import BulkView
from kernel import work
from kernel.actor import Actor
from kernel.ids import public_id
from kernel.work import Item, Place, Steer, Work

_STATES: Final[Mapping[str, str]] = {
    BulkState.RUNNING: work.RUNNING,
    BulkState.STOPPED: work.PAUSED,
    BulkState.DONE: work.DONE,
}
_ITEMS: Final[Mapping[str, str]] = {
    ItemState.WAITING: work.PENDING,
    ItemState.SENT: work.RUNNING,
    ItemState.DONE: work.DONE,
    ItemState.FAILED: work.FAILED,
    ItemState.REFUSED: work.SKIPPED,
    ItemState.HELD: work.SKIPPED,
}
_TAKES: Final[Mapping[str, tuple[Steer, ...]]] = {
    BulkState.RUNNING: ("pause", "cancel"),
    BulkState.STOPPED: ("continue", "cancel"),
    BulkState.DONE: (),
}


class Bulks:
    """Acts on many runs of a client."""

    prefix: str = "blk"
    place: Place = "tenant"
    reads: str = "engine.read"
    steers: str = "engine.operate"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """The last begun first."""
        rows = queries.bulks() if before is None else queries.bulks().filter(created_at__lt=before)
        return [_work(view) for view in queries.bulk_views(list(rows[:limit]))]

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them."""
        try:
            return _work(queries.bulk_view(key))
        except Bulk.DoesNotExist:
            return None

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """Its runs, in the order in which they began."""
        rows = queries.bulk_items(key, after=after - 1)[:limit]
        return [
            Item(
                row.position + 1,
                row.business_key or public_id("run", row.run_id),
                _ITEMS[row.state],
                row.why,
                row.at,
            )
            for row in rows
        ]

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Stop it, let it go on, or leave the rest of the runs alone for good."""
        acts = {
            "pause": redriving.stop_bulk,
            "continue": redriving.continue_bulk,
            "cancel": redriving.cancel_bulk,
        }
        acts[how](bulk_id=key, actor=actor, now=now, reason=reason)


def _work(view: BulkView) -> Work:
    row = view.row
    called_off = row.state == BulkState.DONE and row.cancelled
    return Work(
        id=row.public_id,
        title=ngettext("%(act)s: %(n)d run", "%(act)s: %(n)d runs", row.total)
        % {"act": BulkAct(row.act).label, "n": row.total},
        who=row.actor["label"],
        state=work.CANCELLED if called_off else _STATES[row.state],
        began_at=row.created_at,
        over_at=row.over_at,
        total=row.total,
        done=view.through,
        trouble=view.trouble,
        said=row.reason,
        takes=() if row.cancelled else _TAKES[row.state],
        moves=view.moving,
    )
