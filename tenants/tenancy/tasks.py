"""The jobs of the tenancy room."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from kernel import clock, jobs
from kernel.actor import system
from tenants.audit import actions as audit
from tenants.audit import queries as trails
from tenants.tenancy import actions, queries
from tenants.tenancy.actions import deleting, exporting, restoring

VERIFY_EVERY: Final = timedelta(days=1)
"""A log in which things happen is verified that often by itself."""
SEAL_SECONDS: Final = 5.0
"""An event of the audit waits at most about that long for its seal."""


def _unfinished() -> Iterable[Mapping[str, object]]:
    for job in queries.unfinished_provisioning(clock.now()):
        yield {"job": job.id}


@jobs.job("tenancy.provision", queue="work", due=_unfinished)
def provision(*, job: str, **_: object) -> None:
    """Do what is left of a provisioning job."""
    actions.provision(job_id=UUID(job), now=clock.now())


def _ended() -> Iterable[Mapping[str, object]]:
    for deletion in queries.deletions_due(clock.now()):
        yield {"deletion": deletion.id}


@jobs.job("tenancy.delete", queue="work", due=_ended)
def delete(*, deletion: str, **_: object) -> None:
    """Delete a tenant whose hold is over."""
    deleting.delete_tenant(deletion_id=UUID(deletion), now=clock.now())


def _unmade() -> Iterable[Mapping[str, object]]:
    for file in queries.unfinished_files(clock.now()):
        yield {"file": file.id}


@jobs.job(exporting.MAKE, queue="work", due=_unmade)
def make_file(*, file: str, **_: object) -> None:
    """Make the file of a client that was asked for."""
    exporting.make_file(file_id=UUID(file), now=clock.now())


def _unlaid() -> Iterable[Mapping[str, object]]:
    for restore in queries.unfinished_restores(clock.now()):
        yield {"restore": restore.id}


@jobs.job(restoring.LAY_OUT, queue="work", due=_unlaid)
def lay_out(*, restore: str, **_: object) -> None:
    """Lay out a client's file beside the live one."""
    restoring.lay_beside(restore_id=UUID(restore), now=clock.now())


def _unsealed() -> Iterable[Mapping[str, object]]:
    """Logs with events that have waited for long enough, or are many: of tenants, and the public one."""
    waiting = set(trails.waiting_logs(seconds=SEAL_SECONDS, rows=audit.BATCH))
    if "public" in waiting:
        yield {"tenant": None}
    for tenant_id in queries.tenants_by_schema(waiting).values():
        yield {"tenant": tenant_id}


@jobs.job("audit.seal", queue="work", due=_unsealed)
def seal(**_: object) -> None:
    """Seal what waits in the log of the tenant that the job is in; outside of tenants, in the public one."""
    now = clock.now()
    while audit.seal(now=now) == audit.BATCH:
        continue
    if trails.unverified_since(now - VERIFY_EVERY):
        jobs.enqueue("audit.verify")


@jobs.job("audit.verify", queue="work")
def verify(*, asked_by: str = "audit", **_: object) -> None:
    """Verify the log of the tenant that the job is in; outside of tenants, the public one."""
    audit.verify_log(actor=system(asked_by), now=clock.now())


def _owed() -> Iterable[Mapping[str, object]]:
    """Streams of the audit that have something to send."""
    found = trails.owed_streams()
    keys = queries.tenants_by_schema({schema for schema, _ in found})
    for schema, stream in found:
        if schema == "public" or schema in keys:
            yield {"tenant": keys.get(schema), "stream": stream}


@jobs.job("audit.stream", queue="work", due=_owed)
def stream(*, stream: str, **_: object) -> None:
    """Send a stream of the audit what it is owed."""
    audit.deliver(stream_id=UUID(stream), now=clock.now())
