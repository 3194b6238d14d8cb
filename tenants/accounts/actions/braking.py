"""Brakes on guessing, in the database: they hold in every process and on every host, also while a cache is away."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, F, Value, When

from tenants.accounts.models import Brake

WINDOW: Final = timedelta(minutes=10)


def key_of(*parts: str) -> str:
    """What is counted, as it is kept: an address or a name stands nowhere in plain."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def full(limits: Iterable[tuple[str, int]], now: datetime) -> bool:
    """Whether any of these (key, limit) has had its fill of failures."""
    known = dict(limits)
    rows = Brake.objects.filter(pk__in=known, since__gt=now - WINDOW).values_list("key", "fails")
    return any(fails >= known[key] for key, fails in rows)


def count(keys: Iterable[str], now: datetime) -> int:
    """One more failure for each key; the highest count."""
    most = 0
    for key in sorted(keys):  # in one order, so that two who count at once do not wait for each other
        Brake.objects.bulk_create([Brake(key=key, fails=0, since=now)], ignore_conflicts=True)
        old = When(since__lte=now - WINDOW, then=Value(1))
        Brake.objects.filter(pk=key).update(
            fails=Case(old, default=F("fails") + 1),
            since=Case(When(since__lte=now - WINDOW, then=Value(now)), default=F("since")),
        )
        most = max(most, Brake.objects.values_list("fails", flat=True).get(pk=key))
    return most


def forget(key: str) -> None:
    """It was right this time."""
    Brake.objects.filter(pk=key).delete()
