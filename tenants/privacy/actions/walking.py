"""A walk through all tables of a tenant, in turns: each batch is one transaction that also notes how far it came."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from django.db import transaction

from kernel.persons import Person
from tenants.privacy import store
from tenants.privacy.store import Place

AT_ONCE: Final = 400
SECONDS: Final = 8.0
Visit: TypeAlias = Callable[[Place, list[tuple[Any, dict[str, Any]]]], None]
"""What is done with the rows of a batch in which the person stands."""


class Walk:
    """How far a walk is: plain data, so that whoever goes on need not be who began."""

    def __init__(self, progress: dict[str, Any]) -> None:
        self.progress = progress
        self.places = store.places()

    @property
    def over(self) -> bool:
        """Whether every table was walked through."""
        return self._number >= len(self.places)

    @property
    def _number(self) -> int:
        return int(self.progress.get("place", 0))

    def batch(self, person: Person, visit: Visit) -> None:
        """Look through the next rows."""
        place = self.places[self._number]
        rows = place.rows(self.progress.get("after"), AT_ONCE)
        found = [(row, hits) for row in rows if (hits := place.hits(row, person))]
        if found:
            visit(place, found)
        if len(rows) < AT_ONCE:
            self.progress |= {"place": self._number + 1, "after": None}
        else:
            self.progress["after"] = store.plain_key(rows[-1])


def count(counts: dict[str, Any], label: str, by: int) -> None:
    """Add to a table's count."""
    counts[label] = counts.get(label, 0) + by


def in_turns(turn: Callable[[], bool], *, seconds: float = SECONDS) -> bool:
    """Take turns, each in its own transaction, until one says that all is done or the time is over."""
    until = time.monotonic() + seconds
    while True:
        with transaction.atomic():
            if turn():
                return True
        if time.monotonic() > until:
            return False


def erase_rows(
    place: Place, found: list[tuple[Any, dict[str, Any]]], person: Person, *, proof: Callable[[Any], bool]
) -> tuple[int, int]:
    """Take a person out of rows; how many were changed, and how many must wait. `proof` erases in the sealed log."""
    if place.label == store.PROOF:
        done = sum(proof(row) for row, _ in found)
        return done, len(found) - done
    busy = place.busy([row for row, _ in found])
    for row, _ in found:
        if row.pk not in busy:
            # read again: whoever was at work on it may have written since
            fresh = place.model._meta.base_manager.filter(pk=row.pk).first()
            hits = place.hits(fresh, person) if fresh is not None else {}
            if hits:
                place.write(fresh, hits, person)
    return len(found) - len(busy), len(busy)
