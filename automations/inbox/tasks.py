"""The inbox's job: it carries out decisions whose time to be undone is over."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from automations.inbox.actions import pending
from automations.ledger import queries as ledger
from kernel import jobs
from tenants.tenancy import context


def _waiting() -> Iterable[Mapping[str, object]]:
    """Decisions that stand and are not carried out."""
    return ledger.errands(pending.JOB)


@jobs.job(pending.JOB, queue="work", due=_waiting)
def carry_out(*, key: str, **_: object) -> None:
    """Carry a decision out, if its time has come."""
    pending.carry_out(UUID(key), now=context.now())
