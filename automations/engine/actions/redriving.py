"""One act on many runs: begun with a count, done at a pace and in the order of each business key, stopped at any time.

Which runs are meant is fixed when it begins. A worker then does it in rounds of half a second, each one transaction:
a round that is broken off has not been, so that no run is acted on twice and none is left out.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from automations.engine.actions import migrating, operate
from automations.engine.enums import BulkAct, BulkState, ItemState
from automations.engine.errors import Because, BulkOver, NothingMatches, OthersMatch
from automations.engine.models import Bulk, BulkItem, Definition
from automations.engine.queries.bulks import RunFilter, matching
from automations.engine.store import bulks as store
from automations.ledger import actions as ledger
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound, PortalError
from tenants.access import policy
from tenants.access.queries import rights
from tenants.audit.actions import record
from tenants.tenancy import context

log = structlog.get_logger(__name__)
JOB: Final = "engine.bulk"
RATE: Final = 5.0
RATE_MOST: Final = 50.0
MOST: Final = 20_000
"""Runs that one act is done to."""
_ROUND: Final = 0.5
_AT_ONCE: Final = 25
_PATIENCE: Final = timedelta(minutes=15)
"""After so long without any change an act is over, though runs which it sent on may still be under way."""


def start_bulk(
    *,
    act: str,
    wanted: RunFilter,
    actor: Actor,
    now: datetime,
    reason: str = "",
    rate: float = RATE,
    expected: int | None = None,
    definition: Definition | None = None,
) -> Bulk:
    """Begin to do `act` to every run that is `wanted`, at most `rate` a second.

    `expected` is the number that somebody saw. Raises NothingMatches, OthersMatch if it is another one by now, and
    Invalid for an act or a pace that is none.
    """
    policy.require(actor, "engine.operate", wanted.narrowed_to())
    _require_sense(act, rate, reason, definition)
    target = definition.id if definition else None
    with transaction.atomic():
        found = matching(wanted, act, pinned_not_to=target)
        rows = list(found.values_list("id", "business_key", "step")[: MOST + 1])
        if not rows:
            raise NothingMatches
        if len(rows) > MOST:
            raise Invalid(_("More than %(n)d runs fit; narrow the filter.") % {"n": MOST})
        if expected is not None and expected != len(rows):
            raise OthersMatch(_("By now %(n)d runs fit; look again.") % {"n": len(rows)})
        begin = store.database_now()
        bulk = Bulk.objects.create(
            act=act,
            wanted=wanted.stored(),
            definition_id=target,
            reason=reason,
            rate=rate,
            total=len(rows),
            actor=_kept(actor),
            created_at=now,
            next_at=begin,
            moved_at=begin,
        )
        store.fill(bulk, rows)
        after = {"act": act, "runs": bulk.total, "rate": rate, "filter": bulk.wanted}
        if definition is not None:
            after["version"] = str(definition)
        record(actor=actor, action="engine.start_bulk", obj=bulk, now=now, after=after, reason=reason)
        ledger.post_errand(job=JOB, key=bulk.id, tenant_id=context.current().id)
    return bulk


def _require_sense(act: str, rate: float, reason: str, definition: Definition | None) -> None:
    if act not in BulkAct.values:
        raise Invalid(fields={"act": [_("There is no such act.")]})
    if not 0 < rate <= RATE_MOST:
        raise Invalid(fields={"rate": [_("More than 0, at most %(n)d a second.") % {"n": RATE_MOST}]})
    if act in (BulkAct.CANCEL, BulkAct.SKIP) and not reason.strip():
        raise Invalid(fields={"reason": [_("Say why.")]})
    if (act == BulkAct.MIGRATE) != (definition is not None):
        raise Invalid(fields={"version": [_("Choose the version that the runs move to.")]})


def stop_bulk(*, bulk_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Bulk:
    """Do nothing more; what was sent on goes on. Waits for the round that is under way. Raises BulkOver."""
    return _set_state(bulk_id, BulkState.STOPPED, "engine.stop_bulk", actor, now, reason)


def continue_bulk(*, bulk_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Bulk:
    """Go on with what was stopped. Raises BulkOver."""
    return _set_state(bulk_id, BulkState.RUNNING, "engine.continue_bulk", actor, now, reason)


def cancel_bulk(*, bulk_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Bulk:
    """Leave all runs alone that still wait; what was sent on goes on, and then the act is over. Raises BulkOver."""
    with transaction.atomic():
        bulk = _held(bulk_id, actor)
        left = BulkItem.objects.filter(bulk_id=bulk.id, state=ItemState.WAITING)
        at, before = store.database_now(), bulk.state
        alone = left.update(state=ItemState.HELD, why=_("It was called off."), at=at)
        bulk.state, bulk.cancelled, bulk.moved_at = BulkState.STOPPED, True, at
        _close_if_through(bulk, at)
        bulk.save(update_fields=["state", "cancelled", "moved_at", "over_at"])
        record(
            actor=actor,
            action="engine.cancel_bulk",
            obj=bulk,
            now=now,
            before={"state": before},
            after={"state": bulk.state, "left_alone": alone},
            reason=reason,
        )
    return bulk


def _held(bulk_id: UUID, actor: Actor) -> Bulk:
    """The act, kept from its worker until the transaction ends. Raises NotFound and BulkOver."""
    bulk: Bulk | None = Bulk.objects.select_for_update().filter(pk=bulk_id).first()
    if bulk is None:
        raise NotFound
    policy.require(actor, "engine.operate", RunFilter.read(bulk.wanted).narrowed_to())
    if bulk.state == BulkState.DONE or bulk.cancelled:
        raise BulkOver
    return bulk


def _set_state(
    bulk_id: UUID, state: BulkState, action: str, actor: Actor, now: datetime, reason: str
) -> Bulk:
    with transaction.atomic():
        bulk = _held(bulk_id, actor)
        before, bulk.state = bulk.state, state
        if before != state:
            bulk.next_at = bulk.moved_at = store.database_now()
            bulk.save(update_fields=["state", "next_at", "moved_at"])
            record(
                actor=actor,
                action=action,
                obj=bulk,
                now=now,
                before={"state": before},
                after={"state": state},
                reason=reason,
            )
            ledger.post_errand(job=JOB, key=bulk.id, tenant_id=context.current().id)
    return bulk


def carry_on(bulk_id: UUID, *, seconds: float) -> None:
    """Work on a bulk act for so long; whoever finds another at it leaves it to them."""
    until = time.monotonic() + seconds
    with translation.override(context.current().language):
        while _round(bulk_id) and time.monotonic() < until:
            time.sleep(_ROUND / 2)


def _round(bulk_id: UUID) -> bool:
    """Half a second's work in one transaction; False if there is nothing more for this turn."""
    with transaction.atomic():
        bulk = store.take(bulk_id)
        if bulk is None:
            if not Bulk.objects.filter(pk=bulk_id, over_at__isnull=True).exists():
                ledger.settle_errand(bulk_id)
            return False
        changed = store.follow(bulk.id, _("An earlier run of the same order failed again."))
        if bulk.state == BulkState.RUNNING:
            changed += _send(bulk)
        at = store.database_now()
        if changed:
            bulk.moved_at = at
        more = _close_if_through(bulk, at)
        bulk.save(update_fields=["next_at", "moved_at", "state", "over_at"])
        return more


def _send(bulk: Bulk) -> int:
    """Act on as many runs as the pace allows by now; how many."""
    at = store.database_now()
    begin = max(bulk.next_at, at - timedelta(seconds=1))  # what was not used is not saved up
    allowed = int((at - begin).total_seconds() * bulk.rate) + 1 if begin <= at else 0
    items = store.next_items(bulk.id, min(allowed, _AT_ONCE)) if allowed else []
    actor, now = _restored(bulk.actor), context.now()
    definition = Definition.objects.get(pk=bulk.definition_id) if bulk.definition_id else None
    for position, run in items:
        state, why = _do(bulk, run, definition, actor, now)
        store.settle(bulk.id, position, state, why)
    if items:
        bulk.next_at = begin + timedelta(seconds=len(items) / bulk.rate)
    return len(items)


def _do(
    bulk: Bulk, run: UUID, definition: Definition | None, actor: Actor, now: datetime
) -> tuple[ItemState, str]:
    """Act on one run; what became of it, and why. A refusal stops nobody else."""
    try:
        if definition is not None:
            migrating.migrate(run_id=run, definition=definition, actor=actor, now=now, reason=bulk.reason)
            return ItemState.DONE, ""
        if bulk.act == BulkAct.CANCEL:
            at_once = operate.cancel(run_id=run, actor=actor, now=now, reason=bulk.reason)
            return (ItemState.DONE if at_once else ItemState.SENT), ""
        mode: operate.Mode = "skip" if bulk.act == BulkAct.SKIP else "retry"
        operate.resume(run_id=run, mode=mode, actor=actor, now=now, reason=bulk.reason)
    except PortalError as error:
        if not error.benign:
            raise
        return ItemState.REFUSED, error.told(_) if isinstance(error, Because) else _(error.message)
    except (OperationalError, InterfaceError):
        raise  # the database was in the way, not the run: the whole round is done again
    except Exception as error:
        log.exception("a run of a bulk act broke", bulk=bulk.public_id, run=str(run))
        return ItemState.REFUSED, type(error).__name__
    return ItemState.SENT, ""


def _close_if_through(bulk: Bulk, at: datetime) -> bool:
    """Note that the act is over, where it is; whether this turn has more to do."""
    left = set(
        BulkItem.objects.filter(bulk_id=bulk.id, state__in=(ItemState.WAITING, ItemState.SENT))
        .values_list("state", flat=True)
        .distinct()
    )
    idle = at - bulk.moved_at > _PATIENCE and not store.behind_others(bulk.id)
    if not left or (idle and bulk.state == BulkState.RUNNING):
        BulkItem.objects.filter(bulk_id=bulk.id, state=ItemState.WAITING).update(
            state=ItemState.HELD, why=_("An earlier run of the same order is still under way."), at=at
        )
        bulk.state, bulk.over_at = BulkState.DONE, at
        ledger.settle_errand(bulk.id)
        return False
    if bulk.state == BulkState.STOPPED and (ItemState.SENT not in left or idle):
        ledger.settle_errand(bulk.id)
        return False
    return True


def _kept(actor: Actor) -> dict[str, Any]:
    return {
        "kind": actor.kind,
        "id": str(actor.id) if actor.id else None,
        "user_id": str(actor.user_id) if actor.user_id else None,
        "label": actor.label,
        "request_id": actor.request_id,
        "address": actor.address,
        "roles": list(actor.roles),
    }


def _restored(kept: Mapping[str, Any]) -> Actor:
    """Who began it, with the one permission that beginning it took, as far as they still hold it."""
    actor = Actor(
        kind=kept["kind"],
        id=UUID(kept["id"]) if kept["id"] else None,
        label=kept["label"],
        request_id=kept["request_id"],
        address=kept["address"],
        user_id=UUID(kept["user_id"]) if kept["user_id"] else None,
        roles=tuple(kept["roles"]),
    )
    tenant = context.current()
    held = rights.held_now(actor, partner_id=tenant.partner_id, tenant_id=tenant.id)
    return replace(actor, permissions=held & {"engine.operate"})
