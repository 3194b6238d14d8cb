"""Starting and ending one process, so that it cannot outlive whoever started it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from deploy.local.account import Account
from deploy.local.errors import Refused, refused_by

POLL_SECONDS: Final = 0.02
_SET_DEATH_SIGNAL, _SET_SUBREAPER = 1, 36
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death: signal.Signals, parent: int) -> None:
    """Have the kernel send `death` to this process when its parent ends, however it ends (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_DEATH_SIGNAL, int(death), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none slips away (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_SUBREAPER, 1, 0, 0, 0)


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[Any] | int,
    errors: IO[Any] | int = subprocess.STDOUT,
    env: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
    account: Account | None = None,
    death: signal.Signals = signal.SIGTERM,
    question: int | IO[Any] = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start `command` in a process group of its own; it gets `death` when we end. Raises Refused.

    Call it from the main thread: the kernel takes the end of the starting thread for the end of the parent.
    """
    parent = os.getpid()
    rights = account.rights() if account else {}
    try:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=question,
            stdout=output,
            stderr=errors,
            env=None if env is None else dict(env),
            cwd=folder,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(death, parent),  # noqa: PLW1509 - no thread runs while we start
            **rights,
        )
    except OSError as error:
        raise refused_by(error, f"cannot start {command[0]}") from None


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Ask every 20 ms; False when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(process: "subprocess.Popen[bytes]", signals: Sequence[signal.Signals], seconds: float) -> None:
    """End `process`: each signal in turn with `seconds` to obey, at last SIGKILL to its whole group."""
    for number in signals:
        if process.poll() is not None:
            break
        process.send_signal(number)
        wait_until(lambda: process.poll() is not None, seconds)
    kill_group(process.pid)
    process.wait()


def kill_group(leader: int) -> None:
    """SIGKILL to everything in the group that `leader` led; it may be gone already."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM when only zombies are left
        return


def log_tail(path: Path, lines: int = 3) -> str:
    """The last lines of a log as one line, for a message."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return " | ".join(line.strip() for line in text.splitlines()[-lines:])


def fresh_log(path: Path, largest: int = 10 * 2**20) -> IO[bytes]:
    """Open `path` to append to; a log that has grown past `largest` bytes becomes `<name>.1` first."""
    try:
        if path.exists() and path.stat().st_size > largest:
            path.replace(path.with_name(path.name + ".1"))
        return path.open("ab")
    except OSError as error:
        raise refused_by(error, f"cannot write {path}") from None


def no_space_in(text: str) -> Refused | None:
    """The refusal to raise if `text` is a server's complaint about a full disk."""
    if "No space left on device" in text:
        return Refused("no space left on the device; free some, or set PORTAL_HOME to a folder on another")
    return None
