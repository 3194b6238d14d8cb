"""Starting the launcher as a user does, and looking for what it leaves behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import child
from deploy.local.home import ROOT

LAUNCHER = [sys.executable, "-m", "deploy.local"]
STAND_IN = [sys.executable, "-m", "tests.deploy.stand_in"]


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A new folder that every user may enter, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="portal-deploy-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clean_environ(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without the test cluster, for `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "PYTEST_"))}
    return {**kept, "PORTAL_HOME": str(home), **more}


@contextmanager
def started(command: list[str], environ: dict[str, str], *, until: str) -> Iterator["subprocess.Popen[str]"]:
    """`command` while it runs, from the moment its output says `until`; killed at the end if it is still there."""
    with tempfile.NamedTemporaryFile("r", prefix="portal-said-") as said:
        with Path(said.name).open("w") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out, text=True)
        try:
            process.said = lambda: Path(said.name).read_text()  # type: ignore[attr-defined]
            eventually(lambda: until in process.said() or process.poll() is not None, 20)
            assert until in process.said(), process.said()
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(20)


def refusal(command: list[str], environ: dict[str, str], **more: Any) -> str:
    """What `command` says when it refuses: status 1, and exactly one line, which is no traceback."""
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False, **more
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def state(home: Path) -> dict[str, Any]:
    """What the supervisor says of its processes."""
    found: dict[str, Any] = json.loads((home / "run" / "state.json").read_text())
    return found


def pid_of(home: Path, name: str) -> int:
    """The present process of program `name`."""
    return int(state(home)["programs"][name]["pid"])


def restarted(home: Path, name: str, old: int) -> bool:
    """Whether program `name` is ready again in another process than `old`."""
    try:
        program = state(home)["programs"][name]
    except (OSError, ValueError):
        return False
    return program["pid"] != old and program["state"] == "ready"


def left_behind(home: Path) -> list[str]:
    """Every process whose environment, command line or working folder names `home`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        if entry.name == str(os.getpid()):
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            said = (entry / "environ").read_bytes() + line
            at = str((entry / "cwd").readlink())
        except OSError:
            continue
        if str(home).encode() in said or at.startswith(str(home)):
            found.append(f"{entry.name} {line!r}")
    return found


def eventually(true: Callable[[], bool], seconds: float = 10) -> float:
    """Wait until `true`, fail if it does not come; the seconds it took."""
    began = time.monotonic()
    assert child.wait_until(true, seconds)
    return time.monotonic() - began
