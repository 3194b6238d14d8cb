"""How rooms above tell of what only they can read: packed columns, rows that somebody works on, and purges."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias


@dataclass(frozen=True)
class Codec:
    """How a column that is no text is read as JSON, and what is written when its value changed.

    `read` gives None for a row that holds nothing that could be looked through.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], Mapping[str, Any]]


Guard: TypeAlias = Callable[[Sequence[Any]], set[Any]]
"""Locks rows for the transaction, and gives the keys of those that somebody is at work on and that must wait."""

CODECS: Final[dict[tuple[str, str], Codec]] = {}
GUARDS: Final[dict[str, Guard]] = {}


def codec(model: str, column: str, found: Codec) -> None:
    """Say how a packed column of `<app>.<Model>` is read and written."""
    CODECS[model, column] = found


def guard(model: str, found: Guard) -> None:
    """Say who must not be disturbed before rows of a model are changed."""
    GUARDS[model] = found


@dataclass(frozen=True, slots=True)
class Purged:
    """What a turn of a purge did: keys of what went, how many a hold kept, and whether there may be more."""

    keys: Sequence[str] = ()
    held: int = 0
    more: bool = False


Purger: TypeAlias = Callable[[datetime, Sequence[str], int], Purged]
"""(what is older than this, business keys that are held, at most so many) → what went."""
PURGERS: Final[dict[str, Purger]] = {}


def purger(what: str, run: Purger) -> None:
    """Register how a class of data is deleted; it runs in the caller's transaction and tenant."""
    PURGERS[what] = run
