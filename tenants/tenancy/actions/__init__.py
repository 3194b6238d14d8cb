"""What can be done with partners and tenants: make, suspend, archive, set a sandbox's clock."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from kernel import clock, ids, jobs, secrets
from kernel.actor import Actor, system
from kernel.errors import Conflict, Invalid
from tenants.audit.actions import record
from tenants.tenancy import context, queries, store
from tenants.tenancy.enums import JobState, PartnerState, TenantState
from tenants.tenancy.errors import AddressTaken, ClockRunsForward, NotSandbox
from tenants.tenancy.models import Domain, Partner, ProvisioningJob, Tenant, slug_rule
from tenants.tenancy.registry import provisioning_step, steps

log = structlog.get_logger(__name__)
LEASE: Final = timedelta(seconds=30)
MAX_ATTEMPTS: Final = 5
_LEGAL: Final = {
    TenantState.TRIAL: {TenantState.ACTIVE, TenantState.SUSPENDED, TenantState.ARCHIVED},
    TenantState.ACTIVE: {TenantState.SUSPENDED, TenantState.ARCHIVED},
    TenantState.SUSPENDED: {TenantState.ACTIVE, TenantState.ARCHIVED},
    TenantState.ARCHIVED: {TenantState.SUSPENDED, TenantState.EXPORTED},
    TenantState.EXPORTED: {TenantState.SUSPENDED},
}


def create_partner(*, slug: str, name: str, actor: Actor, now: datetime) -> Partner:
    """A new partner with its console at `<slug>.<base domain>`. Raises AddressTaken."""
    actor.require("platform.partners")
    try:
        with transaction.atomic():
            partner = Partner.objects.create(slug=slug, name=name, created_at=now)
            Domain.objects.create(
                host=f"{slug}.{settings.BASE_DOMAIN}", partner=partner, verified_at=now, created_at=now
            )
            record(
                actor=actor,
                action="tenancy.create_partner",
                obj=partner,
                now=now,
                after={"slug": slug, "name": name},
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise AddressTaken(fields={"slug": [f"{slug} is taken."]}) from error
    return partner


def set_partner_state(
    *, partner: Partner, state: PartnerState, reason: str, actor: Actor, now: datetime
) -> Partner:
    """Shut a partner's console and the portals of all its clients, or open them again; their data stay."""
    actor.require("platform.partners")
    with transaction.atomic():
        partner = Partner.objects.select_for_update().get(pk=partner.pk)
        before = partner.state
        if before != state:
            partner.state = state
            partner.save(update_fields=["state"])
            record(
                actor=actor,
                action="tenancy.set_partner_state",
                obj=partner,
                now=now,
                before={"state": before},
                after={"state": state},
                reason=reason,
                partner_id=partner.id,
            )
    queries.forget_hosts()
    return partner


def request_tenant(
    *,
    partner: Partner,
    name: str,
    slug: str,
    actor: Actor,
    now: datetime,
    timezone: str = "UTC",
    currency: str = "EUR",
    language: str = "en",
    sandbox: bool = False,
    people: list[Mapping[str, str]] | None = None,
    blueprint: str = "",
    content: Mapping[str, Any] | None = None,
) -> ProvisioningJob:
    """Reserve a tenant with its address and start the job that makes it.

    `people` are {"email", "role"}; `blueprint` names a set of templates; `content` says where rows come from.
    Raises AddressTaken and Invalid, naming the field.
    """
    actor.require("tenancy.provision")
    _check_tenant(name=name, slug=slug, timezone=timezone, currency=currency)
    key = ids.uuid7()
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(
                id=key,
                schema_name=f"t_{key.hex}",
                partner=partner,
                slug=slug,
                name=name,
                timezone=timezone,
                currency=currency,
                language=language,
                sandbox=sandbox,
                created_at=now,
            )
            Domain.objects.create(
                host=f"{slug}.{partner.slug}.{settings.BASE_DOMAIN}",
                partner=partner,
                tenant=tenant,
                created_at=now,
            )
            job = ProvisioningJob.objects.create(
                tenant=tenant,
                request={"people": list(people or []), "blueprint": blueprint, "content": content},
                created_by=actor.label,
                created_at=now,
            )
            record(
                actor=actor,
                action="tenancy.provision",
                obj=tenant,
                now=now,
                after={"name": name, "slug": slug, "sandbox": sandbox, "blueprint": blueprint},
                reason=str((content or {}).get("reason", "")),
                partner_id=partner.id,
            )
            jobs.enqueue("tenancy.provision", job=job.id)
    except IntegrityError as error:
        raise AddressTaken(fields={"slug": [f"{slug} is taken."]}) from error
    return job


def _check_tenant(*, name: str, slug: str, timezone: str, currency: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not name.strip():
        wrong["name"] = ["Give the client a name."]
    if not slug_rule.regex.match(slug):  # type: ignore[union-attr] # compiled by its constructor
        wrong["slug"] = [str(slug_rule.message)]
    if timezone not in available_timezones():
        wrong["timezone"] = [f"{timezone} is no time zone."]
    if len(currency) != 3 or not currency.isalpha() or not currency.isupper():
        wrong["currency"] = ["Use a code of three capitals, such as EUR."]
    if wrong:
        raise Invalid(fields=wrong)


def provision(*, job_id: uuid.UUID, now: datetime) -> ProvisioningJob:
    """Do what is left of a provisioning job; every step in a transaction of its own, so a crash loses one step.

    Claims the job by a lease; returns at once if somebody else works on it. After five failures the tenant is
    taken away again, whole.
    """
    claimed = (
        ProvisioningJob.objects.filter(pk=job_id, state__in=[JobState.PENDING, JobState.RUNNING])
        .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
        .update(lease_until=now + LEASE, state=JobState.RUNNING, attempts=F("attempts") + 1)
    )
    job = ProvisioningJob.objects.select_related("tenant", "tenant__partner").get(pk=job_id)
    if not claimed:
        return job
    for step in steps():
        recorded = job.step(step.name)
        if recorded and recorded["state"] == "done":
            continue
        try:
            _run_step(job, step.name)
        except Exception as error:
            log.exception("provisioning step failed", step=step.name, job=str(job.id))
            return _failed(job, step.name, error)
    return _finished(job)


def _run_step(job: ProvisioningJob, name: str) -> None:
    step = next(step for step in steps() if step.name == name)
    at = clock.now()
    job.mark(step.name, "running", at)
    job.lease_until = at + LEASE
    job.save(update_fields=["steps", "lease_until"])
    ref = queries.tenant_ref(job.tenant_id)
    with transaction.atomic():
        if ref.ready:
            with context.enter(ref):
                detail = step.run(ref, job, at)
        else:
            detail = step.run(ref, job, at)
        job.mark(step.name, "done", clock.now(), detail)
        job.save(update_fields=["steps"])


def retry_provisioning(*, job: ProvisioningJob, actor: Actor, now: datetime) -> ProvisioningJob:
    """Let an unfinished job begin anew at once, at the step where it stopped. Raises Conflict for one that is over."""
    actor.require("tenancy.provision")
    with transaction.atomic():
        job = ProvisioningJob.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=job.pk)
        if job.state in (JobState.DONE, JobState.ROLLED_BACK):
            raise Conflict("this job is over")
        if job.lease_until and job.lease_until >= now and not job.error:
            raise Conflict("this job is being worked on")
        before = {"state": job.state, "attempts": job.attempts, "error": job.error}
        job.state, job.attempts, job.lease_until = JobState.PENDING, 0, None
        job.save(update_fields=["state", "attempts", "lease_until"])
        record(
            actor=actor,
            action="tenancy.retry_provisioning",
            obj=job.tenant,
            now=now,
            before=before,
            after={"state": job.state, "attempts": 0},
            partner_id=job.tenant.partner_id,
        )
        jobs.enqueue("tenancy.provision", job=job.id)
    return job


def _failed(job: ProvisioningJob, step: str, error: Exception) -> ProvisioningJob:
    at = clock.now()
    job.refresh_from_db()
    job.error = secrets.redact(f"{step}: {error}")[:2_000]
    job.mark(step, "failed", at, job.error)
    if job.attempts >= MAX_ATTEMPTS:
        roll_back(job=job, now=at)
        return job
    job.lease_until = at + timedelta(seconds=2**job.attempts)  # the dispatcher takes it up again then
    job.save(update_fields=["error", "steps", "lease_until"])
    return job


def _finished(job: ProvisioningJob) -> ProvisioningJob:
    at = clock.now()
    with transaction.atomic():
        job.state, job.finished_at, job.lease_until, job.error = JobState.DONE, at, None, ""
        job.save(update_fields=["state", "finished_at", "lease_until", "error"])
        record(
            actor=system("provisioning"),
            action="tenancy.provisioned",
            obj=job.tenant,
            now=at,
            after={"steps": [step["name"] for step in job.steps]},
            partner_id=job.tenant.partner_id,
        )
    return job


def roll_back(*, job: ProvisioningJob, now: datetime, by: Actor | None = None) -> None:
    """Take a half-made tenant away: its schema, its address, its row. What stays is the audit and the reason."""
    tenant = job.tenant
    with transaction.atomic():
        store.drop_schema(tenant.schema_name)
        record(
            actor=by or system("provisioning"),
            action="tenancy.rolled_back",
            obj=tenant,
            now=now,
            after={"error": job.error},
            partner_id=tenant.partner_id,
        )
        Domain.objects.filter(tenant=tenant).delete()
        job.state, job.finished_at, job.lease_until = JobState.ROLLED_BACK, now, None
        job.save(update_fields=["state", "finished_at", "lease_until", "error", "steps"])
        Tenant.objects.filter(pk=tenant.pk).update(
            ready_at=None, state=TenantState.ARCHIVED, slug=f"gone-{tenant.pk.hex[-12:]}"
        )


@provisioning_step(10, "schema", "Make the database schema")
def make_schema(ref: queries.TenantRef, _: ProvisioningJob, now: datetime) -> str:
    """Replay the image of a migrated schema."""
    image = store.make_image(now)
    store.create_schema(ref.schema_name, image)
    Tenant.objects.filter(pk=ref.id).update(revision=image.revision, ready_at=now)
    return "Database schema made"


@provisioning_step(90, "address", "Open the address")
def open_address(ref: queries.TenantRef, _: ProvisioningJob, now: datetime) -> str:
    """Addresses below our own domain need no proof of ownership."""
    with context.leave():
        Domain.objects.filter(tenant_id=ref.id, verified_at__isnull=True).update(verified_at=now)
        host = queries.primary_host(partner_id=ref.partner_id, tenant_id=ref.id)
    queries.forget_hosts()
    return host


def set_state(*, tenant: Tenant, state: TenantState, reason: str, actor: Actor, now: datetime) -> Tenant:
    """Move a tenant to `state`. Raises Conflict for a step that its life does not have."""
    actor.require("tenancy.lifecycle")
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = TenantState(tenant.state)
        if state == before:
            return tenant
        if state not in _LEGAL[before]:
            raise Conflict(f"a tenant that is {before.label.lower()} cannot become {state.label.lower()}")
        if state == TenantState.EXPORTED and not queries.whole_file(tenant):
            raise Conflict("export it first: nothing may have happened to it since its last export")
        tenant.state = state
        tenant.save(update_fields=["state"])
        record(
            actor=actor,
            action="tenancy.lifecycle",
            obj=tenant,
            now=now,
            before={"state": before},
            after={"state": state},
            reason=reason,
            partner_id=tenant.partner_id,
        )
        tell_state(tenant)
    queries.forget_hosts()
    return tenant


def change_settings(
    *, tenant: Tenant, name: str, timezone: str, currency: str, language: str, actor: Actor, now: datetime
) -> Tenant:
    """Change what a tenant is called and how it counts days and money. Raises Invalid, naming fields."""
    actor.require("settings.edit")
    _check_tenant(name=name, slug=tenant.slug, timezone=timezone, currency=currency)
    if language not in dict(settings.LANGUAGES):
        raise Invalid(fields={"language": [f"{language} is no language of this portal."]})
    wanted = {"name": name.strip(), "timezone": timezone, "currency": currency, "language": language}
    with transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        before = {field: getattr(row, field) for field in wanted if getattr(row, field) != wanted[field]}
        if not before:
            return row
        after = {field: wanted[field] for field in before}
        for field, value in after.items():
            setattr(row, field, value)
        row.save(update_fields=list(after))
        record(actor=actor, action="tenancy.settings", obj=row, now=now, before=before, after=after)
    queries.forget_hosts()
    return row


def tell_state(tenant: Tenant) -> None:
    """Let rooms above know in this transaction what a tenant's state and clock are."""
    for listener in state_listeners:
        listener(queries.ref_of(tenant))


state_listeners: list[Any] = []
"""Rooms above that must know at once when a tenant's state or clock changes; called in the same transaction."""


def advance_clock(*, tenant_id: uuid.UUID, to: datetime, actor: Actor, now: datetime) -> datetime:
    """Set the clock of a sandbox tenant forward to `to`. Raises NotSandbox and ClockRunsForward."""
    actor.require("tenancy.clock")
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
        if not tenant.sandbox:
            raise NotSandbox
        if tenant.virtual_now and to < tenant.virtual_now:
            raise ClockRunsForward(f"it is {clock.rfc3339(tenant.virtual_now)} there already")
        before, tenant.virtual_now = tenant.virtual_now, to
        if before is None:  # each later step is part of the same act: one audit row a clock, not one a tick
            record(
                actor=actor,
                action="tenancy.clock",
                obj=tenant,
                now=now,
                after={"virtual_now": clock.rfc3339(to)},
                partner_id=tenant.partner_id,
            )
        tenant.save(update_fields=["virtual_now"])
        tell_state(tenant)
    return to


def migrate_tenant(*, tenant: Tenant, actor: Actor, now: datetime, reason: str = "") -> bool:
    """Bring one tenant to the migrations on disk; False if it was there. Safe to run in two processes at once."""
    actor.require("platform.partners")
    wanted = store.revision()
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s))", [tenant.schema_name])
        row = cursor.fetchone()
    if not row or not row[0]:
        return False
    try:
        tenant.refresh_from_db()
        if tenant.revision == wanted:
            return False
        store.migrate_schema(tenant.schema_name)
        with transaction.atomic():
            Tenant.objects.filter(pk=tenant.pk).update(revision=wanted)
            record(
                actor=actor,
                action="tenancy.migrated",
                obj=tenant,
                now=now,
                before={"revision": tenant.revision},
                after={"revision": wanted},
                reason=reason,
                partner_id=tenant.partner_id,
            )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(hashtext(%s))", [tenant.schema_name])
    return True
