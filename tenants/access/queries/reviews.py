"""Reads of access reviews."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from tenants.access.enums import Verdict
from tenants.access.models import AccessReview, ReviewItem
from tenants.tenancy.queries import at

STALE: Final = timedelta(days=90)
"""Whoever was not here for so long probably needs the right no more."""


def reviews_of(*, partner_id: UUID, tenant_id: UUID | None) -> Any:
    """The reviews of a place, newest first, with how much of each is decided."""
    return AccessReview.objects.filter(at(partner_id, tenant_id)).annotate(
        rights=Count("items"),
        undecided=Count("items", filter=Q(items__verdict=Verdict.OPEN)),
        taken=Count("items", filter=Q(items__verdict=Verdict.REMOVED)),
    )


def stale(items: Iterable[ReviewItem], since: datetime) -> set[UUID]:
    """Those whose holder had not been here for long when the review began."""
    return {one.id for one in items if one.used_at is None or one.used_at < since - STALE}
