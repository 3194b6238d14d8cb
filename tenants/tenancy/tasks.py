"""The jobs of the tenancy room."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from kernel import clock, jobs
from tenants.audit import actions as audit
from tenants.audit import queries as trails
from tenants.tenancy import actions, queries

SEAL_SECONDS: Final = 5.0
"""An event of the audit waits at most about that long for its seal."""


def _unfinished() -> Iterable[Mapping[str, object]]:
    for job in queries.unfinished_provisioning(clock.now()):
        yield {"job": job.id}


@jobs.job("tenancy.provision", queue="work", due=_unfinished)
def provision(*, job: str, **_: object) -> None:
    """Do what is left of a provisioning job."""
    actions.provision(job_id=UUID(job), now=clock.now())


def _unsealed() -> Iterable[Mapping[str, object]]:
    """Logs with events that have waited for long enough, or are many: of tenants, and the public one."""
    waiting = set(trails.waiting_logs(seconds=SEAL_SECONDS, rows=audit.BATCH))
    if "public" in waiting:
        yield {"tenant": None}
    for tenant_id in queries.tenants_in(waiting - {"public"}):
        yield {"tenant": tenant_id}


@jobs.job("audit.seal", queue="work", due=_unsealed)
def seal(**_: object) -> None:
    """Seal what waits in the log of the tenant that the job is in; outside of tenants, in the public one."""
    while audit.seal(now=clock.now()) == audit.BATCH:
        continue
