"""How much a worker takes on: room for everybody, and no more than its loop can serve."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import UUID

AT_ONCE: Final = 400
"""Runs in flight in one process."""
SHARE: Final = 300
"""Runs in flight of one tenant; the rest of the room is for others."""
BATCH: Final = 64
"""Runs that are claimed together."""
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

    def room(self, live: int) -> int:
        """How many runs may be taken beside `live` ones; 0 for a while where there is enough to do."""
        room = AT_ONCE - live
        if room < BATCH // 2 or (self._late and time.monotonic() - self._looked < OTHERS):
            return 0
        self._looked = time.monotonic()
        return LITTLE if self._late else min(room, BATCH)

    def full(self, live: Iterable[UUID]) -> list[UUID]:
        """Tenants that have their share of the room, or of the time; `live` has the tenant of each run in flight."""
        share = LITTLE if self._late else SHARE
        return [tenant for tenant, count in Counter(live).items() if count >= share]

    async def breathe(self, live: int, seconds: float | None = None) -> None:
        """Let the runs in flight have their turn, and see how long that takes."""
        pause = (0.001 if live < AT_ONCE else 0.005) if seconds is None else seconds
        began = time.monotonic()
        await asyncio.sleep(pause)
        self._late = time.monotonic() - began - pause > LATE
