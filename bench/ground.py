"""What every benchmark stands on: servers of its own (durable, no test profile), a tenant, and meters of CPU."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.home import ROOT, Home
from deploy.local.postgres import Postgres
from deploy.local.servers import running
from deploy.local.valkey import Valkey

TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def servers() -> Iterator[Path]:
    """PostgreSQL (fsync on) and Valkey in a folder of their own, with this process's environment pointing at them."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        home = Home.open(Path(folder))
        postgres, valkey = Postgres(home), Valkey(home)
        with running([postgres, valkey]):
            os.environ.update(
                PORTAL_HOME=str(home.path),
                PORTAL_DATABASE_URL=postgres.url,
                PORTAL_REDIS_URL=valkey.url,
                PORTAL_SECRET_KEY="a secret key for benchmarks, the same everywhere",
                PORTAL_MASTER_KEY="a master key for benchmarks, the same everywhere",
                PORTAL_LOG_LEVEL="WARNING",
                DJANGO_SETTINGS_MODULE="portal.settings",
            )
            yield home.path


def ready() -> None:
    """Set Django up and bring the database to the migrations on disk."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("upgrade", stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115


def tenant(name: str = "bench", *, sandbox: bool = False) -> Any:
    """A tenant made as every tenant is made."""
    from kernel import clock, jobs
    from kernel.actor import system
    from tenants.tenancy import actions, queries
    from tenants.tenancy.models import Partner

    partner, _ = Partner.objects.get_or_create(
        slug="bench", defaults={"name": "Bench", "created_at": clock.now()}
    )
    with jobs.recorded():
        job = actions.request_tenant(
            partner=partner, name=name, slug=name, actor=system("bench"), now=clock.now(), sandbox=sandbox
        )
        job = actions.provision(job_id=job.id, now=clock.now())
    if job.error:
        raise SystemExit(job.error)
    return queries.tenant_ref(job.tenant_id)


@contextlib.contextmanager
def owner() -> Iterator[None]:
    """In the block statements go to the schema that the connection is in with its owner's rights, not the tenant's."""
    from django.db import connection as plain

    connection: Any = plain
    before = connection.tenant
    connection.set_schema(before.schema_name)
    try:
        yield
    finally:
        connection.set_tenant(before)


def processes(*names: str) -> list[int]:
    """Process ids below this process whose command line holds one of `names`."""
    found = []
    mine = below(os.getpid())
    for pid in mine:
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if any(name in line for name in names):
                found.append(pid)
    return found


def below(root: int) -> list[int]:
    """Process ids of what `root` started, and of what those started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, queue = [], [root]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def cpu(pids: list[int]) -> float:
    """CPU seconds of these processes and of their children that have ended."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


@dataclass
class Meter:
    """CPU seconds of PostgreSQL and Valkey between `start` and `stop`, with WAL bytes and commits."""

    postgres: float = 0.0
    redis: float = 0.0
    wal: int = 0
    commits: int = 0
    wall: float = 0.0

    def start(self) -> "Meter":
        """Note where the counters stand."""
        self._at = self._read()
        self._began = time.perf_counter()
        return self

    def stop(self) -> "Meter":
        """Take the differences."""
        self.wall = time.perf_counter() - self._began
        time.sleep(0.3)  # statistics of other backends come with a delay
        now = self._read()
        self.postgres, self.redis, wal, commits = (new - old for new, old in zip(now, self._at, strict=True))
        self.wal, self.commits = int(wal), int(commits)
        return self

    @staticmethod
    def _read() -> tuple[float, float, float, float]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8,"
                " (select sum(xact_commit)::float8 from pg_stat_database)"
            )
            wal, commits = cursor.fetchone() or (0.0, 0.0)
        return cpu(processes("postgres")), cpu(processes("valkey-server")), wal, commits


def workers(count: int, *, seconds: float, idle: float) -> "Workers":
    """Start `count` engine processes, which wait for `go` and then work until nothing is due for `idle` seconds."""
    script = (
        "import os, sys, resource, django; django.setup();"
        "from automations.engine.actions.worker import Worker;"
        "w = Worker(); print('up', flush=True); sys.stdin.readline();"
        "a = resource.getrusage(resource.RUSAGE_SELF);"
        f"w.run(seconds={seconds}, idle={idle});"
        "b = resource.getrusage(resource.RUSAGE_SELF);"
        "print(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime, b.ru_maxrss, flush=True); w.close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    return Workers(started)


class Workers:
    """Worker processes that wait for a word."""

    def __init__(self, started: list[Any]) -> None:
        self.started = started

    def go(self) -> tuple[float, float]:
        """Let them work to their end; their CPU seconds and the largest memory in MB."""
        self.begin()
        return self.end()

    def begin(self) -> None:
        """Let them work."""
        for process in self.started:
            process.stdin.write("\n")
            process.stdin.flush()

    def end(self) -> tuple[float, float]:
        """Wait for them; their CPU seconds and the largest memory in MB."""
        lines = [process.stdout.readline().split() for process in self.started]
        for process in self.started:
            process.wait()
        return sum(float(cpu_seconds) for cpu_seconds, _ in lines), max(int(kb) for _, kb in lines) / 1024
