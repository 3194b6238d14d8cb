"""How much a worker takes on: nobody fills it alone, and when it has enough to do it looks after the small ones."""

import asyncio
import time
from uuid import UUID

from automations.engine.actions.pace import AT_ONCE, BATCH, LATE, LITTLE, OTHERS, SHARE, Pace

LOUD, QUIET = UUID(int=1), UUID(int=2)


async def late(pace: Pace) -> None:
    """A turn of the loop takes longer than it should."""
    asyncio.get_running_loop().call_soon(time.sleep, 2 * LATE)
    await pace.breathe(1, 0)


def test_a_batch_is_taken_while_there_is_room() -> None:
    pace = Pace()
    assert pace.room(0) == BATCH
    assert pace.room(AT_ONCE - BATCH // 2) == BATCH // 2
    assert pace.room(AT_ONCE - BATCH // 2 + 1) == 0


def test_no_tenant_fills_the_room_alone() -> None:
    pace = Pace()
    assert pace.full([LOUD] * (SHARE - 1) + [QUIET]) == []
    assert pace.full([LOUD] * SHARE + [QUIET]) == [LOUD]


async def test_a_loop_that_is_late_serves_those_who_have_little() -> None:
    pace = Pace()
    await late(pace)
    assert pace.full([LOUD] * LITTLE + [QUIET]) == [LOUD]
    assert pace.room(LITTLE + 1) == LITTLE
    assert pace.room(LITTLE + 1) == 0  # a moment ago somebody was looked for
    await asyncio.sleep(OTHERS)
    assert pace.room(LITTLE + 1) == LITTLE


async def test_a_loop_that_is_in_time_again_takes_batches() -> None:
    pace = Pace()
    await late(pace)
    await pace.breathe(1, 0)
    assert pace.room(1) == BATCH
    assert pace.full([LOUD] * LITTLE) == []
