"""How long runs are kept: their data for some months, what happened for longer, and a trace of what went.

Each batch is one transaction with its own line in the audit log: how many runs, from when to when, and the SHA-256 over
their ids, so that whoever has an older copy can prove which runs those were.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from automations.engine.models import Forgetting
from automations.engine.store import bulks
from automations.engine.store import keeping as store
from automations.engine.store.keeping import Over
from kernel.actor import system
from tenants.audit.actions import record
from tenants.tenancy import context

AT_ONCE: Final = 500
SECONDS: Final = 10.0
BY: Final = system("engine")


def forget_runs(*, seconds: float = SECONDS, at_once: int = AT_ONCE) -> int:
    """Take away what has been kept long enough of the present tenant's runs; how many runs.

    What is left when the time is over is for the next time. A sandbox keeps all until it is deleted itself: on a clock
    of its own a year may be a minute, and a run may say that it ended before the portal was there.
    """
    if context.current().sandbox:
        return 0
    now, until = context.now(), time.monotonic() + seconds
    env = settings.ENV
    count = 0
    if env.keep_runs_days:
        count += _rounds(_delete, now - timedelta(days=env.keep_runs_days), now, until, at_once)
    if env.keep_data_days:
        count += _rounds(_strip, now - timedelta(days=env.keep_data_days), now, until, at_once)
    return count


def forget_bulks(*, at_once: int = AT_ONCE) -> int:
    """Take away acts on many runs that were over as long as runs are kept; how many. What they did is in the audit."""
    days = settings.ENV.keep_runs_days
    if not days or context.current().sandbox:
        return 0
    before = context.now() - timedelta(days=days)
    with transaction.atomic():
        gone = bulks.forget(before, at_once)
        if gone:
            tenant = context.current()
            record(
                actor=BY,
                action="engine.forget_runs",
                obj=("tenant", str(tenant.id), tenant.name),
                now=context.now(),
                after={"what": "bulks", "bulks": gone, "over_before": before},
            )
    return gone


def _rounds(
    turn: Callable[[datetime, datetime, int], int],
    before: datetime,
    now: datetime,
    until: float,
    at_once: int,
) -> int:
    count, gone = 0, at_once
    while gone == at_once and time.monotonic() < until:
        gone = turn(before, now, at_once)
        count += gone
    return count


def _strip(before: datetime, now: datetime, most: int) -> int:
    with transaction.atomic():
        last = Forgetting.objects.filter(what="data").order_by("-at", "-pk").first()
        runs = store.with_data(before, last.until if last else None, most)
        freed = store.strip([run.id for run in runs], now) if runs else 0
        if len(runs) < most:
            # next time those are passed over that started before everything which may still end
            oldest = store.oldest_unfinished()
            _tell("data", runs, now, min(before, oldest) if oldest else before, freed)
        elif runs:
            _tell("data", runs, now, last.until if last else None, freed)
    return len(runs)


def _delete(before: datetime, now: datetime, most: int) -> int:
    with transaction.atomic():
        runs = store.over(before, most)
        if runs:
            store.delete([run.id for run in runs])
            _tell("runs", runs, now, before, 0)
    return len(runs)


def _tell(what: str, runs: Sequence[Over], now: datetime, until: datetime | None, freed: int) -> None:
    """Leave a trace: for people in the audit log, for the next time in a row."""
    keys = sorted(run.id for run in runs)
    digest = hashlib.sha256(b"".join(key.bytes for key in keys)).hexdigest()
    Forgetting.objects.create(
        at=now, what=what, until=until, runs=len(keys), freed=freed, digest=digest if keys else ""
    )
    if not runs:
        return
    tenant = context.current()
    record(
        actor=BY,
        action="engine.forget_runs",
        obj=("tenant", str(tenant.id), tenant.name),
        now=now,
        after={
            "what": what,
            "runs": len(keys),
            "first_ended": min(run.ended_at for run in runs),
            "last_ended": max(run.ended_at for run in runs),
            "sha256_of_ids": digest,
        },
    )
