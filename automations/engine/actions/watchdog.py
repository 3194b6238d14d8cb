"""Ending what has stopped to work: each worker watches its own loops, and its parent watches the worker.

A worker whose loop does not turn holds runs that nobody else may take before their leases end, and takes no new ones.
It cannot be trusted to end by itself, so it is told once and then killed; its supervisor starts another. Looks are
counted, not seconds: a process that was stopped and goes on has not been silent in its own time.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from django.db import Error, connection

from automations.ledger import actions as ledger
from kernel import bell
from kernel.pulse import Board

log = structlog.get_logger(__name__)
board: Final = Board()
"""Made when a worker's parent loads this, so that its children share it."""
SILENT: Final = 30.0
"""Seconds without a turn of the loop, or without anybody taking what is due."""
LOOKS: Final = 15
"""Looks within that time; all of them must find the same."""
GRACE: Final = 5.0
"""Seconds between being told to end and being killed."""
QUEUE: Final = "engine"


class Watchdog(threading.Thread):
    """Beside a worker's loops: ends this process when one of them does not turn."""

    def __init__(self, turns: Mapping[str, Callable[[], int]], *, silent: float = SILENT) -> None:
        """`turns` counts, by name, how often each loop turned."""
        super().__init__(name="watchdog", daemon=True)
        self._turns, self._pause = turns, silent / LOOKS
        self._ending = threading.Event()

    def stop(self) -> None:
        """The loops end."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Look until `stop`, or until a loop stands still."""
        seen = {name: count() for name, count in self._turns.items()}
        still = dict.fromkeys(seen, 0)
        while not self._ending.wait(self._pause):
            for name, count in self._turns.items():
                turned = count()
                still[name] = still[name] + 1 if turned == seen[name] else 0
                seen[name] = turned
                if still[name] >= LOOKS:
                    log.error("worker stopped turning", loop=name, pid=os.getpid(), stack=_stack())
                    end(os.getpid(), "loop")
                    return


class Guard(threading.Thread):
    """In the parent: ends children whose loop is silent, and itself when what is due is brought to nobody."""

    def __init__(self, *, silent: float = SILENT, grace: float = GRACE, pulses: Board = board) -> None:
        super().__init__(name="guard", daemon=True)
        self._pause, self._grace, self._board = silent / LOOKS, grace, pulses
        self._seen: dict[int, float] = {}
        self._still: dict[int, int] = {}
        self._unheard = 0
        self._ending = threading.Event()

    def stop(self) -> None:
        """The parent ends."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Look until `stop`."""
        while not self._ending.wait(self._pause):
            self.look()

    def look(self) -> None:
        """One look at the children, and at whether any of them is called."""
        busy = self._board.busy()
        for pid, at in busy.items():
            self._still[pid] = self._still.get(pid, 0) + 1 if self._seen.get(pid) == at else 0
            if not _signal(pid, 0):
                self._board.forget(pid)  # it ended in the middle
            elif (
                self._still[pid] >= LOOKS + 3
            ):  # its own watchdog comes first: it can say where the loop stands
                log.error("worker is silent", pid=pid)
                end(pid, "silent", grace=self._grace)
                self._board.forget(pid)
        self._seen = busy
        self._still = {pid: count for pid, count in self._still.items() if pid in busy}
        self._unheard = self._unheard + 1 if not busy and _calls_wait() else 0
        if self._unheard >= LOOKS:
            log.error("worker takes no calls", pid=os.getpid())
            end(os.getpid(), "deaf", grace=self._grace * 4)


def _calls_wait() -> bool:
    """Whether a call for a drain waits at the broker, and something is due."""
    try:
        return bell.waiting(QUEUE) > 0 and ledger.anything_due()
    except Error:
        return False  # the database is away, and with it what a worker could do
    finally:
        connection.close()


def end(pid: int, why: str, *, grace: float = GRACE) -> None:
    """SIGTERM, and SIGKILL when that has not helped after `grace` seconds; counted for the gauges."""
    _signal(pid, signal.SIGTERM)
    _count(why)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        if not _signal(pid, 0):
            return
        time.sleep(min(0.1, grace / 10))
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> bool:
    """Whether the process was there to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _count(why: str) -> None:
    try:
        ledger.tally(f"workers_ended_{why}")
    except Error as error:
        log.warning("ended worker not counted", error=str(error))
    finally:
        connection.close()


def _stack() -> str:
    """Where the main thread stands."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 - there is no other way
    return "".join(traceback.format_stack(frame)[-12:]) if frame else ""
