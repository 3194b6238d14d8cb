"""What a figure looks at: an instant, a period, a time zone; and the shapes in which figures and their rows come."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from automations.inbox.contract import Words


@dataclass(frozen=True)
class Scope:
    """Look from instant `at`, at what fell into [since, until) where given; days are those of `zone`.

    Nothing that happened after `at` is used, so a figure of the past comes out as it was then.
    """

    at: datetime
    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = field(default=UTC)

    def before(self) -> "Scope | None":
        """The period of the same length before this one; None where there is no period."""
        if self.since is None:
            return None
        length = (self.until or self.at) - self.since
        return replace(self, at=min(self.at, self.since), since=self.since - length, until=self.since)

    def days(self) -> list[date]:
        """Every day of the period in its zone."""
        if self.since is None:
            return []
        day = self.since.astimezone(self.zone).date()
        last = ((self.until or self.at) - timedelta(microseconds=1)).astimezone(self.zone).date()
        return [day + timedelta(days=number) for number in range((last - day).days + 1)]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a figure: a status, a bucket, a percentile. Its code opens its rows."""

    code: str
    label: Words
    value: float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its value (None where there is nothing to count from), of how many, and its parts."""

    value: float | None
    n: int
    parts: Sequence[Part] = ()

    def part(self, code: str) -> float | None:
        """The value of one part. Raises KeyError."""
        for one in self.parts:
            if one.code == code:
                return one.value
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class FactRow:
    """A row behind a figure: an order, an order's line, a case or a run; `value` is what it adds to the figure.

    `id` leads to its page (an order's id; else a public id), `at` is when it fell into the period.
    """

    kind: str
    id: str
    title: str
    state: str
    at: datetime | None
    value: float | None
    value_minor: int | None
    currency: str
    place: str = ""
