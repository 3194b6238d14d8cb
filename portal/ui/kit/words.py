"""Times, durations, numbers and amounts as a reader of the present language writes them."""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache  # noqa: TID251 - letters of numbers, the same whoever asks
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kernel.money import Money

_REGION: Final = {"en": "en_GB", "de": "de_DE"}
"""Where a language is written in several ways: dates and amounts as in this place."""
NONE: Final = "\N{EN DASH}"
"""What stands where there is nothing to say."""
_RECENT: Final = timedelta(days=6)
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
"""What names a browser in its own words; the first that stands there is it, as each also claims to be a later one."""
_SYSTEMS: Final = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS X": "macOS",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def locale() -> Locale:
    """Babel's locale for the present language."""
    return _locale(translation.get_language() or "en")


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(_REGION.get(language, language.replace("-", "_")))


def zone_name(at: datetime) -> str:
    """The zone of `at` in the reader's time, as `CET` or `UTC+2`."""
    name = timezone.localtime(at).tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def exact(at: datetime) -> str:
    """`at` with date, time and zone: 23 Nov 2026, 08:31:04 GMT."""
    local = timezone.localtime(at)
    return f"{_day(local)}, {format_time(local, 'HH:mm:ss', locale=locale(), tzinfo=_zone())} {zone_name(at)}"


def moment(at: datetime) -> str:
    """`at` to the minute: 23 Nov 2026, 08:31."""
    local = timezone.localtime(at)
    return f"{_day(local)}, {format_time(local, 'HH:mm', locale=locale(), tzinfo=_zone())}"


def time_of_day(at: datetime) -> str:
    """`at` as a time to the second: 08:31:04."""
    return str(format_time(timezone.localtime(at), "HH:mm:ss", locale=locale(), tzinfo=_zone()))


def short_moment(at: datetime, now: datetime) -> str:
    """`at` as short as it stays clear: the time on the same day, else the day, with the year if it is another."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return str(format_time(local, "HH:mm", locale=locale(), tzinfo=_zone()))
    pattern = "d MMM" if local.year == today.year else "d MMM y"
    return str(format_date(local.date(), pattern, locale=locale()))


def ago(at: datetime, now: datetime) -> str:
    """`at` seen from `now`: 4 min ago, in 2 hr; the day where it is more than six days off."""
    if abs(now - at) >= _RECENT:
        return short_moment(at, now)
    if abs(now - at) < timedelta(seconds=5):
        return _("just now")
    return str(
        format_timedelta(at - now, add_direction=True, format="short", threshold=1, locale=locale())
    ).replace(".", "" if locale().language == "en" else ".")


def duration(span: timedelta | float | Decimal | None) -> str:
    """A span in its two largest units: 340 ms, 45.1 s, 1 m 12 s, 2 h 05 m, 3 d 4 h."""
    if span is None:
        return NONE
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    sign, seconds = ("\N{MINUS SIGN}" if seconds < 0 else ""), abs(seconds)
    if seconds < 1:
        return f"{sign}{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{sign}{number(round(seconds, 1))} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if hours == 0:
        return f"{sign}{minutes} m {rest:02d} s"
    if days == 0:
        return f"{sign}{hours} h {minutes_left:02d} m"
    return f"{sign}{days} d {hours_left} h"


def number(value: float | Decimal | None) -> str:
    """A number with the reader's marks, at most two decimals."""
    return NONE if value is None else _written(value, locale())


@lru_cache(maxsize=8_192)
def _written(value: float | Decimal, language: Locale) -> str:
    """A number in letters; charts and their tables write the same ones many times over."""
    return str(format_decimal(value, "#,##0.##", locale=language))


def percent(share: float | Decimal | None, digits: int = 1) -> str:
    """A share of one as a percentage: 0.992 is 99.2%."""
    if share is None:
        return NONE
    return str(format_percent(share, f"0.{'#' * digits}%", locale=locale()))


def amount(money: Money | None) -> str:
    """Money as the reader writes it."""
    return NONE if money is None else money.format(str(locale()))


def date_label(at: datetime) -> str:
    """The short label of a day on an axis: 23 Nov."""
    return str(format_date(timezone.localtime(at).date(), "d MMM", locale=locale()))


def day_label(day: date) -> str:
    """The short label of a calendar day on an axis: 23 Nov."""
    return str(format_date(day, "d MMM", locale=locale()))


def month_label(day: date) -> str:
    """The month that a day is in: November 2026."""
    return str(format_date(day, "LLLL y", locale=locale()))


def full_datetime(at: datetime) -> str:
    """`at` in the long form, for mails: 23 November 2026 at 08:31 GMT."""
    return str(format_datetime(at, "long", tzinfo=_zone(), locale=locale()))


def _day(local: datetime) -> str:
    return str(format_date(local.date(), "d MMM y", locale=locale()))


def _zone() -> tzinfo:
    return timezone.get_current_timezone()


def own(brand: Any, text: str) -> str:
    """`text`, or the partner's own word where `text` is one of those that a partner may replace."""
    if brand is None or not brand.words:
        return text
    replaced = {
        _("Client"): "tenant",
        _("Clients"): "tenants",
        _("Exception"): "exception",
        _("Exceptions"): "exceptions",
    }
    key = replaced.get(text)
    return (key and brand.word(key, translation.get_language() or "")) or text


def browser(agent: str) -> str:
    """What a browser says of itself, as people call it; what nobody knows by name stands as it is, cut."""
    name = next((name for mark, name in _BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or system or agent[:40] or NONE
