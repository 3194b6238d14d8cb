"""The end of a tenant: asked for by name, held back for a while; then all of it is gone, and that is certified."""

import shutil
import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from kernel import clock
from kernel.actor import Actor, system
from kernel.errors import Conflict, Invalid
from tenants.audit import actions as audit
from tenants.audit import queries as trails
from tenants.tenancy import context, queries, store
from tenants.tenancy.actions import exporting, restoring
from tenants.tenancy.enums import CLOSED, DeletionState
from tenants.tenancy.errors import NotAllGone
from tenants.tenancy.models import Deletion, Tenant, TenantFile
from tenants.tenancy.registry import farewells

log = structlog.get_logger(__name__)


def request_deletion(*, tenant: Tenant, typed: str, reason: str, actor: Actor, now: datetime) -> Deletion:
    """Have an archived tenant deleted when the hold is over; `typed` is its name. Raises Invalid and Conflict."""
    actor.require("tenancy.delete")
    if typed.strip() != tenant.name:
        raise Invalid(fields={"typed": ["This is not its name."]})
    with transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if row.state not in CLOSED:
            raise Conflict("only a client that is archived can be deleted")
        if queries.held_deletion(row.id):
            raise Conflict("it is to be deleted already")
        asked = Deletion.objects.create(
            subject_id=row.id,
            partner_id=row.partner_id,
            name=row.name,
            slug=row.slug,
            reason=reason,
            asked_by=actor.label[:200],
            asked_at=now,
            due_at=now + timedelta(days=settings.DELETE_HOLD_DAYS),
        )
        audit.record(
            actor=actor,
            action="tenancy.request_deletion",
            obj=row,
            now=now,
            after={"due_at": clock.rfc3339(asked.due_at)},
            reason=reason,
            partner_id=row.partner_id,
        )
    return asked


def cancel_deletion(*, tenant: Tenant, reason: str, actor: Actor, now: datetime) -> Deletion:
    """Keep a tenant after all, while the hold lasts. Raises Conflict where none is held."""
    actor.require("tenancy.delete")
    with transaction.atomic():
        asked = Deletion.objects.select_for_update().filter(subject_id=tenant.pk, state="held").first()
        if asked is None:
            raise Conflict("it is not to be deleted")
        asked.state = DeletionState.CANCELLED
        asked.save(update_fields=["state"])
        audit.record(
            actor=actor,
            action="tenancy.cancel_deletion",
            obj=tenant,
            now=now,
            before={"due_at": clock.rfc3339(asked.due_at)},
            reason=reason,
            partner_id=tenant.partner_id,
        )
    return asked


def delete_tenant(*, deletion_id: uuid.UUID, now: datetime) -> Deletion:
    """Delete a tenant whose hold is over, all of it or nothing, and sign what was done. Raises NotAllGone."""
    asked = Deletion.objects.get(pk=deletion_id)
    if asked.state != DeletionState.HELD or asked.due_at > now:
        return asked
    _seal_log(asked.subject_id, now)
    with transaction.atomic():
        asked = Deletion.objects.select_for_update().get(pk=deletion_id)
        tenant = Tenant.objects.select_for_update().filter(pk=asked.subject_id).first()
        if asked.state != DeletionState.HELD or tenant is None or tenant.state not in CLOSED:
            return asked
        said = _take_away(tenant)
        left = store.left_in_shared(tenant.id, tenant.schema_name)
        if left:
            raise NotAllGone(f"rows are left in {', '.join(left)}")
        asked.state, asked.done_at = DeletionState.DONE, now
        asked.certificate = audit.certify(_certificate(asked, said))
        asked.save(update_fields=["state", "done_at", "certificate"])
        audit.record(
            actor=system("deletion"),
            action="tenancy.deleted",
            obj=("tnt", tenant.public_id, asked.name),
            now=now,
            after={"rows": said["rows"], "asked_by": asked.asked_by},
            reason=asked.reason,
            partner_id=asked.partner_id,
        )
    queries.forget_hosts()
    log.info("tenant deleted", tenant=asked.slug, rows=said["rows"])
    return asked


def _seal_log(tenant_id: uuid.UUID, now: datetime) -> None:
    """The last checkpoint of its log stands in the certificate, over everything that happened."""
    with context.enter(tenant_id):
        while audit.seal(now=now):
            continue


def _take_away(tenant: Tenant) -> dict[str, Any]:
    """Everything of a tenant, and what that was."""
    ref = queries.ref_of(tenant)
    with context.enter(ref):
        head = trails.newest_checkpoint()
    inside = store.rows_in(ref.schema_name)
    restoring.forget_beside(ref.id)
    for say_farewell in farewells():
        say_farewell(ref)
    store.drop_schema(ref.schema_name)
    keys = tenant.data_keys.count()
    # by the ORM first: it knows what hangs on rows that do not say themselves whose they are
    gone, _ = Tenant.objects.filter(pk=tenant.pk).delete()
    shared = sum(store.clear_shared(ref.id, ref.schema_name).values())
    files = exporting.path_of(TenantFile(tenant_id=ref.id)).parent
    transaction.on_commit(lambda: shutil.rmtree(files, ignore_errors=True))
    return {
        "schema": ref.schema_name,
        "tables": len(inside),
        "rows": sum(inside.values()),
        "shared": shared + gone,
        "keys": keys,
        "audit": f"{head.size} events, root {bytes(head.root).hex()}" if head else "no event",
    }


def _certificate(asked: Deletion, said: dict[str, Any]) -> str:
    """What is signed: a line for each thing that somebody may ask about later. No line break of a person gets in."""
    lines = {
        "portal": f"{settings.BASE_DOMAIN}/deletion 1",
        "client": f"{asked.name} ({asked.slug}), {asked.subject_id}",
        "asked for": f"{clock.rfc3339(asked.asked_at)} by {asked.asked_by}",
        "held until": clock.rfc3339(asked.due_at),
        "deleted": clock.rfc3339(asked.done_at or asked.due_at),
        "reason": asked.reason,
        "schema dropped": f"{said['schema']}, {said['tables']} tables, {said['rows']} rows",
        "rows deleted in shared tables": str(said["shared"]),
        "rows left in shared tables": "0",
        "data keys destroyed": str(said["keys"]),
        "audit log before": said["audit"],
    }
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in lines.items())
