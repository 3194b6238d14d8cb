"""The query part of addresses: what a parameter says, and addresses with some of it changed."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from kernel import clock


def typed(given: Mapping[str, Any], name: str, *, most: int = 200) -> str:
    """What stands in a parameter, at most so many letters of it, and without the one that no database takes."""
    return str(given.get(name, "")).replace("\x00", "").strip()[:most]


def instant(text: str, *, end: bool = False) -> datetime | None:
    """A day (its beginning in the reader's time, or with `end` that of the next one) or an instant; else None."""
    try:
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware right here
    except (ValueError, OverflowError):
        pass
    try:
        return clock.parse_rfc3339(text)
    except ValueError:
        return None


def moved(path: str, given: Mapping[str, Any], **changes: object) -> str:
    """`path` with the parameters of `given`, some of them changed; an empty one is taken away."""
    wanted = {name: str(value) for name, value in {**dict(given.items()), **changes}.items() if value}
    return f"{path}?{urlencode(wanted)}" if wanted else path
