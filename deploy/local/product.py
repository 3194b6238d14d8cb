"""The processes of the product: the one list of their command lines, for the supervisor, containers and tests."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local import child, ports
from deploy.local.home import ROOT
from deploy.local.ports import LOOPBACK
from portal.env import Env

_SETTLE_SECONDS: Final = 2.0
_ASK_SECONDS: Final = 0.1  # a question costs the starting server time, too
_ASK_ESTATE: Final = b"GET /control/state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_MANAGE: Final = (sys.executable, str(ROOT / "manage.py"))


@dataclass
class Program:
    """A process of the product: `probe` says whether it is ready; without one it is when it has lived two seconds."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    probe: Callable[[], bool] | None = None
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,)
    grace_seconds: float = 6.0
    log_file: Path = Path("/dev/stdout")
    _started_at: float = field(default=0.0, init=False)
    _ask_again_at: float = field(default=0.0, init=False)

    def prepare(self) -> bool:
        """Nothing is to be made."""
        return False

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start it, its lines going to a pipe for us to show."""
        self._started_at = time.monotonic()
        return child.spawn(self.command, output=subprocess.PIPE, env=self.env, folder=ROOT)

    def ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether `process` does its work."""
        if process.poll() is not None:
            return False
        now = time.monotonic()
        if self.probe is None:
            return now - self._started_at > _SETTLE_SECONDS
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + _ASK_SECONDS
        return self.probe()

    def why_dead(self) -> str:
        """Nothing more than its lines, which were shown."""
        return ""


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [*_MANAGE, *arguments]


def command_lines(env: Env) -> dict[str, list[str]]:
    """What each process of the product is started with."""
    # Celery's word about root is for workers that take pickles; ours take signed JSON alone
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
    worker = [*python, "-m", "portal.worker"]
    level = ["--log-level", env.log_level]
    return {
        "web": [
            sys.executable, "-m", "granian", "--interface", "asginl", "--host", env.host, "--port", str(env.port),
            "--workers", str(env.web_workers), "--loop", "uvloop", "--no-ws",
            "--respawn-failed-workers", "--respawn-interval", "1", "--workers-kill-timeout", "5",
            "--log-level", "warning", "portal.asgi:application",
        ],
        "engine": [*worker, "engine", "--children", str(env.worker_children), *level],
        "work": [*worker, "work", *level],
        "dispatcher": manage("dispatch"),
    }  # fmt: skip


def programs(env: Env, environ: Mapping[str, str]) -> list[Program]:
    """The processes of the product, for the supervisor."""
    lines = command_lines(env)
    # a worker that does not end by SIGTERM requeues what it holds and ends by SIGQUIT
    endings = (signal.SIGTERM, signal.SIGQUIT)
    return [
        Program("web", lines["web"], environ, probe=lambda: 200 <= http_status(env, "/health") < 500),
        Program("engine", lines["engine"], environ, stop_signals=endings),
        Program("work", lines["work"], environ, stop_signals=endings),
        Program("dispatcher", lines["dispatcher"], environ),
    ]


def estate(port: int, key_file: Path, state_file: Path, environ: Mapping[str, str]) -> Program:
    """The simulated shop and ERP that the demo talks to."""
    command = [
        sys.executable, "-m", "deploy.estate", "--port", str(port), "--key-file", str(key_file),
        "--state-file", str(state_file),
    ]  # fmt: skip
    return Program("estate", command, environ, probe=lambda: bool(ports.answers(port, _ASK_ESTATE)))


def http_status(env: Env, path: str) -> int:
    """What the web server says to `path` on the platform's own host name; 0 if nothing answers."""
    target = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(env.host, env.host)
    connection = http.client.HTTPConnection(target, env.port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"{env.base_domain}:{env.port}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
