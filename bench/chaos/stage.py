"""The product as a user starts it, in a folder of its own, and what it says of itself."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from deploy.local.home import ROOT, Home

MUTANTS: Final = Path(__file__).parent / "mutants"
_REFUSED: Final = re.compile(r"stale write refused")


class Stage:
    """A running copy of the product, by its supervisor."""

    def __init__(self, home: Path, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.home, self.port, self._process, self._log = home, port, process, log

    def pid(self, name: str) -> int | None:
        """The process of a program that is ready, None while it is not."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            program = json.loads((self.home / "run" / "state.json").read_text())["programs"][name]
            if program["state"] == "ready":
                return int(program["pid"])
        return None

    def children(self, name: str) -> list[int]:
        """The worker processes below a program."""
        parent = self.pid(name)
        return below(parent) if parent else []

    def stale_refused(self) -> int:
        """How many writes the fence refused, as the workers logged them."""
        return len(_REFUSED.findall(self._log.read_text(errors="replace")))

    def quarrels(self) -> list[str]:
        """Lines of the log that tell of an error of the engine itself."""
        return [
            line for line in self._log.read_text(errors="replace").splitlines() if "broke the engine" in line
        ]

    async def all_ready(self, seconds: float = 60.0) -> None:
        """Until every program is ready again."""
        for _ in range(int(seconds * 10)):
            if all(self.pid(name) for name in ("web", "engine", "work", "dispatcher", "postgres", "valkey")):
                return
            await asyncio.sleep(0.1)
        raise SystemExit(f"the product does not come back; see {self._log}")


@contextlib.contextmanager
def product(receiver_port: int, mutants: str, log: Path) -> Iterator[Stage]:
    """Start it, wait for it, point this process at its servers, and end it with everything it started."""
    with tempfile.TemporaryDirectory(prefix="portal-chaos-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        port = _free_port()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | {
            "PORTAL_HOME": folder,
            "PORTAL_PORT": str(port),
            "PORTAL_EGRESS_ALLOW": f"127.0.0.1:{receiver_port}",
        }
        if mutants:
            environ |= {"PYTHONPATH": str(MUTANTS), "CHAOS_MUTANTS": mutants}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "serve"], cwd=ROOT, env=environ, stdout=out, stderr=out
            )
        try:
            _wait_ready(process, log)
            home = Home.open(Path(folder))
            for name in [name for name in os.environ if name.startswith("PORTAL_")]:
                del os.environ[name]  # keys of whoever called us would not fit those of the product
            os.environ.update(home.settings(), PORTAL_HOME=folder, DJANGO_SETTINGS_MODULE="portal.settings")
            yield Stage(home.path, port, process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def below(root: int) -> list[int]:
    """Children of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == root:
                found.append(int(path.parent.name))
    return sorted(found)


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(1800):
        if "ready: http" in log.read_text(errors="replace"):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the product did not start; see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres(settings: Any) -> str:
    """libpq's form of where the database is."""
    from psycopg.conninfo import make_conninfo

    database = settings.DATABASES["default"]
    return make_conninfo(
        dbname=database["NAME"],
        user=database.get("USER") or None,
        password=database.get("PASSWORD") or None,
        host=database.get("HOST") or None,
        port=database.get("PORT") or None,
    )
