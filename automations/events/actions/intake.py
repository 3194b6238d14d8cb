"""Events that came in are handed to the rooms above, in order, in the transaction that takes them out of the intake."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Final

import structlog
from django.db import Error, InterfaceError, OperationalError, transaction

from automations.events import registry, store
from automations.events.enums import RejectionCode
from automations.events.models import Event, Rejection
from kernel import locks
from kernel.secrets import redact
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef

log = structlog.get_logger(__name__)
_PASSING: Final = ("08", "40", "53", "55P03", "57P")
"""SQLSTATE of what is nobody's fault and gone next time: connections, deadlocks, no room, a lock, a shutdown."""


class _Failed(Exception):
    """A handler failed on a batch of these (seq, event)."""

    def __init__(self, taken: Sequence[tuple[int, Event | None]], cause: Exception) -> None:
        super().__init__(str(cause))
        self.taken, self.cause = taken, cause


def dispatch(tenant: TenantRef, *, limit: int = 500, now: datetime) -> int:
    """Hand up to `limit` waiting events of `tenant` to the handlers; how many left the intake.

    Taking out and handling are one transaction under the tenant's lock, so every event is handled exactly once; 0
    also when somebody else is at it. A batch on which a handler fails is undone and tried by halves, until the event
    that cannot be worked on is alone; it is set aside and the others pass. Trouble with the database is raised.
    """
    inside = nullcontext() if context.current_or_none() == tenant else context.enter(tenant)
    with inside:
        return _work_off(tenant, limit, now)


def _work_off(tenant: TenantRef, size: int, now: datetime) -> int:
    try:
        return _attempt(tenant, size, now)
    except _Failed as failed:
        if len(failed.taken) == 1:
            _set_aside(tenant, failed)
            return 1
        half = len(failed.taken) // 2
        rest = len(failed.taken) - half
    return _work_off(tenant, half, now) + _work_off(tenant, rest, now)


def _attempt(tenant: TenantRef, size: int, now: datetime) -> int:
    taken: Sequence[tuple[int, Event | None]] = ()
    try:
        with transaction.atomic():
            if not locks.try_lock_until_commit("events.dispatch", tenant.id):
                return 0
            taken = store.take(tenant.schema_name, tenant.id, size)
            _tell([event for _, event in taken if event is not None], now)
    except Exception as error:
        if not taken or _passes(error):
            raise
        raise _Failed(taken, error) from error
    return len(taken)


def _tell(events: Sequence[Event], now: datetime) -> None:
    for handling in registry.handlings():
        if chosen := handling.matching(events):
            handling.run(chosen, now)


def _passes(error: Exception) -> bool:
    """Whether trying again later is all that is needed."""
    if not isinstance(error, Error):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        return isinstance(error, (OperationalError, InterfaceError))
    return str(state).startswith(_PASSING)


def _set_aside(tenant: TenantRef, failed: _Failed) -> None:
    """Take the one event out of the intake and keep the reason; nothing, if somebody else has taken it."""
    ((seq, event),) = failed.taken
    with transaction.atomic():
        if event is None or not store.drop_intake(tenant.id, seq):
            return
        Rejection.objects.create(
            endpoint_id=event.endpoint_id,
            event=event.id,
            code=RejectionCode.HANDLER_FAILED,
            reason=redact(f"{type(failed.cause).__name__}: {failed.cause}")[:2_000],
            source=event.source,
            event_id=event.event_id,
            type=event.type,
            subject=event.subject,
            body=event.envelope(),
            received_at=event.received_at,
        )
    log.error("event set aside: a handler failed on it", event_id=event.public_id, exc_info=failed.cause)
