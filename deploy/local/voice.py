"""What the supervisor says and hears: lines of its processes, each behind the name of who said it."""

import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from typing import IO, Final

_COLOURS: Final = (36, 33, 35, 32, 34, 91, 96, 93)
_LONGEST_LINE: Final = 64 * 1024


class Voice:
    """Writes `name     | line`, aligned, coloured on a terminal only; silent when nobody listens any more."""

    def __init__(self, out: IO[str] | None = None, *, width: int = 11) -> None:
        self._out = out or sys.stdout
        self._width = width
        self._coloured = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._silent = False

    def say(self, name: str, line: str) -> None:
        """One line of `name`."""
        label = f"{name:<{self._width}}|"
        if self._coloured:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self.show(f"{label} {line}")

    def show(self, text: str) -> None:
        """`text` as it is."""
        if self._silent:
            return
        try:
            print(text, file=self._out, flush=True)
        except (OSError, ValueError):  # the terminal is gone: that must not keep us from ending the rest
            self._silent = True


class Ears:
    """Hears pipes line by line, and the signals of this process, in one place and one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._rests: dict[int, bytes] = {}
        self._wake_in, self._wake_out = socket.socketpair()
        for end in (self._wake_in, self._wake_out):
            end.setblocking(False)
        self._selector.register(self._wake_out, selectors.EVENT_READ, self._woken)
        signal.set_wakeup_fd(self._wake_in.fileno(), warn_on_full_buffer=False)

    def listen(self, pipe: IO[bytes] | None, keep: Callable[[str], None]) -> None:
        """Give every line of `pipe` to `keep` until its other end is closed."""
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            self._rests[pipe.fileno()] = b""
            self._selector.register(pipe, selectors.EVENT_READ, lambda: self._read(pipe, keep))

    def hear(self, seconds: float) -> None:
        """Take in what comes within `seconds`; returns as soon as something did."""
        for key, _ in self._selector.select(seconds):
            key.data()

    def finish(self, pipe: IO[bytes] | None) -> None:
        """Take in what is still in `pipe` and close it, whoever else may hold its other end."""
        if pipe is None or pipe.closed:
            return
        self._selector.get_key(pipe).data()
        if not pipe.closed:
            self._close(pipe)

    def close(self) -> None:
        """Close all of it."""
        signal.set_wakeup_fd(-1)
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not self._wake_out:
                self._close(key.fileobj)  # type: ignore[arg-type] # what `listen` registered is a pipe
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _woken(self) -> None:
        self._wake_out.recv(4096)

    def _read(self, pipe: IO[bytes], keep: Callable[[str], None]) -> None:
        number = pipe.fileno()
        while True:
            try:
                chunk = os.read(number, _LONGEST_LINE)
            except BlockingIOError:
                return
            *lines, rest = (self._rests[number] + chunk).split(b"\n")
            if rest and (not chunk or len(rest) >= _LONGEST_LINE):  # its end will not come, or comes too late
                lines, rest = [*lines, rest], b""
            self._rests[number] = rest
            for line in lines:
                keep(line.decode(errors="replace").rstrip("\r"))
            if not chunk:
                self._close(pipe)
                return

    def _close(self, pipe: IO[bytes]) -> None:
        self._rests.pop(pipe.fileno(), None)
        self._selector.unregister(pipe)
        pipe.close()
