"""What a call costs in CPU, whatever else the test process has to do meanwhile."""

import time
from collections.abc import Callable

TRIES = 3


def cpu_seconds(act: Callable[[], object], *, enough: float) -> float:
    """CPU seconds of this thread for `act()`: the least of three calls, or the first below `enough`.

    A collection of the garbage of thousands of tests may fall into one call, hardly into all three.
    """
    least = float("inf")
    for _ in range(TRIES):
        began = time.thread_time()
        act()
        least = min(least, time.thread_time() - began)
        if least < enough:
            break
    return least
