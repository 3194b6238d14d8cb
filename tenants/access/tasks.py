"""The jobs of the access room."""

from typing import Final

import structlog

from kernel import clock, jobs
from tenants.access import actions

log = structlog.get_logger(__name__)
FORGET_SECONDS: Final = 900.0


@jobs.job("access.forget", queue="work", due=jobs.every(FORGET_SECONDS))
def forget(**_: object) -> None:
    """Forget passes, kept answers and sessions whose time is over."""
    count = actions.forget_expired(now=clock.now())
    if count:
        log.info("expired passes, answers and sessions forgotten", rows=count)
