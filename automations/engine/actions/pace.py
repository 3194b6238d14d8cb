"""How much a worker takes on: room for everybody, and no more than its loop can serve."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Final
from uuid import UUID

AT_ONCE: Final = 400
"""Runs in flight in one process, at most: so many when what they call is slow."""
BATCH: Final = 64
"""Runs that are claimed together; a process that dies takes about so many along while what they call is fast."""
CALLS: Final = 12
"""Runs with a call made that no checkpoint tells of, at most, while answers are fast: what dies now is made again."""
SLOW: Final = 0.1
"""Seconds without a place for more, though the loop has time: then twice as many may be in flight."""
LATE: Final = 0.01
"""Seconds that a turn of the loop takes when there is enough to do: then only tenants who have little are served."""
LITTLE: Final = 16
OTHERS: Final = 0.025
"""Seconds between looks for them."""


class Pace:
    """What the turns of one loop tell about how much more it can do."""

    def __init__(self) -> None:
        self._late = False
        self._looked = 0.0
        self._window = BATCH
        self._crowded_since: float | None = None

    @property
    def calls(self) -> int:
        """How many runs may have calls made that are not written yet."""
        return min(CALLS * (self._window // BATCH) ** 2, self._window - BATCH // 2)

    def room(self, live: int) -> int:
        """How many runs may be taken beside `live` ones; 0 for a while where there is enough to do."""
        room = self._window - live
        if room < BATCH // 2 or (self._late and time.monotonic() - self._looked < OTHERS):
            return 0
        self._looked = time.monotonic()
        return LITTLE if self._late else min(room, BATCH)

    def full(self, live: Iterable[UUID]) -> list[UUID]:
        """Tenants that have their share of the room, or of the time; `live` has the tenant of each run in flight."""
        share = LITTLE if self._late else self._window * 3 // 4  # the rest of the room is for others
        return [tenant for tenant, count in Counter(live).items() if count >= share]

    async def breathe(self, live: int, seconds: float | None = None) -> None:
        """Let the runs in flight have their turn, and see how long that takes."""
        pause = (0.001 if live < AT_ONCE else 0.005) if seconds is None else seconds
        began = time.monotonic()
        await asyncio.sleep(pause)
        now = time.monotonic()
        self._late = now - began - pause > LATE
        self._widen(live, now)

    def _widen(self, live: int, now: float) -> None:
        """Have more in flight where they only wait for answers, and fewer again where the loop has enough to do."""
        if self._late:
            self._window, self._crowded_since = max(self._window // 2, BATCH), None
        elif self._window - live >= BATCH // 2:
            self._crowded_since = None
        elif self._crowded_since is None:
            self._crowded_since = now
        elif now - self._crowded_since >= SLOW:
            self._window, self._crowded_since = min(self._window * 2, AT_ONCE), None


class Unwritten:
    """Runs with calls made that no checkpoint tells of yet: as many as `most` says, the others wait in their order.

    More at once would not make a loop faster that is kept busy by what it has, but a worker that dies leaves each of
    them to be made again.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        """`most` is asked whenever there may be room for another."""
        self._most = most
        self._runs: set[Hashable] = set()
        self._waiting: deque[tuple[Hashable, asyncio.Future[None]]] = deque()

    def __len__(self) -> int:
        return len(self._runs)

    async def enter(self, run: Hashable) -> None:
        """Wait for a place; a run that has one keeps it, however many calls it makes."""
        if run in self._runs or (not self._waiting and len(self._runs) < self._most()):
            self._runs.add(run)
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append((run, place))
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self.leave(run)
            raise

    def leave(self, run: Hashable) -> None:
        """What the run called is written, or is another's: its place is free."""
        self._runs.discard(run)
        self.go_on()

    def clear(self) -> None:
        """Forget all of them."""
        self._runs.clear()

    def go_on(self) -> None:
        """Let those go on for whom there is room, which there may be because `most` is more now."""
        while self._waiting and len(self._runs) < self._most():
            run, place = self._waiting.popleft()
            if not place.done():
                self._runs.add(run)
                place.set_result(None)
