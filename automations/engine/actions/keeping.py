"""How long runs are kept: their data for some months, what happened for longer, and a trace of what went.

Each batch is one transaction with its own line in the audit log: how many runs, from when to when, and the SHA-256 over
their ids, so that whoever has an older copy can prove which runs those were.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from automations.engine.models import Forgetting
from automations.engine.store import bulks
from automations.engine.store import keeping as store
from automations.engine.store.keeping import Over
from kernel.actor import system
from tenants.audit.actions import record
from tenants.privacy import queries as privacy
from tenants.privacy.actions.keeping import lock_holds, prove
from tenants.privacy.enums import Keeps
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
    count = 0
    for what, turn in ((Keeps.RUNS, _delete), (Keeps.RUN_DATA, _strip)):
        days = privacy.days_kept(what)
        if days:
            count += _rounds(turn, now - timedelta(days=days), now, until, at_once)
    return count


def forget_bulks(*, at_once: int = AT_ONCE) -> int:
    """Take away acts on many runs that were over as long as runs are kept; how many. What they did is in the audit."""
    days = privacy.days_kept(Keeps.RUNS)
    if not days or context.current().sandbox:
        return 0
    before = context.now() - timedelta(days=days)
    with transaction.atomic():
        everything, _ = lock_holds()
        gone = 0 if everything else bulks.forget(before, at_once)
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
        everything, held = lock_holds()
        if everything:
            return 0
        last = Forgetting.objects.filter(what="data").order_by("-at", "-pk").first()
        runs = store.with_data(before, last.until if last else None, most, held)
        freed = store.strip([run.id for run in runs], now) if runs else 0
        if len(runs) < most and not held:
            # next time those are passed over that started before everything which may still end
            oldest = store.oldest_unfinished()
            _tell("data", runs, now, min(before, oldest) if oldest else before, freed)
        elif runs:
            _tell("data", runs, now, last.until if last else None, freed)
    return len(runs)


def _delete(before: datetime, now: datetime, most: int) -> int:
    with transaction.atomic():
        everything, held = lock_holds()
        if everything:
            return 0
        runs = store.over(before, most, held)
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
    kind = Keeps.RUN_DATA if what == "data" else Keeps.RUNS
    prove(kind, [str(key) for key in keys], until or max(run.ended_at for run in runs), now)
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
