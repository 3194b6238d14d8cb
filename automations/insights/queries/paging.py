"""Places in lists, as texts for URLs."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q

from automations.events.queries import Page
from kernel import jsonx
from kernel.errors import Invalid

_Item = TypeVar("_Item")


def write(*place: Any) -> str:
    """A place in a list as text."""
    return base64.urlsafe_b64encode(jsonx.dumps(place)).decode().rstrip("=")


def read(text: str) -> list[Any]:
    """The place that `write` wrote. Raises Invalid."""
    try:
        found = jsonx.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise no_place() from error
    if not isinstance(found, list):
        raise no_place()
    return found


def no_place() -> Invalid:
    """What is raised for a text that is no place in this list."""
    return Invalid(fields={"after": ["This is no place in the list."]})


def page_by(found: Any, field: str, after: str, limit: int, show: Callable[[Any], _Item]) -> Page[_Item]:
    """A page of a queryset, newest first by `field` and then by key. Raises Invalid."""
    if after:
        try:
            at, key = read(after)
            instant, last = datetime.fromisoformat(at), UUID(key)
        except (ValueError, TypeError) as error:
            raise no_place() from error
        found = found.filter(**{f"{field}__lte": instant}).filter(
            Q(**{f"{field}__lt": instant}) | Q(id__lt=last)
        )
    rows = list(found.order_by(f"-{field}", "-id")[: limit + 1])
    end = rows[limit - 1] if len(rows) > limit else None
    return Page(tuple(show(row) for row in rows[:limit]), write(getattr(end, field), end.id) if end else "")
