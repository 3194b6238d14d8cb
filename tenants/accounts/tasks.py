"""The jobs of the accounts room."""

from typing import Final

import structlog

from kernel import clock, jobs
from tenants.accounts.actions import forgetting

log = structlog.get_logger(__name__)
FORGET_SECONDS: Final = 900.0


@jobs.job("accounts.forget", queue="work", due=jobs.every(FORGET_SECONDS))
def forget(**_: object) -> None:
    """Forget what has had its time: sessions that are long over, links, brakes."""
    count = forgetting.forget_old(now=clock.now())
    if count:
        log.info("old sessions, links and brakes forgotten", rows=count)
