"""Events that were kept long enough go: none that is not dispatched yet, and none that a legal hold covers."""

from collections.abc import Sequence
from datetime import datetime

from automations.events import store
from automations.events.models import Event
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


purger(Keeps.EVENTS, purge)
