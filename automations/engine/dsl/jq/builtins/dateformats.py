"""`strftime` and `strptime`: dates as texts, in English, with the directives of C."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from automations.engine.dsl.jq.builtins.arithmetic import text_size
from automations.engine.dsl.jq.builtins.dates import date_of, days_of, seconds_of, time_parts, weekday
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
_COMPOSED: Final = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "r": "%I:%M:%S %p",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_DIRECTIVE: Final = re.compile(r"%([-_0^#]*)([0-9]{0,2})[EO]?(.)|([^%]+|%)", re.DOTALL)


def _iso_week(parts: list[Json]) -> tuple[int, int]:
    """The ISO year and week of a time."""
    year, monday_based = parts[0], (parts[6] + 6) % 7
    week = (parts[7] - monday_based + 10) // 7
    if week < 1:
        year -= 1
        before = days_of(parts[0], 0, 1) - days_of(year, 0, 1) + parts[7]
        return year, (before - monday_based + 10) // 7
    length = days_of(year + 1, 0, 1) - days_of(year, 0, 1)
    if week == 53 and parts[7] - monday_based + 3 >= length:
        return year + 1, 1
    return year, week


def _number(place: int, width: int = 2, pad: str = "0") -> Callable[[list[Json]], tuple[int, int, str]]:
    return lambda parts: (int(parts[place]), width, pad)


_NUMBERS: Final[dict[str, Callable[[list[Json]], tuple[int, int, str]]]] = {
    "C": lambda parts: (parts[0] // 100, 2, "0"),
    "d": _number(2),
    "e": _number(2, pad=" "),
    "g": lambda parts: (_iso_week(parts)[0] % 100, 2, "0"),
    "G": lambda parts: (_iso_week(parts)[0], 1, "0"),
    "H": _number(3),
    "I": lambda parts: ((parts[3] + 11) % 12 + 1, 2, "0"),
    "j": lambda parts: (parts[7] + 1, 3, "0"),
    "k": _number(3, pad=" "),
    "l": lambda parts: ((parts[3] + 11) % 12 + 1, 2, " "),
    "m": lambda parts: (parts[1] + 1, 2, "0"),
    "M": _number(4),
    "s": lambda parts: (seconds_of([int(part) for part in parts[:6]]), 1, "0"),
    "S": _number(5),
    "u": lambda parts: ((parts[6] + 6) % 7 + 1, 1, "0"),
    "U": lambda parts: ((parts[7] - parts[6] + 7) // 7, 2, "0"),
    "V": lambda parts: (_iso_week(parts)[1], 2, "0"),
    "w": _number(6, 1),
    "W": lambda parts: ((parts[7] - (parts[6] + 6) % 7 + 7) // 7, 2, "0"),
    "y": lambda parts: (parts[0] % 100, 2, "0"),
    "Y": _number(0, 1),
}
_TEXTS: Final[dict[str, Callable[[list[Json]], str]]] = {
    "a": lambda parts: DAYS[parts[6]][:3],
    "A": lambda parts: DAYS[parts[6]],
    "b": lambda parts: MONTHS[parts[1]][:3],
    "B": lambda parts: MONTHS[parts[1]],
    "h": lambda parts: MONTHS[parts[1]][:3],
    "n": lambda _parts: "\n",
    "p": lambda parts: "PM" if parts[3] >= 12 else "AM",
    "P": lambda parts: "pm" if parts[3] >= 12 else "am",
    "t": lambda _parts: "\t",
    "z": lambda _parts: "+0000",
    "%": lambda _parts: "%",
}


def _write(fuel: Fuel, parts: list[Json], format_text: str, zone: str) -> str:
    """`format_text` with its directives replaced; unknown ones stay as they are."""
    written: list[str] = []
    for found in _DIRECTIVE.finditer(format_text):
        fuel.step(2)
        flags, width, letter, plain = found.groups()
        if letter is None:
            written.append(plain)
            continue
        if letter in _NUMBERS:
            number, digits, pad = _NUMBERS[letter](parts)
            pad = {"_": " ", "0": "0"}.get(flags[-1:], pad)
            wide = 0 if "-" in flags else max(digits, int(width or 0))
            text = str(number).zfill(wide) if pad == "0" else str(number).rjust(wide)
        elif letter in _COMPOSED:
            text = _write(fuel, parts, _COMPOSED[letter], zone)
        elif letter == "Z":
            text = zone
        else:
            text = _TEXTS[letter](parts) if letter in _TEXTS else found.group()
        text = text.upper() if "^" in flags else text.swapcase() if "#" in flags else text
        written.append(text.rjust(int(width or 0)))
    return "".join(written)


def _formatted(fuel: Fuel, value: Json, format_text: Json, name: str, zone: str) -> str:
    parts = time_parts(value, name)
    if format_text.__class__ is not str:
        raise Raised(f"{name} requires a string format")
    fuel.grow(8 * text_size(format_text))
    return _write(fuel, parts, format_text, zone)


def strftime(fuel: Fuel, value: Json, format_text: Json) -> Json:
    """`strftime(format)`"""
    return _formatted(fuel, value, format_text, "strftime/1", "GMT")


def strflocaltime(fuel: Fuel, value: Json, format_text: Json) -> Json:
    """`strflocaltime(format)`: the local zone is UTC."""
    return _formatted(fuel, value, format_text, "strflocaltime/1", "UTC")


def to_date(fuel: Fuel, value: Json) -> Json:
    """`todate`"""
    return strftime(fuel, value, ISO)


@dataclass(slots=True)
class _Reading:
    """What was read of a date so far; None is what was not."""

    text: str
    position: int = 0
    year: int | None = None
    century: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    afternoon: bool | None = None
    twelve: bool = False
    weekday: int | None = None
    yearday: int | None = None
    dated: bool = False
    """Whether any part of a date was read, from which weekday and day of the year follow."""

    def skip_space(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def number(self, low: int, high: int, digits: int) -> int | None:
        """A number of at most `digits` digits, None if there is none from `low` to `high`."""
        self.skip_space()
        found = _DIGITS.match(self.text, self.position, self.position + digits)
        if not found or not low <= int(found.group()) <= high:
            return None
        self.position = found.end()
        return int(found.group())

    def word(self, words: tuple[str, ...]) -> int | None:
        """Which of `words` stands here, in full or by its first three letters."""
        rest = self.text[self.position : self.position + 9].lower()
        for number, word in enumerate(words):
            for form in (word, word[:3]):
                if rest.startswith(form.lower()):
                    self.position += len(form)
                    return number
        return None


_PLAIN: Final = {
    "d": ("day", 1, 31, 2),
    "e": ("day", 1, 31, 2),
    "H": ("hour", 0, 23, 2),
    "k": ("hour", 0, 23, 2),
    "I": ("hour", 1, 12, 2),
    "l": ("hour", 1, 12, 2),
    "j": ("yearday", 1, 366, 3),
    "m": ("month", 1, 12, 2),
    "M": ("minute", 0, 59, 2),
    "S": ("second", 0, 61, 2),
    "u": ("weekday", 1, 7, 1),
    "w": ("weekday", 0, 6, 1),
    "y": ("year", 0, 99, 2),
    "Y": ("year", 0, 9_999, 4),
    "C": ("century", 0, 99, 2),
    "g": ("", 0, 99, 2),
    "G": ("", 0, 9_999, 4),
    "U": ("", 0, 53, 2),
    "V": ("", 0, 53, 2),
    "W": ("", 0, 53, 2),
}
"""For a directive: where its number goes, the range it may have, how many digits it takes."""


def _read_number(reading: _Reading, letter: str) -> bool:
    name, low, high, digits = _PLAIN[letter]
    number = reading.number(low, high, digits)
    if number is None:
        return False
    if letter in "jm":
        number -= 1
    elif letter == "y":
        number += 1900 if number >= 69 else 2000
    elif letter == "u":
        number %= 7
    elif letter in "Il":
        number %= 12
        reading.twelve = True
    reading.dated = reading.dated or letter in "CdejmyY"
    if name:
        setattr(reading, name, number)
    return True


def _read_zone(reading: _Reading) -> bool:
    """`%z`: read over, not applied, as in C."""
    reading.skip_space()
    found = re.compile(r"Z|[-+][0-9]{2}(?::?[0-9]{2})?", re.ASCII).match(reading.text, reading.position)
    if found:
        reading.position = found.end()
    return bool(found)


def _read_word(reading: _Reading, letter: str) -> bool:
    if letter in "aA":
        reading.weekday = reading.word(DAYS)
        return reading.weekday is not None
    if letter in "bBh":
        reading.month = reading.word(MONTHS)
        reading.dated = True
        return reading.month is not None
    half = reading.text[reading.position : reading.position + 2].upper()
    if half in ("AM", "PM"):
        reading.afternoon = half == "PM"
        reading.position += 2
    return half in ("AM", "PM")


def _read_other(reading: _Reading, letter: str) -> bool:
    if letter in "nt":
        reading.skip_space()
    elif letter == "Z":
        reading.skip_space()
        while reading.position < len(reading.text) and not reading.text[reading.position].isspace():
            reading.position += 1
    elif letter == "s":
        seconds = reading.number(0, 10**12, 12)
        if seconds is None:
            return False
        days, rest = divmod(seconds, 86_400)
        reading.year, reading.month, reading.day = date_of(days)
        reading.hour, reading.minute, reading.second = rest // 3_600, rest // 60 % 60, rest % 60
        reading.dated = True
    else:
        return False
    return True


def _read_directive(reading: _Reading, letter: str) -> bool:
    """Reads what one directive stands for; False if it is not there."""
    if letter in _PLAIN:
        return _read_number(reading, letter)
    if letter in _COMPOSED:
        return _read(reading, _COMPOSED[letter])
    if letter in "aAbBhpP":
        return _read_word(reading, letter)
    return _read_zone(reading) if letter == "z" else _read_other(reading, letter)


def _read(reading: _Reading, format_text: str) -> bool:
    """Reads a date by `format_text`; False if it does not match."""
    letters = iter(format_text)
    for sign in letters:
        letter = next(letters, "") if sign == "%" else ""
        if letter in ("E", "O"):
            letter = next(letters, "")
        if letter and letter != "%":
            if not _read_directive(reading, letter):
                return False
        elif sign.isspace():
            reading.skip_space()
        elif reading.text[reading.position : reading.position + 1] == sign:
            reading.position += 1
        else:
            return False
    return True


def _assembled(reading: _Reading) -> list[Json]:
    """The broken down time of what was read; weekday and day of the year as C fills them in."""
    year = reading.year if reading.year is not None else 1900
    if reading.century is not None:
        year = reading.century * 100 + (year % 100 if reading.year is not None else 0)
    hour = reading.hour + (12 if reading.afternoon and reading.twelve else 0)
    month, day = reading.month, reading.day
    if reading.yearday is not None and (month is None or day is None):
        _, month, day = date_of(days_of(year, 0, 1) + reading.yearday)
    days = days_of(year, month or 0, day or 0)
    day_of_week, day_of_year = reading.weekday, reading.yearday
    if reading.dated:
        day_of_week = weekday(days) if day_of_week is None else day_of_week
        day_of_year = days - days_of(year, 0, 1) if day_of_year is None else day_of_year
    return [
        year,
        month or 0,
        day or 0,
        hour,
        reading.minute,
        reading.second,
        8 if day_of_week is None else day_of_week,
        367 if day_of_year is None else day_of_year,
    ]


def strptime(fuel: Fuel, value: Json, format_text: Json) -> Json:
    """`strptime(format)`: the broken down time that a text is."""
    if value.__class__ is not str or format_text.__class__ is not str:
        raise Raised("strptime/1 requires string inputs and arguments")
    fuel.step(4 + len(format_text) // 2 + (len(value) >> 6))
    reading = _Reading(value)
    if not _read(reading, format_text) or reading.position != len(value):
        raise Raised(f'date "{value[:60]}" does not match format "{format_text[:60]}"')
    return _assembled(reading)


def from_date(fuel: Fuel, value: Json) -> Json:
    """`fromdate`"""
    parts = strptime(fuel, value, ISO)
    return seconds_of(parts[:6])
