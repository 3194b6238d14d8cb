"""Nothing is left behind: one process per home, and an outer process that ends whatever an inner one leaves."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from deploy.local import child
from deploy.local.errors import Refused
from deploy.local.home import Home

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_SECONDS: Final = 8.0


def guarded(work: Callable[[], int]) -> int:
    """Run `work` in a child of ours and return its exit status, when nothing that it started is left.

    The kernel hands us every process whose parent ended (Linux), so killing the child with -9 leaves no orphan;
    killing us with -9 ends the child in order, for it gets SIGTERM then.
    """
    ours = os.getpid()
    child.adopt_orphans()
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    inner = os.fork()
    if inner == 0:
        child.die_with_parent(signal.SIGTERM, ours)
        child.adopt_orphans()
        _leave_with(work)
    for number in _ENDINGS:
        signal.signal(number, lambda *_: _pass_on(inner))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    _, status = os.waitpid(inner, 0)
    end_leftovers(_GRACE_SECONDS)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        print(
            f"the supervisor was ended by {signal.Signals(-code).name}; nothing is left running",
            file=sys.stderr,
        )
    return code if code >= 0 else 1


def end_leftovers(grace_seconds: float) -> None:
    """Wait until no child of ours is left, born or adopted; from `grace_seconds` on with SIGKILL."""
    deadline = time.monotonic() + grace_seconds
    while True:
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if found == 0:
            time.sleep(child.POLL_SECONDS)
            if time.monotonic() > deadline:
                kill_children(except_for=())
        else:
            child.kill_group(found)


def kill_children(*, except_for: "tuple[int, ...] | set[int]") -> None:
    """SIGKILL to every child of this process whose number is not among `except_for` (Linux; elsewhere nothing)."""
    for pid in children_of(os.getpid()):
        if pid not in except_for:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def children_of(parent: int) -> Iterator[int]:
    """The processes whose parent is `parent` now."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if fields and int(fields[1]) == parent:
            yield int(entry.parent.name)


@contextmanager
def alone(home: Home, *, patience_seconds: float = 15) -> Iterator[None]:
    """Hold `home` for this process and its forks. Raises Refused if another holds it.

    Where the holder was killed and what it had started is still winding down, wait for that.
    """
    lock = os.open(home.run / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        if not child.wait_until(
            lambda: _locked(lock) or _alive(holder(home)), patience_seconds
        ) or not _locked(lock):
            raise Refused(
                f"the portal already runs from {home.path} (process {holder(home)}); "
                "set PORTAL_HOME and PORTAL_PORT for a second copy"
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def is_held(home: Home) -> bool:
    """Whether a process holds `home`."""
    try:
        lock = os.open(home.run / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _locked(lock)
    finally:
        os.close(lock)


def holder(home: Home) -> int:
    """The process that last held `home`, 0 if none ever did."""
    try:
        text = (home.run / "lock").read_text().strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int) -> bool:
    """Whether process `pid` runs; one that ended and was not yet waited for does not."""
    try:
        os.kill(pid, 0)
        return pid > 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else's
        return True
    except OSError:  # there is no /proc to ask
        return not Path("/proc/self").exists()


def _pass_on(inner: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(inner, signal.SIGTERM)


def _leave_with(work: Callable[[], int]) -> None:
    """End this fork with the status of `work`, without running what its parent had registered for its own end."""
    code = 1
    try:
        code = work()
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # a defect of ours: shown here, for os._exit shows nothing
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
