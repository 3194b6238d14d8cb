"""How much a worker takes on: nobody fills it alone, and when it has enough to do it looks after the small ones."""

import asyncio
import time
from uuid import UUID

from automations.engine.actions.pace import AT_ONCE, BATCH, CALLS, LATE, LITTLE, OTHERS, SLOW, Pace, Unwritten

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


async def test_calls_that_nothing_tells_of_are_few_while_answers_are_fast() -> None:
    pace = Pace()
    assert pace.calls == CALLS
    for _ in range(40):  # a turn that is late, because the machine has other work, sets it back
        await crowded(pace, AT_ONCE, 2 * SLOW)
        if pace.calls == AT_ONCE - BATCH // 2:
            break
    assert pace.calls == AT_ONCE - BATCH // 2
    await late(pace)
    await late(pace)
    await late(pace)
    assert pace.calls == CALLS


async def test_a_run_waits_until_another_is_written() -> None:
    unwritten, order = Unwritten(lambda: 2), []

    async def run(name: str) -> None:
        await unwritten.enter(name)
        order.append(name)

    tasks = [asyncio.create_task(run(name)) for name in "abcd"]
    await asyncio.sleep(0.01)
    assert order == ["a", "b"]
    await unwritten.enter("a")  # another call of the same run
    unwritten.leave("a")
    await asyncio.sleep(0.01)
    assert order == ["a", "b", "c"]
    unwritten.leave("nobody")
    await asyncio.sleep(0.01)
    assert order == ["a", "b", "c"]
    unwritten.leave("c")
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c", "d"]


async def test_one_that_is_called_off_takes_nobody_s_place() -> None:
    unwritten = Unwritten(lambda: 1)
    await unwritten.enter("a")
    waiting, granted, last = (asyncio.create_task(unwritten.enter(name)) for name in "bcd")
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0)
    unwritten.leave("a")
    granted.cancel()  # in the very moment in which it got the place
    await asyncio.wait_for(last, 1.0)
    assert len(unwritten) == 1


async def test_all_go_on_when_more_may_be_on_their_way() -> None:
    most = 1
    unwritten = Unwritten(lambda: most)
    await unwritten.enter("a")
    waiting = [asyncio.create_task(unwritten.enter(name)) for name in "bc"]
    await asyncio.sleep(0.01)
    most = 3
    unwritten.go_on()
    await asyncio.wait_for(asyncio.gather(*waiting), 1.0)
    assert len(unwritten) == 3
