"""Pulses of child processes, in memory that they share with their parent: no database, no lock, no turn of a loop."""

import mmap
import os
import struct
import time
from typing import Final

_PLACES: Final = 256
_ENTRY: Final = struct.Struct("=qd")


class Board:
    """Made before the children are: each writes its own place, the parent reads all of them."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PLACES * _ENTRY.size)

    def beat(self) -> None:
        """This process works, and its loop turns."""
        self._write(time.monotonic())

    def rest(self) -> None:
        """This process has nothing to do; its silence means nothing."""
        self._write(0.0)

    def forget(self, pid: int) -> None:
        """That process is gone."""
        _ENTRY.pack_into(self._memory, _place(pid), 0, 0.0)

    def busy(self) -> dict[int, float]:
        """Processes that work: pid to the instant of the last beat, by the monotonic clock that all processes share."""
        entries = (_ENTRY.unpack_from(self._memory, n * _ENTRY.size) for n in range(_PLACES))
        return {pid: at for pid, at in entries if pid and at}

    def _write(self, at: float) -> None:
        pid = os.getpid()
        _ENTRY.pack_into(self._memory, _place(pid), pid, at)


def _place(pid: int) -> int:
    return pid % _PLACES * _ENTRY.size
