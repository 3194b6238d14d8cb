"""What rooms above ask of the ledger: a slot for a tenant, and the bell."""

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from automations.ledger.models import Errand, Slot
from kernel import bell, jobs
from kernel.actor import Actor
from tenants.audit.actions import record
from tenants.tenancy import queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef

DRAIN: Final = "engine.drain"
CALL_AGAIN: Final = 0.25
"""Seconds before a drain is called for again."""
_called_at = 0.0


def open_slot(ref: TenantRef) -> None:
    """Give a tenant its share of the workers, or bring the share in line with the tenant's state and clock."""
    paused = Slot.objects.filter(tenant_id=ref.id, paused=True).exists()
    Slot.objects.update_or_create(
        tenant_id=ref.id,
        defaults={
            "schema_name": ref.schema_name,
            "open": _may_work(ref) and not paused,
            "virtual_now": queries.virtual_now(ref.id) if ref.virtual else None,
        },
    )


def _may_work(ref: TenantRef) -> bool:
    return ref.state in (TenantState.TRIAL, TenantState.ACTIVE)


def pause_slot(*, tenant: Tenant, paused: bool, reason: str, actor: Actor, now: datetime) -> Slot:
    """Keep workers away from a tenant, or let them come back; what comes in waits, and its pages go on to work."""
    actor.require("platform.partners")
    with transaction.atomic():
        slot = Slot.objects.select_for_update().get(tenant_id=tenant.id)
        if slot.paused != paused:
            slot.paused, slot.open = paused, _may_work(queries.ref_of(tenant)) and not paused
            slot.save(update_fields=["paused", "open"])
            record(
                actor=actor,
                action="ledger.pause_slot",
                obj=tenant,
                now=now,
                before={"paused": not paused},
                after={"paused": paused},
                reason=reason,
                partner_id=tenant.partner_id,
            )
            transaction.on_commit(ring)
    return slot


def free_expired() -> int:
    """Take runs from workers that have not been heard of for a lease; how many. Their next holder gets a new epoch."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update public.ledger_queue set owner = null, lease_until = null
            where owner is not null and lease_until < clock_timestamp()
            """
        )
        return int(cursor.rowcount)


def forget_workers() -> int:
    """Strike out workers that went without a word an hour ago or more; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from public.ledger_worker where heartbeat_at < clock_timestamp() - interval '1 hour'"
        )
        return int(cursor.rowcount)


def tally(name: str) -> None:
    """Count one more of something that operators watch."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into public.ledger_tally (name, count) values (%s, 1)
            on conflict (name) do update set count = ledger_tally.count + 1
            """,
            [name],
        )


def anything_due() -> bool:
    """Whether an open tenant has a due run or an event that is not dispatched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select exists (
              select from public.ledger_slot s where s.open and (
                exists (select from public.ledger_intake i where i.tenant_id = s.tenant_id)
                or exists (
                  select from public.ledger_queue q where q.tenant_id = s.tenant_id and q.owner is null
                    and q.ready_at <= coalesce(s.virtual_now, clock_timestamp()))))
            """
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def post_errand(*, job: str, key: UUID, tenant_id: UUID) -> None:
    """Have `job` sent for `key` now and again until it is settled, whatever happens to a message or a worker."""
    Errand.objects.get_or_create(id=key, defaults={"tenant_id": tenant_id, "job": job})
    jobs.enqueue(job, tenant=tenant_id, key=key)


def settle_errand(key: UUID) -> None:
    """The errand is done."""
    Errand.objects.filter(id=key).delete()


def ring() -> None:
    """Tell workers that something is due; if none listens, start one. Call it after the commit."""
    global _called_at  # noqa: PLW0603 - one drain is called, however many events come before it listens
    if bell.ring() == 0 and DRAIN in jobs.registry and time.monotonic() - _called_at > CALL_AGAIN:
        _called_at = time.monotonic()
        jobs.send(DRAIN)
