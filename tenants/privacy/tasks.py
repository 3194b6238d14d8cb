"""The jobs of the privacy room."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from kernel import clock, jobs
from tenants.privacy import queries
from tenants.privacy.actions import erasures, keeping, subjects
from tenants.tenancy import context
from tenants.tenancy import queries as places

PURGE_SECONDS: Final = 6 * 3600.0
_purge_now: Final = jobs.every(PURGE_SECONDS)
_forget_now: Final = jobs.every(PURGE_SECONDS)


def _requests() -> Iterable[Mapping[str, object]]:
    for key, tenant_id in queries.unfinished():
        yield {"tenant": tenant_id, "key": key}


@jobs.job(subjects.JOB, queue="work", due=_requests)
def subject(*, key: str, **_: object) -> None:
    """Look for a person, or erase them, for a turn."""
    subjects.carry_on(key=UUID(key), now=clock.now())


def _all_tenants() -> Iterable[Mapping[str, object]]:
    return [{"tenant": key} for _ in _purge_now() for key in places.ready_ids()]


@jobs.job("privacy.purge", queue="work", due=_all_tenants)
def purge(**_: object) -> None:
    """Delete what one tenant has kept long enough."""
    keeping.purge(now=clock.now())


def _waiting() -> Iterable[Mapping[str, object]]:
    return [{"tenant": key} for key in queries.waiting()]


@jobs.job("privacy.replay", queue="work", due=_waiting)
def replay(**_: object) -> None:
    """Erase what the last replay of a tenant's ledger had to leave."""
    erasures.replay_erasures(context.current(), now=clock.now())


def _forgettable() -> Iterable[Mapping[str, object]]:
    return [{"tenant": key} for _ in _forget_now() for key in queries.forgettable(clock.now())]


@jobs.job("privacy.forget", queue="work", due=_forgettable)
def forget(**_: object) -> None:
    """Destroy who it was in lines of the ledger that no backup is old enough for."""
    erasures.forget_terms(now=clock.now())
