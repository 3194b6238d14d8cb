"""Dates as jq counts them: seconds since 1970, or "broken down" as an array, always in UTC.

Broken down: year, month from 0, day, hour, minute, second with fraction, weekday from Sunday = 0, day of the year
from 0. There is no local zone here: `localtime` and `strflocaltime` are UTC, too.
"""

import datetime as dt
import math
from typing import Final

from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, is_number

_DAY: Final = 86_400
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_CYCLE_DAYS: Final = 146_097
"""Days in 400 years, after which the calendar repeats."""
_FURTHEST: Final = 67_767_976_233_532_799
"""The last second of the year 2,147,483,647, as far as C counts."""


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date; months (from 0) and days may lie outside their range."""
    year, month = year + month // 12, month % 12
    cycles, within = divmod(year - 2_000, 400)
    first = dt.date(2_000 + within, month + 1, 1).toordinal() - _EPOCH
    return first + cycles * _CYCLE_DAYS + day - 1


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month (from 0) and day of a number of days since 1970."""
    cycles, within = divmod(days + _EPOCH - 1, _CYCLE_DAYS)
    date = dt.date.fromordinal(within + 1)
    return date.year + 400 * cycles, date.month - 1, date.day


def weekday(days: int) -> int:
    """The weekday of a number of days since 1970, Sunday = 0."""
    return (days + 4) % 7


def broken_down(seconds: float) -> list[Json]:
    """Seconds since 1970 as an array. Raises Raised if they lie too far away."""
    if not abs(seconds) <= _FURTHEST:
        raise Raised("error converting number of seconds since epoch to datetime")
    whole = math.floor(seconds)
    days, rest = divmod(whole, _DAY)
    year, month, day = date_of(days)
    second: float = rest % 60
    if seconds != whole:
        second += seconds - whole
    return [
        year,
        month,
        day,
        rest // 3_600,
        rest // 60 % 60,
        second,
        weekday(days),
        days - days_of(year, 0, 1),
    ]


def gmtime(_fuel: Fuel, value: Json) -> Json:
    """`gmtime`"""
    if not is_number(value):
        raise Raised("gmtime() requires numeric inputs")
    return broken_down(value)


def _parts(value: Json, name: str) -> list[int]:
    """Year, month, day, hour, minute, second of an array; what is missing is 0, the year 1900."""
    if value.__class__ is not list:
        raise Raised(
            f"{name} requires array inputs" if name == "mktime" else f"{name} requires parsed datetime inputs"
        )
    parts = [1900, 0, 0, 0, 0, 0]
    for place, part in enumerate(value[:8]):
        if not is_number(part) or not abs(part) < 2**31:
            raise Raised(f"{name} requires parsed datetime inputs")
        if place < 6:
            parts[place] = int(part)
    return parts


def seconds_of(parts: list[int]) -> int:
    """Seconds since 1970 of year, month, day, hour, minute, second, of which each may lie outside its range."""
    year, month, day, hour, minute, second = parts
    return days_of(year, month, day) * _DAY + hour * 3_600 + minute * 60 + second


def mktime(_fuel: Fuel, value: Json) -> Json:
    """`mktime`: whole seconds since 1970 of a broken down time."""
    return seconds_of(_parts(value, "mktime"))


def time_parts(value: Json, name: str) -> list[Json]:
    """A time to be formatted, in full, from seconds or from an array of which the first parts count."""
    if is_number(value):
        return broken_down(value)
    if value.__class__ is not list:
        raise Raised(f"{name} requires parsed datetime inputs")
    return broken_down(seconds_of(_parts(value, name)))
