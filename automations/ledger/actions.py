"""What rooms above ask of the ledger: a slot for a tenant, and the bell."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from automations.ledger import queries as queries_here
from automations.ledger.enums import SHUTTING, Level
from automations.ledger.models import Errand, Pause, Slot
from kernel import bell, jobs
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.models import Row
from tenants.audit.actions import record
from tenants.tenancy import queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import TenantRef

DRAIN: Final = "engine.drain"
MOST_RUNNING: Final = 1_000
CALL_AGAIN: Final = 0.25
"""Seconds before a drain is called for again."""
_called_at = 0.0


def open_slot(ref: TenantRef) -> None:
    """Give a tenant its share of the workers, or bring the share in line with its state, its clock, and pauses."""
    with transaction.atomic():
        # held before it is looked for pauses: whoever pauses takes the same row afterwards
        Slot.objects.select_for_update().filter(tenant_id=ref.id).first()
        paused = queries_here.shut(ref.id, ref.partner_id)
        Slot.objects.update_or_create(
            tenant_id=ref.id,
            defaults={
                "schema_name": ref.schema_name,
                "paused": paused,
                "open": _may_work(ref) and not paused,
                "virtual_now": queries.virtual_now(ref.id) if ref.virtual else None,
            },
        )


def _may_work(ref: TenantRef) -> bool:
    return ref.state in (TenantState.TRIAL, TenantState.ACTIVE)


def pause_slot(*, tenant: Tenant, paused: bool, reason: str, actor: Actor, now: datetime) -> Slot:
    """Keep workers away from a tenant for the platform's sake, or let them come back; its pages go on to work."""
    actor.require("platform.partners")
    with transaction.atomic():
        target = Target(Level.PLATFORM, tenant.id, tenant.name, tenant.id)
        if turn(target, paused=paused, reason=reason, actor=actor, now=now):
            _trace("ledger.pause_slot", tenant, tenant.partner_id, paused, reason, actor, now)
            open_slot(queries.ref_of(tenant))
    return Slot.objects.get(tenant_id=tenant.id)


def pause_tenant(*, tenant: Tenant, paused: bool, reason: str, actor: Actor, now: datetime) -> bool:
    """Let all work of a tenant stand still, or go on where it stood; False if it did already.

    Events are taken in and kept meanwhile. Runs that are under way end the call they are in.
    """
    actor.require("engine.pause")
    with transaction.atomic():
        target = Target(Level.TENANT, tenant.id, tenant.name, tenant.id)
        changed = turn(target, paused=paused, reason=reason, actor=actor, now=now)
        if changed:
            _trace("ledger.pause_tenant", tenant, tenant.partner_id, paused, reason, actor, now)
            open_slot(queries.ref_of(tenant))
    return changed


def pause_partner(*, partner: Partner, paused: bool, reason: str, actor: Actor, now: datetime) -> bool:
    """Let all work of all clients of a partner stand still, or go on; False if it did already.

    A client that is paused by itself stays so.
    """
    actor.require("engine.pause")
    with transaction.atomic():
        target = Target(Level.PARTNER, partner.id, partner.name)
        changed = turn(target, paused=paused, reason=reason, actor=actor, now=now)
        if changed:
            _trace("ledger.pause_partner", partner, partner.id, paused, reason, actor, now)
            for tenant in Tenant.objects.filter(partner_id=partner.id, ready_at__isnull=False).order_by("id"):
                open_slot(queries.ref_of(tenant))
    return changed


def limit_tenant(*, tenant: Tenant, most: int | None, actor: Actor, now: datetime) -> Slot:
    """Let workers hold only so many runs of a tenant at a time; None: as many as there is room for."""
    actor.require("engine.pause")
    if most is not None and not 1 <= most <= MOST_RUNNING:
        raise Invalid(fields={"most": [f"Give a whole number from 1 to {MOST_RUNNING}."]})
    with transaction.atomic():
        slot = Slot.objects.select_for_update().get(tenant_id=tenant.id)
        before = slot.max_running
        if before != most:
            slot.max_running = most
            slot.save(update_fields=["max_running"])
            record(
                actor=actor,
                action="ledger.limit_tenant",
                obj=tenant,
                now=now,
                before={"runs_at_once": before},
                after={"runs_at_once": most},
                partner_id=tenant.partner_id,
            )
            transaction.on_commit(ring)
    return slot


@dataclass(frozen=True, slots=True)
class Target:
    """What is to stand still; `tenant_id` is None for a partner."""

    level: Level
    id: UUID
    label: str
    tenant_id: UUID | None = None


def turn(target: Target, *, paused: bool, reason: str, actor: Actor, now: datetime) -> bool:
    """Write a pause down or strike it out, in the caller's transaction; False if there is nothing to change.

    Who may, and the trace, are the caller's. Workers see it within a second.
    """
    if paused:
        values = {
            "tenant_id": target.tenant_id,
            "label": target.label[:200],
            "actor": actor.label[:200],
            "reason": reason,
            "at": now,
        }
        _, changed = Pause.objects.get_or_create(target=target.id, level=target.level, defaults=values)
    else:
        changed = Pause.objects.filter(target=target.id, level=target.level).delete()[0] > 0
    if changed and target.tenant_id is not None and target.level not in SHUTTING:
        slot = Slot.objects.select_for_update().get(tenant_id=target.tenant_id)
        slot.halts = Pause.objects.filter(tenant_id=target.tenant_id).exclude(level__in=SHUTTING).count()
        slot.save(update_fields=["halts"])
    if changed:
        transaction.on_commit(ring)
    return changed


def _trace(
    action: str, obj: Row, partner_id: UUID, paused: bool, reason: str, actor: Actor, now: datetime
) -> None:
    record(
        actor=actor,
        action=action,
        obj=obj,
        now=now,
        before={"paused": not paused},
        after={"paused": paused},
        reason=reason,
        partner_id=partner_id,
    )


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
                    and not q.held and q.ready_at <= coalesce(s.virtual_now, clock_timestamp()))))
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


def ring(what: bytes = bell.WORK) -> None:
    """Tell workers that something is due; if none listens, start one. Call it after the commit."""
    global _called_at  # noqa: PLW0603 - one drain is called, however many events come before it listens
    if bell.ring(what) == 0 and DRAIN in jobs.registry and time.monotonic() - _called_at > CALL_AGAIN:
        _called_at = time.monotonic()
        jobs.send(DRAIN)


def ring_for_events() -> None:
    """Tell workers that events wait to be dispatched. Call it after the commit."""
    ring(bell.EVENTS)
