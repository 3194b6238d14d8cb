"""Lists in pages: `limit` says how many, `next` and `previous` are addresses that stay right while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework import serializers

from automations.events.queries import Page
from kernel import clock, jsonx
from kernel.errors import Invalid
from portal.api.fields import Shape

SIZE: Final = 50
MOST: Final = 200
_FORWARD, _BACK = "n", "p"


class PageQuery(Shape):
    """How much of a list is asked for, and where it goes on."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=SIZE, required=False, help_text=f"How many, at most {MOST}."
    )
    cursor = serializers.CharField(
        required=False, help_text="Where the page begins: taken from `next` or `previous`."
    )


@dataclass(frozen=True)
class Listing:
    """Some of a list, and the cursors of the pages around it (empty where there is none)."""

    items: Sequence[Any]
    next: str = ""
    previous: str = ""


@dataclass(frozen=True)
class Paging:
    """The page that a request asks for."""

    limit: int = SIZE
    cursor: str = ""

    def of(self, rows: Any, *, by: str) -> Listing:
        """The page of a query, in the order of field `by` (`-at`: falling) and then of keys. Raises Invalid."""
        field, falling = by.lstrip("-"), by.startswith("-")
        back, value, key = self._place(rows.model, field)
        falling ^= back
        if key is not None:
            less = "lt" if falling else "gt"
            rows = rows.filter(
                # the first condition says nothing new; it is the one that an index serves
                Q(**{f"{field}__{less}e": value}),
                Q(**{f"{field}__{less}": value}) | Q(**{field: value, f"id__{less}": key}),
            )
        sign = "-" if falling else ""
        found = list(rows.order_by(f"{sign}{field}", f"{sign}id")[: self.limit + 1])
        more = len(found) > self.limit
        found = found[: self.limit]
        if back:
            found.reverse()
        ahead, behind = (key is not None, more) if back else (more, key is not None)
        return Listing(
            found,
            next=_cursor(_FORWARD, getattr(found[-1], field), found[-1].id) if ahead and found else "",
            previous=_cursor(_BACK, getattr(found[0], field), found[0].id) if behind and found else "",
        )

    def behind(self, fetch: Callable[..., Page[Any]]) -> Listing:
        """The page that a room's query gives for `after` and `limit`; such lists only go forward. Raises Invalid."""
        try:
            page = fetch(after=self.cursor, limit=self.limit)
        except Invalid as error:
            if "after" in error.fields:
                raise _no_place() from error
            raise
        return Listing(page.items, next=page.after)

    def _place(self, model: Any, field: str) -> tuple[bool, Any, UUID | None]:
        """(whether backwards, the value and the key from which to go)."""
        if not self.cursor:
            return False, None, None
        try:
            raw = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            way, value, key = jsonx.loads(raw)
            return way == _BACK, model._meta.get_field(field).to_python(value), UUID(key)
        except (ValueError, TypeError, AttributeError, binascii.Error, ValidationError):
            raise _no_place() from None


def _cursor(way: str, value: Any, key: UUID) -> str:
    shown = clock.rfc3339(value) if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(jsonx.dumps([way, shown, key])).decode().rstrip("=")


def _no_place() -> Invalid:
    return Invalid(fields={"cursor": ["This is no place in the list."]})
