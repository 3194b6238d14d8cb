"""Housekeeping: what the engine keeps for latecomers, and for how long."""

import time
from typing import Final

from automations.engine.store import forgetting as store

IDLE_KEPT: Final = "48 hours"
"""Nothing of the tenant waits: a run that begins to listen from now on asks for nothing older than now."""
BUSY_KEPT: Final = "14 days"
"""Something waits, and may have waited for as long as all workers were away."""
AT_ONCE: Final = 5_000
SECONDS: Final = 10.0


def forget_event_keys(*, seconds: float = SECONDS, at_once: int = AT_ONCE) -> int:
    """Delete correlation keys of events that no run can come late for; how many. What is left is for the next time.

    A shut tenant keeps all of its keys: its runs wait, and go on one day.
    """
    started, count = time.monotonic(), 0
    for schema, since in store.kept_since(IDLE_KEPT, BUSY_KEPT):
        gone = at_once
        while gone == at_once and time.monotonic() - started < seconds:
            gone = store.forget(schema, since, at_once)
            count += gone
    return count
