"""The jobs of the branding room."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from kernel import clock, jobs
from tenants.branding import actions, queries

LOOK_SECONDS: Final = 60.0
FORGET_SECONDS: Final = 3_600.0
_look_now: Final = jobs.every(LOOK_SECONDS)


def _stale() -> Iterable[Mapping[str, object]]:
    return [{"claim": key} for _ in _look_now() for key in queries.claims_to_check(clock.now())]


@jobs.job("branding.recheck", queue="work", due=_stale)
def recheck(*, claim: str, **_: object) -> None:
    """Look whether a domain is still, or by now, its partner's."""
    actions.recheck_domain(claim_id=UUID(claim), now=clock.now())


@jobs.job("branding.forget", queue="work", due=jobs.every(FORGET_SECONDS))
def forget(**_: object) -> None:
    """Forget claims that came to nothing."""
    actions.forget_claims(now=clock.now())
