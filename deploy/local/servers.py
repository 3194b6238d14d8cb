"""Starting servers together and ending them together, for a caller that watches over nothing else."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from deploy.local import child
from deploy.local.errors import Refused


class Server(Protocol):
    """What can be started, asked whether it is ready, and ended."""

    name: str
    stop_signals: Sequence[signal.Signals]
    grace_seconds: float

    def prepare(self) -> bool: ...
    def spawn(self) -> "subprocess.Popen[bytes]": ...
    def ready(self, process: "subprocess.Popen[bytes]") -> bool: ...
    def why_dead(self) -> str: ...

    @property
    def log_file(self) -> Path: ...


@contextlib.contextmanager
def running(servers: Sequence[Server], *, seconds: float = 60) -> Iterator[None]:
    """Run `servers` during the block, ended in reverse order. Raises Refused if one does not become ready."""
    started: list[tuple[Server, subprocess.Popen[bytes]]] = []
    try:
        for server in servers:
            server.prepare()
            started.append((server, server.spawn()))
        for server, process in started:
            _await(server, process, seconds)
        yield
    finally:
        for server, process in reversed(started):
            child.end(process, server.stop_signals, server.grace_seconds)


def _await(server: Server, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    child.wait_until(lambda: process.poll() is not None or server.ready(process), seconds)
    if process.poll() is not None or not server.ready(process):
        raise Refused(
            f"{server.name} did not start: {server.why_dead() or 'it said nothing'} (see {server.log_file})"
        )
