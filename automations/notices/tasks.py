"""The jobs of the notices room; what goes out is sent by the portal, whose brand it wears."""

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from automations.ledger import queries as ledger
from automations.notices import actions
from kernel import clock, jobs

log = structlog.get_logger(__name__)
FORGET_SECONDS: Final = 3_600.0
_forget_now: Final = jobs.every(FORGET_SECONDS)


def _everywhere() -> Iterable[Mapping[str, object]]:
    """Every tenant that works, once in a while."""
    return [{"tenant": key} for _ in _forget_now() for key in ledger.working_tenants()]


@jobs.job("notices.forget", queue="work", due=_everywhere)
def forget(**_: object) -> None:
    """Forget what was told long ago."""
    count = actions.forget_old(now=clock.now())
    if count:
        log.info("old notices forgotten", rows=count)
