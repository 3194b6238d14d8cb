"""The engine's job: it drains what is due. Which run that is, the ledger says; the message says nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from celery.signals import worker_ready

from automations.engine.actions import redriving
from automations.engine.actions.forgetting import forget_event_keys
from automations.engine.actions.gathering import forget_gathered
from automations.engine.actions.keeping import forget_bulks, forget_runs
from automations.engine.actions.pausing import mend_lanes
from automations.engine.actions.watchdog import QUEUE, Guard
from automations.engine.actions.worker import Worker
from automations.ledger import queries as ledger
from kernel import jobs

log = structlog.get_logger(__name__)
SECONDS: Final = 20.0
"""A drain ends after that long, so that a worker that is asked to stop stops."""
IDLE: Final = 1.5
FORGET_SECONDS: Final = 1800.0
KEEP_SECONDS: Final = 6 * 3600.0
_keep_now: Final = jobs.every(KEEP_SECONDS)
BULK_SECONDS: Final = 4.0
"""A turn of a bulk act; less than it takes the dispatcher to send the job again, so that turns do not pile up."""
MEND_SECONDS: Final = 5.0
_worker: Worker | None = None


@worker_ready.connect
def guard_children(sender: Any, **_: object) -> None:
    """The parent of workers watches over them, and over being called at all."""
    if QUEUE in sender.app.amqp.queues.consume_from:
        Guard().start()


@jobs.job("engine.drain", queue="engine")
def drain(**_: object) -> None:
    """Work until nothing is due in any tenant."""
    global _worker  # noqa: PLW0603 - one engine a process: its connections and compiled programs stay
    if _worker is None:
        _worker = Worker()
    try:
        _worker.run(seconds=SECONDS, idle=IDLE)
    except psycopg.Error as error:
        log.warning("drain broken off; leases will end and others go on", error=str(error))
        _worker.reset()


@jobs.job("engine.forget", queue="work", due=jobs.every(FORGET_SECONDS))
def forget(**_: object) -> None:
    """Forget the keys of events that no listener can come late for."""
    count = forget_event_keys()
    if count:
        log.info("event keys forgotten", keys=count)


def _keepers() -> Iterable[Mapping[str, object]]:
    """Every tenant that works, once in a while."""
    return [{"tenant": key} for _ in _keep_now() for key in ledger.working_tenants()]


@jobs.job("engine.keep", queue="work", due=_keepers)
def keep(**_: object) -> None:
    """Take away what was kept long enough of one tenant: its runs, acts on many, events that waited in vain."""
    count = forget_runs()
    if count:
        log.info("runs forgotten", runs=count)
    acts = forget_bulks()
    if acts:
        log.info("acts on many runs forgotten", bulks=acts)
    alone = forget_gathered()
    if alone:
        log.info("events forgotten that waited for others", events=alone)


def _bulks() -> Iterable[Mapping[str, object]]:
    """Bulk acts that are not through."""
    return ledger.errands(redriving.JOB)


@jobs.job(redriving.JOB, queue="work", due=_bulks)
def bulk(*, key: str, **_: object) -> None:
    """Work on a bulk act for a turn."""
    redriving.carry_on(UUID(key), seconds=BULK_SECONDS)


@jobs.job("engine.mend", queue="work", due=jobs.every(MEND_SECONDS))
def mend(**_: object) -> None:
    """Take back places in lanes that nobody gave up."""
    count = mend_lanes()
    if count:
        log.info("lanes mended", lanes=count)
