"""Bringing all tenants to the migrations on disk: a few first, then many at a time; holding one back."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from django.db import Error, OperationalError, transaction

from kernel import clock, secrets
from kernel.actor import Actor
from tenants.audit.actions import record, verify_log
from tenants.audit.models import AuditCheck
from tenants.tenancy import context, queries, store
from tenants.tenancy.actions import migrate_tenant
from tenants.tenancy.enums import FleetStep
from tenants.tenancy.errors import TenantNotReady
from tenants.tenancy.models import FleetState, Tenant

log = structlog.get_logger(__name__)
ATTEMPTS: Final = 6
_AGAIN: Final = ("55P03", "40P01", "40001")
"""SQLSTATE of a lock that was not to be had, and of transactions that got into each other's way."""


@dataclass
class Voyage:
    """How a migration of the fleet went."""

    behind: int = 0
    held: int = 0
    migrated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nobody failed."""
        return not self.failed


def migrate_fleet(
    *,
    actor: Actor,
    now: datetime,
    workers: int = 2,
    canaries: int = 1,
    tell: Callable[[str], object] = lambda _: None,
) -> Voyage:
    """Migrate every tenant that is behind and not held; after a failure nobody else is begun.

    Each tenant is one transaction with its revision in it, so what was done stays done and the next call goes on there.
    """
    actor.require("platform.partners")
    log.info("fleet looked at", at=clock.rfc3339(now))
    began, wanted = time.monotonic(), store.revision()
    behind = queries.fleet_behind(wanted)
    voyage = Voyage(behind=len(behind), held=queries.fleet_held(wanted))
    if behind:
        crew = _Crew(wanted, actor, voyage, tell)
        crew.work(behind[:canaries], 1)
        if voyage.ok:
            crew.work(behind[canaries:], workers)
    voyage.seconds = time.monotonic() - began
    return voyage


class _Crew:
    """Threads with a connection each, that take the next tenant until none is left or one has failed."""

    def __init__(self, wanted: str, actor: Actor, voyage: Voyage, tell: Callable[[str], object]) -> None:
        self._wanted, self._actor, self._voyage, self._tell = wanted, actor, voyage, tell
        self._scripts: dict[str, store.Script] = {}
        self._lock = threading.Lock()

    def work(self, tenants: Iterable[Tenant], workers: int) -> None:
        """Migrate `tenants`, so many at a time."""
        left = iter(tenants)
        if workers == 1:
            self._go(left)
            return
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(self._alone, left) for _ in range(workers)]:
                done.result()

    def _alone(self, left: "Iterable[Tenant]") -> None:
        try:
            self._go(left)
        finally:
            store.close()

    def _go(self, left: "Iterable[Tenant]") -> None:
        for tenant in iter(lambda: self._next(left), None):
            self._one(tenant)

    def _next(self, left: "Iterable[Tenant]") -> Tenant | None:
        with self._lock:
            return next(iter(left), None) if self._voyage.ok else None

    def _one(self, tenant: Tenant) -> None:
        began = time.monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                moved = self._migrated(tenant)
            except Error as error:
                if attempt < ATTEMPTS and _passes(error):
                    time.sleep(0.2 * 2**attempt * random.uniform(0.5, 1))  # noqa: S311 - nobody guesses at it
                    continue
                self._note(tenant, attempt, began, str(error))
                return
            if moved:
                self._note(tenant, attempt, began, "")
            return

    def _migrated(self, tenant: Tenant) -> bool:
        script = self._script(tenant)
        if not script.plain:
            return migrate_tenant(tenant=tenant, actor=self._actor, now=clock.now(), reason="fleet")
        with context.leave(), transaction.atomic():
            moved = store.apply(script, tenant.schema_name, tenant.id, tenant.revision, self._wanted)
            if moved:
                record(
                    actor=self._actor,
                    action="tenancy.migrated",
                    obj=tenant,
                    now=clock.now(),
                    before={"revision": tenant.revision},
                    after={"revision": self._wanted},
                    partner_id=tenant.partner_id,
                )
        return moved

    def _script(self, tenant: Tenant) -> store.Script:
        """Tenants of one revision lack the same."""
        with self._lock:
            if tenant.revision not in self._scripts:
                self._scripts[tenant.revision] = store.script_for(tenant.schema_name)
            return self._scripts[tenant.revision]

    def _note(self, tenant: Tenant, attempts: int, began: float, error: str) -> None:
        said = secrets.redact(error)[:2_000]
        FleetState.objects.update_or_create(
            tenant_id=tenant.id,
            defaults={
                "step": FleetStep.FAILED if error else FleetStep.DONE,
                "attempts": attempts,
                "seconds": round(time.monotonic() - began, 3),
                "error": said,
                "at": clock.now(),
            },
        )
        with self._lock:
            if error:
                self._voyage.failed.append((tenant.slug, said))
                log.error("tenant not migrated", tenant=tenant.slug, error=said)
            else:
                self._voyage.migrated += 1
        self._tell(f"{tenant.slug}: {said or 'migrated'}")


def _passes(error: Error) -> bool:
    state = str(getattr(error.__cause__, "sqlstate", "") or "")
    return state in _AGAIN or (isinstance(error, OperationalError) and not state)


def hold_tenant(*, tenant: Tenant, held: bool, reason: str, actor: Actor, now: datetime) -> FleetState:
    """Leave a tenant out of migrations of the fleet, or let it come along again."""
    actor.require("platform.partners")
    with transaction.atomic():
        row, _ = FleetState.objects.select_for_update().get_or_create(tenant_id=tenant.pk)
        if row.held != held:
            row.held, row.reason = held, reason[:500] if held else ""
            row.save(update_fields=["held", "reason"])
            record(
                actor=actor,
                action="tenancy.hold",
                obj=tenant,
                now=now,
                before={"held": not held},
                after={"held": held},
                reason=reason,
                partner_id=tenant.partner_id,
            )
    return row


def verify_audit(*, tenant: Tenant, reason: str, actor: Actor, now: datetime) -> AuditCheck:
    """Work out a tenant's audit log anew, from outside; that it was asked for stands in the log of the asker.

    Raises TenantNotReady, NoAuditKey.
    """
    actor.require("platform.partners")
    if tenant.ready_at is None:
        raise TenantNotReady
    with transaction.atomic():
        record(
            actor=actor,
            action="tenancy.verify_audit",
            obj=tenant,
            now=now,
            reason=reason,
            partner_id=tenant.partner_id,
        )
    with context.enter(tenant.pk):
        return verify_log(actor=actor, now=now)
