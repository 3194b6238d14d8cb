"""When a schedule fires: its instants in its time zone, without the days and windows in which it may not. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from cronsim import CronSim

GRACE: Final = timedelta(minutes=1)
"""An instant that is seen that late was not missed."""
MOST: Final = 500
"""Instants that are fired in one go; the others follow."""
_TRIES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Timing:
    """What starts runs by the clock: an interval, a cron line, or a pause after the last run; and when it may not.

    `days` are weekdays from Monday (0), none standing for all. What falls outside is left out, or with `defer` moved
    to the first instant that is allowed.
    """

    every: float | None = None
    cron: str = ""
    after: float | None = None
    timezone: str = "UTC"
    days: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()
    blackout: tuple[tuple[datetime, datetime], ...] = ()
    defer: bool = False
    jitter: float = 0.0
    catch_up: Literal["none", "once", "all"] = "none"

    def allowed(self, at: datetime) -> bool:
        """Whether it may fire at that instant."""
        return self._next_start(at) is None

    def deferred(self, at: datetime) -> datetime | None:
        """The first instant from `at` on at which it may fire; None if that never comes."""
        for _ in range(_TRIES):
            later = self._next_start(at)
            if later is None:
                return at
            at = later
        return None

    def _next_start(self, at: datetime) -> datetime | None:
        """Where to look next if `at` is not allowed; None if it is."""
        for begin, end in self.blackout:
            if begin <= at < end:
                return end
        zone = ZoneInfo(self.timezone)
        day = at.astimezone(zone).date()
        if day in self.holidays or (self.days and day.weekday() not in self.days):
            return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        return None

    def instants(self, since: datetime, anchor: datetime) -> Iterator[datetime]:
        """The instants after `since`, in order, each once; an interval counts from `anchor`."""
        place = since
        while (raw := self._raw(place, anchor)) is not None:
            at = self.deferred(raw)
            if at is None:
                return
            if at == raw or self.defer:
                yield at
                place = at
            else:
                place = at - timedelta(microseconds=1)  # nothing before it may fire

    def _raw(self, since: datetime, anchor: datetime) -> datetime | None:
        """The first instant after `since`, allowed or not."""
        if self.cron:
            at = next(CronSim(self.cron, since.astimezone(ZoneInfo(self.timezone))), None)
            return None if at is None else at.astimezone(UTC)
        if not self.every:
            return None
        number = max(int((since - anchor).total_seconds() // self.every), 0) + 1
        at = anchor + timedelta(seconds=self.every * number)
        return at if at > since else at + timedelta(seconds=self.every)

    def spread(self, schedule: UUID, at: datetime) -> datetime:
        """When the instant `at` is carried out: up to `jitter` later, always the same for the same instant."""
        if not self.jitter:
            return at
        roll = hashlib.blake2b(f"{schedule}:{at.timestamp()}".encode(), digest_size=4).digest()
        return at + timedelta(seconds=self.jitter * int.from_bytes(roll, "big") / 0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now: the instants to fire, up to where everything is dealt with, and the next instant."""

    fire: tuple[datetime, ...]
    done: datetime
    next: datetime | None
    missed: int = 0


def plan(
    timing: Timing, schedule: UUID, *, since: datetime, anchor: datetime, now: datetime, on_time: bool
) -> Plan:
    """What a schedule has to do at `now`, all up to `since` being dealt with.

    Instants that nobody was there for are caught up on as the policy says. `on_time` says that nothing was missed,
    however late it is looked at, since the clock is one that leaps.
    """
    due: list[datetime] = []
    upcoming: datetime | None = None
    for at in timing.instants(since, anchor):
        if len(due) >= MOST or timing.spread(schedule, at) > now:
            upcoming = at
            break
        due.append(at)
    done = due[-1] if due else since
    missed = [] if on_time else [at for at in due if now - timing.spread(schedule, at) > GRACE]
    if not missed or timing.catch_up == "all":
        return Plan(tuple(due), done, upcoming)
    fresh = [at for at in due if at not in missed]
    behind = upcoming is not None and timing.spread(schedule, upcoming) <= now  # not yet at the present
    if timing.catch_up == "once" and not fresh and not behind:
        return Plan((missed[-1],), done, upcoming, len(missed) - 1)
    return Plan(tuple(fresh), done, upcoming, len(missed))
