"""The built-in PostgreSQL: a cluster in the home, on a Unix socket of its own."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from deploy.local import child, place
from deploy.local.errors import Refused, refused_by
from deploy.local.home import Home, write_private
from deploy.local.place import Place
from deploy.local.ports import LOOPBACK, remembered_port

DATABASE: Final = "portal"
OWNER: Final = "portal"
_PASSWORD: Final = "postgres.password"
_SOCKET_PORT: Final = 5432  # part of the socket's file name; nothing listens on TCP unless asked for
_SETTINGS: Final = {
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "'256MB'",
    "work_mem": "'16MB'",
    "maintenance_work_mem": "'128MB'",
    "max_locks_per_transaction": "256",  # dropping one tenant's schema locks some 500 relations
    "random_page_cost": "1.1",
    "checkpoint_timeout": "'15min'",
    "max_wal_size": "'1GB'",
    "wal_level": "minimal",  # nobody replicates from here
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_naptime": "'15s'",
    "idle_in_transaction_session_timeout": "'60s'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] '",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # a statement's text may hold what a log should not
    "log_error_verbosity": "terse",
}
_FAST: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "'1h'",
    "idle_in_transaction_session_timeout": "0",  # a test's transaction stands while a browser or a fuzzer works
}


class Postgres:
    """One cluster: `prepare`, then `spawn` as often as needed; `fast` trades safety of data for speed, for tests."""

    name = "postgres"
    stop_signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGQUIT)  # fast, then immediate shutdown
    grace_seconds = 10.0

    def __init__(self, home: Home, *, fast: bool = False, tcp: bool = False) -> None:
        self._home = home
        self._fast = fast
        self.port = remembered_port(home, self.name) if tcp else _SOCKET_PORT
        self._tcp = tcp
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Where it lies; chosen when first asked for."""
        if self._place is None:
            self._place = place.find(self._home)
        return self._place

    @property
    def url(self) -> str:
        """How clients reach it, through the socket."""
        folder = quote(str(self.place.socket_folder), safe="/")
        return f"postgresql://{OWNER}:{self._password()}@/{DATABASE}?host={folder}&port={self.port}"

    @property
    def log_file(self) -> Path:
        return self._home.log / "postgres.log"

    def prepare(self) -> bool:
        """Make the cluster if there is none (True), write its settings, clear what a crash left. Raises Refused."""
        made = not (self.place.data / "PG_VERSION").exists()
        if not made and not (self._home.keys / _PASSWORD).exists():
            key = self._home.keys / _PASSWORD
            raise Refused(
                f"the database in {self.place.data} needs {key}: put the file back, or remove the database"
            )
        if made:
            self._make_cluster()
        self._write_settings(self.place.data)
        self._end_orphan()
        return made

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server; `ready` says when it takes connections."""
        with child.fresh_log(self.log_file) as log:
            return child.spawn(
                [self.place.programs / "postgres", "-D", self.place.data],
                output=log,
                account=self.place.account,
                death=signal.SIGINT,
            )

    def ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether `process` takes connections, by the status line that the server keeps in its lock file."""
        lines = list(self._lock_lines())
        return len(lines) >= 8 and lines[0].strip() == str(process.pid) and lines[7].strip() == "ready"

    def why_dead(self) -> str:
        """What its log last said. Raises Refused if that was about a full disk."""
        tail = child.log_tail(self.log_file, 5)
        if refusal := child.no_space_in(tail):
            raise refusal
        return tail

    def _password(self) -> str:
        return self._home.key(_PASSWORD)

    def _lock_lines(self) -> Iterator[str]:
        try:
            yield from (self.place.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return

    def _make_cluster(self) -> None:
        """Build the cluster aside and move it into place when it is whole: a kill leaves no half of one."""
        fresh = self.place.data.with_name("postgres.new")
        owner = (self.place.account.uid, self.place.account.gid)
        password_file = self.place.socket_folder / "password"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            self.place.account.own(fresh)
            write_private(password_file, self._password() + "\n", owner=owner)
            self._run(
                "initdb", "-D", fresh, "-U", OWNER, "--auth=scram-sha-256", f"--pwfile={password_file}",
                "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                "--no-instructions", *(["--no-sync"] if self._fast else []),
            )  # fmt: skip
            with (fresh / "postgresql.conf").open("a") as conf:
                conf.write("\ninclude = 'portal.conf'\n")
            self._write_settings(fresh)
            self._run("postgres", "--single", "-D", fresh, "postgres", text=f"CREATE DATABASE {DATABASE};\n")
            fresh.rename(self.place.data)
        except OSError as error:
            raise refused_by(error, f"cannot make a database in {fresh}") from None
        finally:
            password_file.unlink(missing_ok=True)

    def _write_settings(self, data: Path) -> None:
        """Write the settings anew at every start, so that a newer version of the product brings its own."""
        folder = str(self.place.socket_folder).replace("'", "''")
        values = {
            **_SETTINGS,
            **(_FAST if self._fast else {}),
            "listen_addresses": f"'{LOOPBACK if self._tcp else ''}'",
            "port": str(self.port),
            "unix_socket_directories": f"'\"{folder}\"'",
        }
        owner = (self.place.account.uid, self.place.account.gid)
        text = "".join(f"{name} = {value}\n" for name, value in values.items())
        try:
            write_private(data / "portal.conf", text, owner=owner)
        except OSError as error:
            raise refused_by(error, f"cannot write the database's settings in {data}") from None

    def _end_orphan(self) -> None:
        """End a server that outlived its launcher; drop a lock whose number another process has by now."""
        lines = list(self._lock_lines())
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        try:
            ours = Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.place.data.resolve()
        except OSError:
            ours = False
        if ours:
            os.kill(pid, signal.SIGINT)
            if not child.wait_until(lambda: not Path(f"/proc/{pid}").exists(), self.grace_seconds):
                raise Refused(f"a database server of an earlier start does not end; end process {pid}")
        elif Path("/proc/self").exists():
            (self.place.data / "postmaster.pid").unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str | Path, text: str = "") -> None:
        done = subprocess.run(
            [str(self.place.programs / program), *map(str, arguments)],
            input=text, text=True, capture_output=True, check=False, cwd="/", **self.place.account.rights(),
        )  # fmt: skip
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            last = said.splitlines()[-1] if said else f"exit status {done.returncode}"
            raise child.no_space_in(said) or Refused(f"{program} failed: {last}")
