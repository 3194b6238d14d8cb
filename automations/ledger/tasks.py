"""The dispatcher's rounds."""

import time
from typing import Final

import structlog
from django.conf import settings
from django.db import connection

from automations.ledger import actions
from kernel import bell, jobs, locks

log = structlog.get_logger(__name__)
BUSY: Final = 0.1
QUIET: Final = 0.25
STANDBY: Final = 1.0
RESEND: Final = 5.0
"""A job that is due is sent again after that many seconds."""
SWEEP: Final = 600.0
"""Workers that are gone are struck out that often."""


class Rounds:
    """One dispatcher: `go` makes a round and says how long to pause."""

    def __init__(self) -> None:
        self._leads = False
        self._drains_sent = 0.0
        self._jobs_looked = 0.0
        self._swept = 0.0
        self._sent: dict[str, float] = {}

    def go(self) -> float:
        """Make one round. Raises django.db.Error when the database is away."""
        if not self._lead():
            return STANDBY
        freed = actions.free_expired()
        if freed:
            log.info("leases ended", runs=freed)
        due = actions.anything_due()
        if due:
            self._call_drains()
        if time.monotonic() - self._jobs_looked >= 1.0:
            self._jobs_looked = time.monotonic()
            self._send_due_jobs()
        if time.monotonic() - self._swept >= SWEEP:
            self._swept = time.monotonic()
            actions.forget_workers()
        return BUSY if due else QUIET

    def _lead(self) -> bool:
        """Whether this is the active dispatcher; the lock goes with the connection."""
        if self._leads and connection.connection is not None and not connection.connection.closed:
            return True
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", [locks.lock_number("dispatcher")])
            row = cursor.fetchone()
        self._leads = bool(row and row[0])
        return self._leads

    def _call_drains(self) -> None:
        """Ring, and send as many drains as there are workers that do not listen; at most once a second."""
        listening = bell.ring()
        missing = 0 if listening is None else settings.ENV.worker_children - listening
        if missing > 0 and time.monotonic() - self._drains_sent >= 1.0 and actions.DRAIN in jobs.registry:
            self._drains_sent = time.monotonic()
            for _ in range(missing):
                jobs.send(actions.DRAIN)

    def _send_due_jobs(self) -> None:
        now = time.monotonic()
        self._sent = {key: at for key, at in self._sent.items() if now - at < RESEND}
        for job in list(jobs.registry.values()):
            if job.due is None:
                continue
            for arguments in job.due():
                key = f"{job.name} {sorted((name, str(value)) for name, value in arguments.items())}"
                if key not in self._sent:
                    self._sent[key] = now
                    jobs.send(job.name, **arguments)  # type: ignore[arg-type] # `tenant` is a UUID where given
