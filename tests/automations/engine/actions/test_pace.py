"""How much a worker takes on: nobody fills it alone, and when it has enough to do it looks after the small ones."""

import asyncio
import time
from uuid import UUID

from automations.engine.actions.pace import AT_ONCE, BATCH, LATE, LITTLE, OTHERS, SLOW, Pace

LOUD, QUIET = UUID(int=1), UUID(int=2)


async def late(pace: Pace) -> None:
    """A turn of the loop takes longer than it should."""
    asyncio.get_running_loop().call_soon(time.sleep, 2 * LATE)
    await pace.breathe(1, 0)


async def crowded(pace: Pace, live: int, seconds: float) -> None:
    """So many runs wait for answers for so long, and the loop has time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await pace.breathe(live, 0.001)


def test_a_batch_is_taken_while_there_is_room() -> None:
    pace = Pace()
    assert pace.room(0) == BATCH
    assert pace.room(BATCH // 2) == BATCH // 2
    assert pace.room(BATCH // 2 + 1) == 0


def test_no_tenant_fills_the_room_alone() -> None:
    pace = Pace()
    share = BATCH * 3 // 4
    assert pace.full([LOUD] * (share - 1) + [QUIET]) == []
    assert pace.full([LOUD] * share + [QUIET]) == [LOUD]


async def test_while_answers_are_slow_there_is_more_in_flight() -> None:
    pace = Pace()
    await crowded(pace, BATCH, 1.5 * SLOW)
    assert pace.room(BATCH) == BATCH
    await crowded(pace, AT_ONCE, 10 * SLOW)
    assert pace.room(AT_ONCE - BATCH // 2 + 1) == 0
    assert pace.room(AT_ONCE - BATCH // 2) == BATCH // 2


async def test_a_short_crowd_is_no_reason_for_more() -> None:
    pace = Pace()
    for _ in range(6):
        await crowded(pace, BATCH, SLOW / 2)
        await pace.breathe(0, 0.001)
    assert pace.room(BATCH // 2 + 1) == 0


async def test_a_loop_that_is_late_has_fewer_in_flight_again() -> None:
    pace = Pace()
    await crowded(pace, AT_ONCE, 10 * SLOW)
    for _ in range(4):
        await late(pace)
    await pace.breathe(0, 0.001)
    assert pace.room(BATCH // 2 + 1) == 0


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
    assert pace.room(1) == BATCH - 1
    assert pace.full([LOUD] * LITTLE) == []
