"""Time comes in by one door, as aware UTC, so that a test can hold it still."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_held: ContextVar[datetime | None] = ContextVar("held_clock", default=None)


def now() -> datetime:
    """The present instant as aware UTC; the held instant inside `hold`."""
    return _held.get() or datetime.now(UTC)  # noqa: TID251 - the one place that reads the system clock


@contextmanager
def hold(at: datetime) -> Iterator[None]:
    """Hold the clock at `at` (aware) for the block; for tests and for replays of the past."""
    if at.tzinfo is None:
        raise ValueError("the clock is held at an aware instant")
    token = _held.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _held.reset(token)


def rfc3339(at: datetime) -> str:
    """`at` as RFC 3339 in UTC with a `Z`, microseconds only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """An aware UTC instant from RFC 3339 text; raises ValueError, also for a time without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)
