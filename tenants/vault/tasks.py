"""The jobs of the vault room."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from kernel import clock, jobs
from tenants.vault import actions, queries


def _with_old_keys() -> Iterable[Mapping[str, object]]:
    """Whoever has secrets under an older data key, or an older data key that may go."""
    for owner in queries.owners_of_old_keys():
        yield {"owner": str(owner or "")}


@jobs.job(actions.RESEAL, queue="work", due=_with_old_keys)
def reseal(*, owner: str, **_: object) -> None:
    """Seal anew what is under older data keys, and delete those that nothing needs."""
    actions.reseal(tenant_id=UUID(owner) if owner else None, now=clock.now())
