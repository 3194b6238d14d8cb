"""Cases that are closed for long enough go, with what was said, decided and attached; none that a legal hold covers."""

from collections.abc import Sequence
from datetime import datetime

from automations.inbox.models import Case
from tenants.privacy.enums import Keeps
from tenants.privacy.registry import Purged, purger


def purge(before: datetime, held: Sequence[str], most: int) -> Purged:
    """Delete up to `most` cases that were closed before then."""
    due = Case.objects.filter(closed_at__lt=before)
    kept = due.filter(business_key__in=held).count() if held else 0
    rows = due.exclude(business_key__in=held).order_by("closed_at", "id")
    keys = list(rows.values_list("id", flat=True)[:most])
    Case.objects.filter(pk__in=keys).delete()
    return Purged(keys=[str(key) for key in keys], held=kept, more=len(keys) == most)


purger(Keeps.CASES, purge)
