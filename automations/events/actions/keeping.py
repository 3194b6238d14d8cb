"""Events that were kept long enough go, stored or set aside: none that somebody or something still has to deal with."""

from collections.abc import Sequence
from datetime import datetime

from automations.events import store
from automations.events.enums import RejectionState
from automations.events.models import Event, Rejection
from tenants.privacy.enums import Keeps
from tenants.privacy.registry import Purged, purger


def purge(before: datetime, held: Sequence[str], most: int) -> Purged:
    """Delete up to `most` events that came in before then."""
    due = Event.objects.filter(received_at__lt=before)
    kept = due.filter(subject__in=held).count() if held else 0
    keys = list(
        due.exclude(subject__in=held).order_by("received_at", "id").values_list("id", flat=True)[:most]
    )
    waiting = store.in_intake(keys)
    gone = [key for key in keys if key not in waiting]
    Event.objects.filter(pk__in=gone).delete()
    return Purged(keys=[str(key) for key in gone], held=kept, more=len(keys) == most)


def purge_set_aside(before: datetime, held: Sequence[str], most: int) -> Purged:
    """Delete up to `most` events that were set aside, and about which somebody decided before then."""
    due = Rejection.objects.exclude(state=RejectionState.OPEN).filter(decided_at__lt=before)
    kept = due.filter(subject__in=held).count() if held else 0
    rows = due.exclude(subject__in=held).order_by("decided_at", "id")
    keys = list(rows.values_list("id", flat=True)[:most])
    Rejection.objects.filter(pk__in=keys).delete()
    return Purged(keys=[str(key) for key in keys], held=kept, more=len(keys) == most)


purger(Keeps.EVENTS, purge)
purger(Keeps.QUARANTINE, purge_set_aside)
