"""What a key figure is: its words and its formula, and an example that is counted again by a test. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

Words = str | Promise


@dataclass(frozen=True)
class Told:
    """An event of an example: its type, what it is about, when it happened, and what it says."""

    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOf:
    """A run of an example: where it is, when it started, and whether a person decided about it."""

    status: str
    started_at: datetime
    decided: bool = False


@dataclass(frozen=True)
class Example:
    """A worked example: in words, and as what happened, from when it is looked at, and what comes out.

    `value` and `parts` are the figure; `rows` are the titles behind some of its parts ("" for all of them).
    """

    words: Words
    at: datetime
    value: float | None
    events: tuple[Told, ...] = ()
    runs: tuple[RunOf, ...] = ()
    parts: Mapping[str, float | None] = field(default_factory=dict)
    rows: Mapping[str, frozenset[str]] = field(default_factory=dict)
