"""A PostgreSQL cluster and a Valkey for one test session: fast, thrown away at the end, shared by its workers.

Loaded by `-p tests.support.cluster` before Django's settings are read. It understands from the environment:
`PORTAL_TEST_DATABASE_URL` and `PORTAL_TEST_REDIS_URL` (servers to use instead), `PORTAL_TEST_HOME` (where the
data folder is made; in memory where there is plenty), `PORTAL_TEST_KEEP=1` (keep the data in `var/test` between runs).
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.local.errors import Refused
from deploy.local.home import ROOT, Home
from deploy.local.postgres import Postgres
from deploy.local.servers import Server, running
from deploy.local.valkey import Valkey

_PREFIX = "portal-test-"
_MEMORY = 3 << 30
_servers = contextlib.ExitStack()
atexit.register(_servers.close)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start the servers before any other plugin reads the settings; a worker takes its own corner of them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        os.environ["PORTAL_REDIS_URL"] = _own_database(os.environ["PORTAL_REDIS_URL"], worker)
        os.environ["PORTAL_HOME"] = str(Home.open(Path(os.environ["PORTAL_HOME"]) / worker).path)
    else:
        try:
            _start()
        except Refused as error:
            _servers.close()
            raise pytest.UsageError(str(error)) from None
    return (yield)


def pytest_unconfigure() -> None:
    """End what was started, after the last worker; `atexit` does it where the session never came that far."""
    _servers.close()


def _start() -> None:
    """Start what is not given, and tell the settings where it is; a developer's own settings do not leak in."""
    asked = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PORTAL_")}
    home = _home(asked)
    postgres, valkey = Postgres(home, fast=True), Valkey(home)
    database_url, redis_url = asked.get("PORTAL_TEST_DATABASE_URL"), asked.get("PORTAL_TEST_REDIS_URL")
    wanted: list[Server] = [*([] if redis_url else [valkey]), *([] if database_url else [postgres])]
    _servers.enter_context(running(wanted))
    os.environ.update(
        PORTAL_HOME=str(home.path),
        PORTAL_DATABASE_URL=database_url or postgres.url,
        PORTAL_REDIS_URL=redis_url or valkey.url,
        PORTAL_SECRET_KEY="a secret key for tests, the same in every process",
        PORTAL_MASTER_KEY="a master key for tests, the same in every process",
        PORTAL_AUDIT_KEY_FILE=str(home.key_file("audit.key")),
        PORTAL_LOG_LEVEL="WARNING",
    )


def _home(asked: dict[str, str]) -> Home:
    """The session's data folder, held by a lock, so that a killed session's folder can be told and removed."""
    if asked.get("PORTAL_TEST_KEEP", "") not in ("", "0"):
        home = Home.open(ROOT / "var" / "test")
        if not _hold(home.path):
            raise Refused(
                f"another test session uses {home.path}; wait for it, or leave PORTAL_TEST_KEEP out"
            )
        return home
    parent = Path(asked.get("PORTAL_TEST_HOME") or _roomy()).resolve()
    for old in parent.glob(f"{_PREFIX}*"):
        if (old / "lock").exists() and _hold(old):
            shutil.rmtree(old, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        folder.chmod(0o711)
    except OSError as error:
        raise Refused(f"cannot keep test data in {parent}: {error.strerror}") from None
    _hold(folder)
    _servers.callback(shutil.rmtree, folder, ignore_errors=True)
    return Home.open(folder)


def _roomy() -> Path:
    """Memory where there is plenty: a database is some thousand files, copied anew for every test that commits."""
    memory, disk = Path("/dev/shm"), Path("/tmp")
    if not os.access(memory, os.W_OK) or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return disk
    free = shutil.disk_usage(memory).free
    return memory if free >= _MEMORY and _available() >= 2 * _MEMORY else disk


def _available() -> int:
    """Bytes of memory that may be taken; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def _hold(folder: Path) -> bool:
    """Lock `folder` for as long as this process lives; False if another holds it."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    return True


def _own_database(url: str, worker: str) -> str:
    """`url` with a Redis database that no other worker has: gw0 takes 1, gw1 takes 2, …"""
    number = int("".join(filter(str.isdigit, worker)) or 0) % 15 + 1
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
