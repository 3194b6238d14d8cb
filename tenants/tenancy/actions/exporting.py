"""A client in one file: asked for, made by a job while the client works on, kept until somebody removes it.

The file shows one instant. No secret is in it: sealed columns are left empty, and are set anew where it arrives.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from kernel import clock, secrets
from kernel import jobs as kernel_jobs
from kernel.actor import Actor, system
from kernel.errors import Conflict
from kernel.ids import public_id
from tenants.audit import actions as audit
from tenants.tenancy import context, queries, registry, store
from tenants.tenancy.contract import Manifest, note_over
from tenants.tenancy.enums import JobState
from tenants.tenancy.models import Tenant, TenantFile

log = structlog.get_logger(__name__)
MAKE: Final = "tenancy.make_file"
LEASE: Final = timedelta(seconds=60)
MAX_ATTEMPTS: Final = 3
LEFT_OUT: Final = ("guardian_groupobjectpermission", "guardian_userobjectpermission")
"""Rights of people: who may do what is said where the people are."""
_ABOUT: Final = ("slug", "name", "timezone", "currency", "language", "sandbox", "state")


def path_of(file: TenantFile) -> Path:
    """Where a file lies."""
    return Path(settings.TENANT_FILES) / file.tenant_id.hex / f"{file.public_id}.zip"


def request_file(*, tenant: Tenant, reason: str, actor: Actor, now: datetime) -> TenantFile:
    """Have a file made of everything of a tenant. Raises Conflict while one is being made."""
    actor.require("tenancy.carry")
    if tenant.ready_at is None:
        raise Conflict("this client is still being set up")
    try:
        with transaction.atomic():
            file = TenantFile.objects.create(
                tenant=tenant,
                partner_id=tenant.partner_id,
                of_state=tenant.state,
                reason=reason,
                asked_by=actor.label[:200],
                asked_at=now,
            )
            audit.record(
                actor=actor,
                action="tenancy.request_file",
                obj=tenant,
                now=now,
                after={"file": file.public_id},
                reason=reason,
                partner_id=tenant.partner_id,
            )
            kernel_jobs.enqueue(MAKE, file=file.id)
    except IntegrityError as error:
        raise Conflict("a file of this client is being made already") from error
    return file


def remove_file(*, file: TenantFile, reason: str, actor: Actor, now: datetime) -> None:
    """Take a file away. Raises Conflict while it is being made."""
    actor.require("tenancy.carry")
    with transaction.atomic():
        row = TenantFile.objects.select_for_update().select_related("tenant").get(pk=file.pk)
        if row.state in (JobState.PENDING, JobState.RUNNING):
            raise Conflict("it is still being made")
        audit.record(
            actor=actor,
            action="tenancy.remove_file",
            obj=row.tenant,
            now=now,
            before={"file": row.public_id, "rows": row.rows, "sha256": row.sha256},
            reason=reason,
            partner_id=row.partner_id,
        )
        path = path_of(row)
        row.delete()
        transaction.on_commit(lambda: path.unlink(missing_ok=True))


def note_download(*, file: TenantFile, actor: Actor, now: datetime) -> Path:
    """Where a finished file lies, for somebody who takes it along. Raises Conflict where it is not there."""
    actor.require("tenancy.carry")
    path = path_of(file)
    if file.state != JobState.DONE or not path.is_file():
        raise Conflict("this file is not there")
    with transaction.atomic():
        audit.record(
            actor=actor,
            action="tenancy.download_file",
            obj=file.tenant,
            now=now,
            after={"file": file.public_id, "sha256": file.sha256},
            partner_id=file.partner_id,
        )
    return path


def make_file(*, file_id: UUID, now: datetime) -> TenantFile:
    """Make a file that was asked for; returns at once where somebody else is at it. Three failures end it."""
    rows = TenantFile.objects.filter(pk=file_id, state__in=[JobState.PENDING, JobState.RUNNING])
    free = rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    claimed = free.update(state=JobState.RUNNING, lease_until=now + LEASE, attempts=F("attempts") + 1, rows=0)
    file = TenantFile.objects.select_related("tenant").get(pk=file_id)
    if not claimed:
        return file
    try:
        _make(file, queries.ref_of(file.tenant))
    except Exception as error:
        log.exception("client's file not made", tenant=file.tenant.slug)
        over = file.attempts >= MAX_ATTEMPTS
        file.state = JobState.FAILED if over else JobState.PENDING
        file.error = secrets.redact(str(error))[:2_000]
        file.lease_until = None if over else clock.now() + timedelta(seconds=10 * file.attempts)
        file.save(update_fields=["state", "error", "lease_until"])
    return file


def _make(file: TenantFile, ref: queries.TenantRef) -> None:
    path = path_of(file)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    with context.enter(ref):
        while audit.seal(now=clock.now()):
            continue
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123
            manifest = write(ref, out, tell=lambda count: _told(file, count))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _done(file, ref, manifest, path)


def _told(file: TenantFile, count: int) -> None:
    """Keep how far it is, and the claim with it."""
    TenantFile.objects.filter(pk=file.pk).update(rows=count, lease_until=clock.now() + LEASE)


def _done(file: TenantFile, ref: queries.TenantRef, manifest: Manifest, path: Path) -> None:
    with path.open("rb") as made:
        file.sha256 = hashlib.file_digest(made, "sha256").hexdigest()
    file.state, file.rows, file.size, file.error = JobState.DONE, manifest.rows, path.stat().st_size, ""
    file.head, file.lease_until = str(manifest.audit.get("note", "")), None
    file.done_at, file.as_of = clock.now(), clock.parse_rfc3339(manifest.made_at)
    said: dict[str, Any] = {
        "action": "tenancy.exported",
        "actor": system("export"),
        "obj": file.tenant,
        "now": file.done_at,
        "after": {
            "file": file.public_id,
            "rows": file.rows,
            "sha256": file.sha256,
            "asked_by": file.asked_by,
        },
        "reason": file.reason,
    }
    with transaction.atomic():
        file.save()
        audit.record(**said, partner_id=file.partner_id)
        with context.enter(ref):  # whose data they are sees it, too
            audit.record(**said)


def write_to(*, ref: queries.TenantRef, path: Path, reason: str, actor: Actor, now: datetime) -> str:
    """Write a tenant into a file of an operator's choice; what it holds, in words."""
    actor.require("tenancy.carry")
    with path.open("xb") as out:
        manifest = write(ref, out)
    path.chmod(0o600)
    said: dict[str, Any] = {
        "action": "tenancy.exported",
        "actor": actor,
        "obj": (Tenant.prefix, public_id(Tenant.prefix, ref.id), ref.name),
        "now": now,
        "after": {"file": path.name, "rows": manifest.rows},
        "reason": reason,
    }
    with transaction.atomic():
        audit.record(**said, partner_id=ref.partner_id)
        with context.enter(ref):
            audit.record(**said)
    return f"{manifest.rows} rows of {len(manifest.tables)} tables written to {path}"


def write(ref: queries.TenantRef, out: Any, tell: Callable[[int], None] = lambda _: None) -> Manifest:
    """Write a tenant as it is now into `out`, and what was written. Its log should be sealed before."""
    packer = store.Packer(out, tell)
    with store.carrying.Snapshot(ref.schema_name) as still:
        at = still.begin()
        held = registry.withheld()
        for table, columns in still.tables().items():
            if table not in LEFT_OUT:
                secret = frozenset(held[table].secrets if table in held else ())
                packer.add(table, [one.name for one in columns], still.rows(table, columns, secret))
        for one in registry.along():
            packer.add(one.table, list(one.columns), still.along(one, ref.id), along=True)
        manifest = Manifest(
            made_at=clock.rfc3339(at),
            portal=settings.BASE_DOMAIN,
            tenant={name: getattr(ref, name) for name in _ABOUT}
            | {"id": str(ref.id), "schema": ref.schema_name},
            revision=store.revision_of(still.migrations()),
            migrations=tuple(still.migrations()),
            tables=tuple(packer.tables),
            sequences=still.sequences(),
            audit=still.head(),
            keys=tuple(str(key) for key in audit.verifying_keys(ref.schema_name)),
            withheld=tuple(f"{one.table}.{name}" for one in held.values() for name in one.secrets),
            left_out=LEFT_OUT,
        )
    raw = manifest.text()
    packer.close(raw, audit.certify(note_over(raw, settings.BASE_DOMAIN)))
    return manifest
