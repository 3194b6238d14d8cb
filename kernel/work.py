"""Long work: what takes longer than somebody waits for a page, of whatever room, shown and steered in one place.

A room that has such work describes it by a `Source` and registers that; its tables, its job and its acts stay its own.
Whoever shows the work asks every source that belongs to the place, and steers by the words that a piece of work takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from kernel.actor import Actor
from kernel.errors import NotFound

Place = Literal["tenant", "partner"]
Steer = Literal["pause", "continue", "cancel"]
PENDING, RUNNING, PAUSED, DONE, FAILED, CANCELLED = (
    "pending",
    "running",
    "paused",
    "done",
    "failed",
    "cancelled",
)
STATES: Final = (PENDING, RUNNING, PAUSED, DONE, FAILED, CANCELLED)
MOVING: Final = frozenset({PENDING, RUNNING})
SKIPPED: Final = "not_taken"
"""Of an item: nothing was done to it, and nothing will be."""


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of long work: what it is, how far, who began it, and how it can be steered now."""

    id: str
    title: str
    who: str
    state: str
    began_at: datetime
    over_at: datetime | None = None
    total: int = 0
    done: int = 0
    trouble: int = 0
    said: str = ""
    takes: tuple[Steer, ...] = ()
    moves: bool = False
    """Whether its figures may still change though it is not under way."""

    @property
    def moving(self) -> bool:
        """Whether somebody who looks at it should look again."""
        return self.moves or self.state in MOVING

    @property
    def share(self) -> float:
        """How much of it is through, from 0 to 1."""
        if not self.total:
            return 1.0 if self.state == DONE else 0.0
        return min(1.0, self.done / self.total)

    @property
    def kind(self) -> str:
        """The prefix of its id."""
        return self.id.partition("_")[0]


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one part of it; `place` is its number in the order, from 1."""

    place: int
    name: str
    state: str
    why: str = ""
    at: datetime | None = None


class Source(Protocol):
    """One room's long work of one kind. `where` is the key of the tenant, which is entered, or of the partner."""

    prefix: str
    place: Place
    reads: str
    """The permission that whoever sees it holds; what steering takes is for the room's own acts to say."""
    steers: str

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """So many, the last begun first; only those begun before."""

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them; None where there is none in this place."""

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """What became of its parts, those behind place `after`."""

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Pause it, let it go on, or call it off. Raises Conflict where it does not take that now."""


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Let a kind of long work be seen and steered; one source a prefix."""
    _sources[source.prefix] = source


def sources(place: Place) -> list[Source]:
    """The kinds of long work that a client's portal, or a partner's console, has."""
    return [source for source in _sources.values() if source.place == place]


def source_of(text: str, place: Place) -> Source:
    """The source that an id belongs to. Raises NotFound."""
    found = _sources.get(text.partition("_")[0])
    if found is None or found.place != place:
        raise NotFound
    return found


def newest(
    place: Place, where: UUID, *, actor: Actor, before: datetime | None = None, limit: int = 50
) -> tuple[list[Work], bool]:
    """What the actor may see of all long work, the last begun first; and whether there is more."""
    found: list[Work] = []
    for source in sources(place):
        if actor.may(source.reads):
            found += source.newest(where, before=before, limit=limit + 1)
    found.sort(key=lambda work: work.began_at, reverse=True)
    return found[:limit], len(found) > limit
