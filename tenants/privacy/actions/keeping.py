"""How long data are kept: terms, legal holds against them, and purges that leave a proof."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from kernel import clock
from kernel.actor import Actor, system
from kernel.errors import Conflict, Invalid
from tenants.audit.actions import record
from tenants.privacy import policy, queries
from tenants.privacy.enums import Keeps
from tenants.privacy.models import LegalHold, Purge, SubjectRequest, Term
from tenants.privacy.registry import PURGERS
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant

AT_ONCE: Final = 500
SECONDS: Final = 10.0
LONGEST: Final = 36_500
MOST_HELD: Final = 1_000
_BY: Final = system("privacy")


def set_term(
    *,
    what: Keeps | str,
    days: int | None,
    partner: Partner | None = None,
    tenant: Tenant | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Say how long a class of data is kept: at a tenant, at all of a partner's, or (with neither) everywhere.

    None: as the level above says; 0: without end. Raises Invalid.
    """
    actor.require("privacy.retention" if partner or tenant else "platform.partners")
    kind = Keeps(what)
    if days is not None and not 0 <= days <= LONGEST:
        raise Invalid(fields={kind.value: [f"Give a whole number of days up to {LONGEST}, or nothing."]})
    place: dict[str, Any] = {"partner": None if tenant else partner, "tenant": tenant}
    with transaction.atomic():
        row = Term.objects.select_for_update().filter(what=kind, **_at(place)).first()
        before = row.days if row else None
        if before == days:
            return
        if days is None:
            Term.objects.filter(what=kind, **_at(place)).delete()
        else:
            Term.objects.update_or_create(what=kind, **place, defaults={"days": days})
        record(
            actor=actor,
            action="privacy.set_term",
            obj=tenant or partner or ("platform", "platform", "Platform"),
            now=now,
            before={kind.value: before},
            after={kind.value: days},
            partner_id=partner.id if partner else (tenant.partner_id if tenant else None),
        )


def set_terms(
    *,
    days: Mapping[Keeps, int | None],
    partner: Partner | None = None,
    tenant: Tenant | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Say it of several classes, of all or of none. Raises Invalid."""
    with transaction.atomic():
        for what, number in days.items():
            set_term(what=what, days=number, partner=partner, tenant=tenant, actor=actor, now=now)


def _at(place: dict[str, Any]) -> dict[str, object]:
    return {f"{name}_id": row.pk if row else None for name, row in place.items()}


def place_hold(
    *,
    name: str,
    reason: str,
    everything: bool = False,
    keys: Sequence[str] = (),
    subject: SubjectRequest | None = None,
    actor: Actor,
    now: datetime,
) -> LegalHold:
    """Keep everything, orders by their keys, or one person's data, until it is lifted. Raises Invalid, Conflict."""
    actor.require("privacy.retention")
    wanted = sorted({key.strip() for key in keys if key.strip()})
    if not reason.strip() or not name.strip():
        empty = "reason" if name.strip() else "name"
        raise Invalid(fields={empty: ["Say what the hold is for."]})
    if not (everything or wanted or subject) or len(wanted) > MOST_HELD:
        raise Invalid(fields={"keys": [f"Say what is held: everything, or from one to {MOST_HELD} orders."]})
    made = LegalHold(
        tenant_id=context.current().id,
        name=name.strip()[:120],
        reason=reason.strip(),
        everything=everything,
        placed_by=actor.label[:200],
        placed_at=now,
    )
    if subject is not None:
        terms = policy.opened(subject, purpose=policy.SUBJECT)
        made.terms = policy.sealed(terms, row=made, purpose=policy.HOLD)
        wanted = sorted({*wanted, *subject.found.get("business", [])})
    made.keys = wanted
    try:
        with transaction.atomic():
            Tenant.objects.select_for_update().filter(pk=made.tenant_id).first()
            made.save(force_insert=True)
            record(
                actor=actor,
                action="privacy.place_hold",
                obj=made,
                now=now,
                after={"everything": everything, "orders": len(wanted), "person": subject is not None},
                reason=reason,
            )
    except IntegrityError as error:
        raise Conflict("a hold of this name is in force") from error
    return made


def lift_hold(*, hold: LegalHold, reason: str, actor: Actor, now: datetime) -> LegalHold:
    """Lift a hold: terms and wishes count again. Raises Conflict for one that is lifted already."""
    actor.require("privacy.retention")
    with transaction.atomic():
        row = LegalHold.objects.select_for_update().filter(pk=hold.pk, lifted_at__isnull=True).first()
        if row is None:
            raise Conflict("this hold is lifted already")
        row.lifted_at, row.lifted_by, row.terms = now, actor.label[:200], None
        row.save(update_fields=["lifted_at", "lifted_by", "terms"])
        record(actor=actor, action="privacy.lift_hold", obj=row, now=now, reason=reason)
    return row


def purge(*, now: datetime, seconds: float = SECONDS, at_once: int = AT_ONCE) -> dict[str, int]:
    """Delete what the present tenant has kept long enough, but for what is held; how many rows of each class.

    Each class leaves one trace in the audit log and one row of proof a turn. A sandbox keeps all until it goes itself.
    """
    if context.current().sandbox:
        return {}
    until, done = time.monotonic() + seconds, {}
    for what in Keeps:
        days = queries.days_kept(what)
        if days and what in PURGERS:
            count = _purged(what, now - timedelta(days=days), now, until, at_once)
            if count:
                done[str(what)] = count
    return done


def _purged(what: Keeps, before: datetime, now: datetime, until: float, at_once: int) -> int:
    count, more = 0, True
    while more and time.monotonic() < until:
        with transaction.atomic():
            everything, keys = lock_holds()
            if everything:
                return count
            gone = PURGERS[what](before, keys, at_once)
            if gone.keys:
                _trace(prove(what, gone.keys, before, now, held=gone.held), now)
        count += len(gone.keys)
        more = gone.more and bool(gone.keys)
    return count


def lock_holds() -> tuple[bool, list[str]]:
    """(whether everything is held, business keys that are) until the caller's transaction ends.

    A hold that is being placed comes first, or is told of what has gone.
    """
    Tenant.objects.select_for_update().filter(pk=context.current().id).first()
    return queries.held_keys()


def prove(what: Keeps, keys: Sequence[str], until: datetime, now: datetime, *, held: int = 0) -> Purge:
    """Keep the proof of a purge beside it, in the caller's transaction."""
    return Purge.objects.create(
        tenant_id=context.current().id,
        what=what,
        at=now,
        until=until,
        deleted=len(keys),
        held=held,
        digest=hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest(),
    )


def _trace(made: Purge, now: datetime) -> None:
    record(
        actor=_BY,
        action="privacy.purge",
        obj=made,
        now=now,
        after={
            "what": str(made.what),
            "deleted": made.deleted,
            "held": made.held,
            "older_than": clock.rfc3339(made.until),
            "sha256_of_keys": made.digest,
        },
    )
