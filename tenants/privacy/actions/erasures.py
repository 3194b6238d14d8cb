"""The ledger of erasures: replayed over whatever comes back from a backup, forgotten when no backup is that old."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from kernel import clock
from kernel.actor import Actor, system
from kernel.persons import Person
from tenants.audit import actions as audit
from tenants.privacy import policy, queries
from tenants.privacy.actions.walking import Walk, erase_rows
from tenants.privacy.errors import TooOld
from tenants.privacy.models import Erasure
from tenants.privacy.store import Place
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef

log = structlog.get_logger(__name__)


def require_names(origin: UUID, *, since: datetime) -> None:
    """Refuse rows as of `since` that would bring somebody back whom nothing could find. Raises TooOld."""
    with context.leave():
        if queries.unnamed_since(origin, since):
            raise TooOld(
                "Somebody was erased after this file was made, and the ledger has forgotten who: it must not come back."
            )


def adopt_ledger(tenant: TenantRef, origin: UUID) -> int:
    """Copy the ledger of the tenant whose rows came here into that of `tenant`; how many lines.

    None where it is another portal's: its file was made after what was erased there.
    """
    with context.leave():
        known = Tenant.objects.filter(pk=origin).exists()
    if not known:
        return 0
    with context.enter(origin):
        lines = [(line, policy.opened(line, purpose=policy.ERASURE)) for line in queries.ledger_of(origin)]
    with context.enter(tenant):
        for line, terms in lines:
            copy = Erasure(tenant_id=tenant.id, mark=line.mark, at=line.at, forget_at=line.forget_at)
            copy.terms = policy.sealed(terms, row=copy, purpose=policy.ERASURE)
            copy.save(force_insert=True)
    return len(lines)


def replay_erasures(tenant: TenantRef, *, actor: Actor | None = None, now: datetime | None = None) -> int:
    """Erase again, in the tenant's schema as it stands now, everybody whom the ledger names; how many rows changed.

    Call it after a schema came back from a backup and before anybody else sees it: nothing in it is at work then. It
    may run in a schema that is entered already, or enters the tenant's own. Repeating it changes nothing.
    """
    at, by = now or clock.now(), actor or system("privacy")
    inside = context.current_or_none()
    if inside is not None and inside.id == tenant.id:
        return _replay(tenant.id, by, at)
    with context.enter(tenant):
        return _replay(tenant.id, by, at)


def _replay(tenant_id: UUID, actor: Actor, now: datetime) -> int:
    total = 0
    for line in queries.ledger_of(tenant_id):
        person = Person(policy.opened(line, purpose=policy.ERASURE), line.mark)
        with transaction.atomic():
            changed, left = _erase_again(person, line, actor, now)
            total += changed
            Erasure.objects.filter(pk=line.pk).update(
                replayed_at=now, replays=line.replays + 1, waits=left > 0
            )
            audit.record(
                actor=actor,
                action="privacy.replay_erasure",
                obj=(line.prefix, line.public_id, line.mark),
                now=now,
                after={"rows": changed},
            )
    log.info("erasures replayed", rows=total)
    return total


def _erase_again(person: Person, line: Erasure, actor: Actor, now: datetime) -> tuple[int, int]:
    """How many rows changed, and how many must wait, as what the log has not sealed yet."""
    changed, left = 0, 0

    def take_out(place: Place, hits: list[tuple[Any, dict[str, Any]]]) -> None:
        nonlocal changed, left
        done, busy = erase_rows(
            place,
            hits,
            person,
            proof=lambda event: audit.erase_sealed(
                event=event, reason=f"erasure {line.public_id}", actor=actor, now=now
            ),
        )
        changed, left = changed + done, left + busy

    while audit.seal(now=now):
        continue
    walk = Walk({})
    while not walk.over:
        walk.batch(person, take_out)
    return changed, left


def forget_terms(*, now: datetime) -> int:
    """Destroy who it was, in lines of the present tenant that no backup is old enough for; how many."""
    with transaction.atomic():
        return Erasure.objects.filter(
            tenant_id=context.current().id, forget_at__lte=now, terms__isnull=False
        ).update(terms=None)
