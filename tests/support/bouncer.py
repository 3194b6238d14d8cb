"""A PgBouncer in transaction mode before the database of the tests, where Debian's package is installed."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

_SETTINGS = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
logfile = {folder}/log
pidfile = {folder}/pid
"""


@contextlib.contextmanager
def pgbouncer(database: Mapping[str, Any], folder: Path, *, size: int = 3) -> Iterator[int]:
    """Its port on loopback. All clients share `size` sessions of the server. Skips where it is not installed."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed (apt-get install pgbouncer)")
    own = _free_port()
    folder.chmod(0o777)
    for parent in folder.parents:
        if parent.owner() == pwd.getpwuid(os.getuid()).pw_name and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
    (folder / "ini").write_text(
        _SETTINGS.format(
            host=database["HOST"],
            port=database["PORT"] or 5432,
            user=database["USER"],
            password=database["PASSWORD"],
            own=own,
            size=size,
            folder=folder,
        )
    )
    (folder / "ini").chmod(0o644)
    account = ["-u", "postgres" if _known("postgres") else "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [program, "-q", *account, str(folder / "ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(process, own, folder)
        yield own
    finally:
        process.terminate()
        process.wait(10)


def _known(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    log = folder / "log"
    pytest.fail(f"pgbouncer did not start: {log.read_text() if log.exists() else process.returncode}")
