"""Old traces of signing in are deleted; what was done stays in the audit."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from tenants.accounts.models import Brake, MailLink, SamlAnswer, Visit

KEPT: Final = timedelta(days=30)
_BRAKES_KEPT: Final = timedelta(hours=1)


def forget_old(*, now: datetime, most: int = 10_000) -> int:
    """Delete sessions, links and brakes whose time is long over, up to `most` of each; how many."""
    over: tuple[QuerySet[Any], ...] = (
        Visit.objects.filter(seen_at__lt=now - KEPT),
        MailLink.objects.filter(expires_at__lt=now - KEPT),
        Brake.objects.filter(since__lt=now - _BRAKES_KEPT),
        SamlAnswer.objects.filter(counts_until__lt=now),
    )
    return sum(
        QuerySet(rows.model).filter(pk__in=list(rows.values_list("pk", flat=True)[:most])).delete()[0]
        for rows in over
    )
