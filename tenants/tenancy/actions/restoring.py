"""A client as it was: its file laid out beside the live one, compared, then put in its place, or thrown away.

What happened outside does not happen again, and what was taken away does not come back: the audit log, rights,
secrets and the record of calls that must be made once stay as they are now; tokens and sessions end; whoever was
erased since is erased again. Afterwards the client is suspended until somebody has looked.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q

from kernel import clock, ids, secrets
from kernel import jobs as kernel_jobs
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.audit import actions as audit
from tenants.tenancy import actions, context, queries, registry, store
from tenants.tenancy.actions.exporting import LEFT_OUT, path_of
from tenants.tenancy.actions.importing import fit, lay_out, trusted
from tenants.tenancy.enums import CLOSED, JobState, RestoreState, TenantState
from tenants.tenancy.models import Restore, Tenant, TenantFile
from tenants.tenancy.registry import Why
from tenants.tenancy.store import swapping

log = structlog.get_logger(__name__)
LAY_OUT: Final = "tenancy.lay_out"
LEASE: Final = timedelta(minutes=10)
MAX_ATTEMPTS: Final = 3
_OPEN: Final = (RestoreState.PENDING, RestoreState.RUNNING, RestoreState.READY)


def request_restore(*, file: TenantFile, reason: str, actor: Actor, now: datetime) -> Restore:
    """Have a client's file laid out beside the live one. Raises Conflict where that is not possible now."""
    actor.require("tenancy.carry")
    tenant = Tenant.objects.get(pk=file.tenant_id)
    if file.state != JobState.DONE or not path_of(file).is_file():
        raise Conflict("this file is not there")
    if tenant.state in CLOSED:
        raise Conflict("bring the client back first")
    try:
        with transaction.atomic():
            made = Restore.objects.create(
                tenant=tenant,
                partner_id=tenant.partner_id,
                file=file,
                beside=f"t_{ids.uuid7().hex}",
                as_of=file.as_of or file.asked_at,
                reason=reason,
                asked_by=actor.label[:200],
                asked_at=now,
            )
            _trace(
                "tenancy.request_restore",
                made,
                actor,
                now,
                reason,
                after={"as_of": clock.rfc3339(made.as_of)},
            )
            kernel_jobs.enqueue(LAY_OUT, restore=made.id)
    except IntegrityError as error:
        raise Conflict("a restore of this client is open already") from error
    return made


def lay_beside(*, restore_id: UUID, now: datetime) -> Restore:
    """Lay out a file in a schema of its own and compare; returns at once where somebody else is at it."""
    rows = Restore.objects.filter(pk=restore_id, state__in=[RestoreState.PENDING, RestoreState.RUNNING])
    free = rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    claimed = free.update(state=RestoreState.RUNNING, lease_until=now + LEASE, attempts=F("attempts") + 1)
    row = Restore.objects.select_related("tenant", "file").get(pk=restore_id)
    if not claimed:
        return row
    try:
        with transaction.atomic():
            _lay(row)
            row.compared = compare(row.tenant.schema_name, row.beside)
            row.state, row.error, row.lease_until = RestoreState.READY, "", None
            row.save(update_fields=["compared", "state", "error", "lease_until"])
    except Exception as error:
        log.exception("restore not laid out", tenant=row.tenant.slug)
        over = row.attempts >= MAX_ATTEMPTS
        row.state = RestoreState.FAILED if over else RestoreState.PENDING
        row.error = secrets.redact(str(error))[:2_000]
        row.lease_until = None if over else clock.now() + timedelta(seconds=10 * row.attempts)
        row.save(update_fields=["state", "error", "lease_until"])
    return row


def _lay(row: Restore) -> None:
    with store.Unpacker(path_of(row.file), trusted(())) as unpacker:
        fit(unpacker.manifest)
        store.drop_schema(row.beside)
        store.create_schema(row.beside, store.make_image(clock.now()))
        lay_out(row.beside, unpacker, without=_kept_tables(row.beside))


def _kept_tables(schema: str) -> frozenset[str]:
    """Tables whose rows stay as they are now, whatever the file says."""
    return frozenset(LEFT_OUT) | {
        one for one in store.carrying.columns_in(schema) if one.startswith("audit_")
    }


def compare(live: str, beside: str) -> list[dict[str, Any]]:
    """Each table that would change or that holds something: rows and newest instant, now and then."""
    now, then = store.rows_in(live), store.rows_in(beside)
    newest_now, newest_then = store.carrying.newest(live), store.carrying.newest(beside)
    kept = _kept_tables(beside)
    return [
        {
            "table": table,
            "now": count,
            "then": then.get(table, 0),
            "newest_now": newest_now.get(table, ""),
            "newest_then": newest_then.get(table, ""),
        }
        for table, count in now.items()
        if table not in kept and table != store.carrying.HISTORY and (count or then.get(table))
    ]


def swap_in(*, restore: Restore, typed: str, reason: str, actor: Actor, now: datetime) -> Restore:
    """Put what is laid out in the place of the live client, in one transaction; `typed` is the client's name.

    Raises Invalid, and Conflict where it is not laid out or others hold the client's tables for too long.
    """
    actor.require("tenancy.carry")
    if typed.strip() != restore.tenant.name:
        raise Invalid(fields={"typed": ["This is not its name."]})
    try:
        with transaction.atomic():
            row = _held(restore)
            _swap(row, reason, actor, now)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        raise Conflict(
            "somebody is at work in this client; suspend it, wait a moment and try again"
        ) from error
    queries.forget_hosts()
    return row


def _held(restore: Restore) -> Restore:
    row = Restore.objects.select_for_update(of=("self",)).select_related("tenant", "file").get(pk=restore.pk)
    if row.state != RestoreState.READY:
        raise Conflict("nothing is laid out that could take its place")
    return row


def _swap(row: Restore, reason: str, actor: Actor, now: datetime) -> None:
    tenant = Tenant.objects.select_for_update().get(pk=row.tenant_id)
    ref = queries.ref_of(tenant)
    Tenant.objects.filter(pk=tenant.pk).update(state=TenantState.SUSPENDED)
    tenant.refresh_from_db()
    actions.tell_state(tenant)  # takes the slot: no worker claims anything from here on
    live, beside = ref.schema_name, row.beside
    swapping.lock_all(live)
    before = store.rows_in(live)
    swapping.keep_rows(live, beside, sorted(_kept_tables(beside)))
    swapping.add_rows(live, beside, registry.done_outside())
    swapping.keep_secrets(live, beside, registry.withheld())
    with store.Unpacker(path_of(row.file), trusted(())) as unpacker:
        _put_along(ref, unpacker)
    swapping.swap(live, beside)
    row.state, row.over_at = RestoreState.DONE, now
    row.save(update_fields=["state", "over_at"])
    after = {"as_of": clock.rfc3339(row.as_of), "rows": sum(store.rows_in(live).values())}
    was = {"as_of": clock.rfc3339(now), "rows": sum(before.values())}
    _trace("tenancy.restored", row, actor, now, reason, before=was, after=after)
    with context.enter(queries.ref_of(tenant)):
        audit.record(
            actor=actor,
            action="tenancy.restored",
            obj=tenant,
            now=now,
            before=was,
            after=after,
            reason=reason,
        )
        for arrived in registry.arrivals():
            arrived(ref, Why.RESTORE, now)
        registry.revive(ref, ref.id, row.as_of)


def _put_along(ref: queries.TenantRef, unpacker: store.Unpacker) -> None:
    epochs = swapping.epochs(ref.id)
    known = {one.table: one for one in registry.along()}
    for table in unpacker.manifest.tables:
        if table.along:
            swapping.replace_along(known[table.name], table.columns, ref.id, unpacker.rows(table))
    swapping.raise_epochs(ref.id, epochs)


def drop_restore(*, restore: Restore, reason: str, actor: Actor, now: datetime) -> Restore:
    """Throw away what was laid out beside. Raises Conflict where nothing is open."""
    actor.require("tenancy.carry")
    with transaction.atomic():
        row = Restore.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=restore.pk)
        if row.state not in _OPEN:
            raise Conflict("this restore is over")
        row.state, row.over_at = RestoreState.DROPPED, now
        row.save(update_fields=["state", "over_at"])
        store.drop_schema(row.beside)
        _trace("tenancy.drop_restore", row, actor, now, reason)
    return row


def forget_beside(tenant_id: UUID) -> None:
    """Nothing is laid out beside a client that goes."""
    for row in Restore.objects.filter(tenant_id=tenant_id, state__in=_OPEN):
        store.drop_schema(row.beside)


def _trace(action: str, row: Restore, actor: Actor, now: datetime, reason: str, **more: Any) -> None:
    audit.record(
        actor=actor, action=action, obj=row.tenant, now=now, reason=reason, partner_id=row.partner_id, **more
    )
