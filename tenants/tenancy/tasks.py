"""The jobs of the tenancy room."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from kernel import clock, jobs
from tenants.tenancy import actions, queries


def _unfinished() -> Iterable[Mapping[str, object]]:
    for job in queries.unfinished_provisioning(clock.now()):
        yield {"job": job.id}


@jobs.job("tenancy.provision", queue="work", due=_unfinished)
def provision(*, job: str, **_: object) -> None:
    """Do what is left of a provisioning job."""
    actions.provision(job_id=UUID(job), now=clock.now())
