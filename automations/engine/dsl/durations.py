"""Durations: `{minutes: 5}` or ISO 8601 without years and months, which have no fixed length."""

import re
from typing import Any, Final

_UNITS: Final = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_ISO: Final = re.compile(
    r"^P(?!$)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
)
_SIZES: Final = (604_800.0, 86_400.0, 3_600.0, 60.0, 1.0)
LONGEST: Final = 366 * 86_400.0


def seconds(value: Any) -> float:
    """The length of `value` in seconds. Raises ValueError with what is wrong."""
    if isinstance(value, dict):
        total = _from_units(value)
    elif isinstance(value, str):
        total = _from_iso(value)
    else:
        raise ValueError("a duration is a mapping such as {minutes: 5} or a text such as PT5M")
    if not 0 <= total <= LONGEST:
        raise ValueError("a duration is between 0 and 366 days")
    return total


def _from_units(value: dict[str, Any]) -> float:
    if not value:
        raise ValueError("an empty duration says nothing")
    total = 0.0
    for unit, count in value.items():
        if unit not in _UNITS:
            raise ValueError(f"{unit!r} is no unit; use {', '.join(_UNITS)}")
        if isinstance(count, bool) or not isinstance(count, (int, float)) or count < 0:
            raise ValueError(f"{unit} must be a number from 0 on")
        total += _UNITS[unit] * count
    return total


def _from_iso(value: str) -> float:
    match = _ISO.match(value)
    if not match:
        hint = (
            " (years and months have no fixed length)"
            if re.match(r"^P.*[YM]", value.split("T", maxsplit=1)[0])
            else ""
        )
        raise ValueError(f"{value!r} is no duration such as PT5M or P2D{hint}")
    return sum(float(part) * size for part, size in zip(match.groups(), _SIZES, strict=True) if part)
