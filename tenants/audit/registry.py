"""Which acts go against the usual course of things: rooms above name theirs, auditors look at them apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Override:
    """An act by its name; with `member`, only where what it says afterwards has one of `values` there."""

    action: str
    member: str = ""
    values: Sequence[str] = ()


OVERRIDES: Final[dict[Override, None]] = {}
"""In the order in which they were named."""


def override(action: str, member: str = "", values: Sequence[str] = ()) -> None:
    """Name an act that goes against the usual course of things."""
    OVERRIDES[Override(action, member, tuple(values))] = None
