"""Reads of the tenancy room, as frozen values that doors may keep for a request."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.db import connection as _django_connection
from django.db.models import Count, Q

from tenants.audit import queries as trails
from tenants.tenancy import store
from tenants.tenancy.enums import CLOSED, JobState, PartnerState
from tenants.tenancy.errors import NoTenant, UnknownHost
from tenants.tenancy.models import (
    Deletion,
    Domain,
    FleetState,
    Partner,
    ProvisioningJob,
    Restore,
    Tenant,
    TenantFile,
)

connection: Any = _django_connection  # django-tenants adds `tenant` and the setters
_HOST_SECONDS: Final = 1.0
_hosts: dict[str, tuple[float, "HostRef | None"]] = {}


@dataclass(frozen=True, slots=True)
class PartnerRef:
    """A partner, as much as a request needs."""

    id: UUID
    slug: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A tenant, as much as a request or a job needs; `virtual` says that it has a clock of its own."""

    id: UUID
    schema_name: str
    partner_id: UUID
    slug: str
    name: str
    state: str
    timezone: str
    currency: str
    language: str
    sandbox: bool
    virtual: bool
    ready: bool

    @property
    def role(self) -> str:
        """The database role that work for it is done in; it has the name of the schema."""
        return self.schema_name

    def get_tenant_type(self) -> str | None:
        """What django-tenants asks of whatever it is given as a tenant."""
        return None


@dataclass(frozen=True, slots=True)
class HostRef:
    """Where a host name leads; `primary` is the name that pages should be asked for by, where this is another."""

    kind: Literal["platform", "partner", "tenant"]
    host: str
    partner: PartnerRef | None = None
    tenant: TenantRef | None = None
    primary: str = ""


def ref_of(tenant: Tenant) -> TenantRef:
    """The frozen form of a tenant row."""
    return TenantRef(
        id=tenant.id,
        schema_name=tenant.schema_name,
        partner_id=tenant.partner_id,
        slug=tenant.slug,
        name=tenant.name,
        state=tenant.state,
        timezone=tenant.timezone,
        currency=tenant.currency,
        language=tenant.language,
        sandbox=tenant.sandbox,
        virtual=tenant.virtual_now is not None,
        ready=tenant.ready_at is not None,
    )


def partner_ref(partner: Partner) -> PartnerRef:
    """The frozen form of a partner row."""
    return PartnerRef(id=partner.id, slug=partner.slug, name=partner.name, state=partner.state)


def partner_of(partner_id: UUID) -> PartnerRef:
    """The partner with this key."""
    return partner_ref(Partner.objects.get(pk=partner_id))


def tenant_ref(tenant_id: UUID) -> TenantRef:
    """The tenant with this key. Raises NoTenant."""
    found = Tenant.objects.filter(pk=tenant_id).first()
    if found is None:
        raise NoTenant(f"no tenant has the key {tenant_id}")
    return ref_of(found)


def tenant_by_slug(name: str) -> TenantRef:
    """The tenant called `<partner>/<tenant>`, or `<tenant>` where only one partner has it. Raises NoTenant."""
    partner, _, slug = name.rpartition("/")
    found = list(Tenant.objects.filter(slug=slug, **({"partner__slug": partner} if partner else {}))[:2])
    if len(found) != 1:
        raise NoTenant(
            f"{'several tenants are' if found else 'no tenant is'} called {name}; say <partner>/<tenant>"
        )
    return ref_of(found[0])


def virtual_now(tenant_id: UUID) -> datetime | None:
    """The present of a tenant with a clock of its own."""
    return Tenant.objects.filter(pk=tenant_id).values_list("virtual_now", flat=True).first()


def host(name: str, base_domain: str) -> HostRef:
    """Where host `name` (lower case, without port) leads; remembered for a second. Raises UnknownHost."""
    if name == base_domain:
        return HostRef("platform", name)
    remembered = _hosts.get(name)
    if remembered and remembered[0] > time.monotonic():
        found = remembered[1]
    else:
        found = _look_up(name)
        if len(_hosts) > 5_000:  # a flood of made-up names must not fill memory
            _hosts.clear()
        _hosts[name] = (time.monotonic() + _HOST_SECONDS, found)
    if found is None:
        raise UnknownHost
    return found


def remembered_host(name: str) -> HostRef | None:
    """Where host `name` leads, if asking for it costs no query."""
    until, found = _hosts.get(name, (0.0, None))
    return found if until > time.monotonic() else None


def forget_hosts() -> None:
    """Look every host up again at its next request, in this process."""
    _hosts.clear()


def _look_up(name: str) -> HostRef | None:
    before = connection.tenant
    connection.set_schema_to_public()  # whoever asks: a tenant's role sees no host but its own, and all remember this
    try:
        domain = (
            Domain.objects.select_related("partner", "tenant")
            .filter(host=name, verified_at__isnull=False)
            .first()
        )
    finally:
        connection.set_tenant(before)
    if domain is None or domain.partner.state != PartnerState.ACTIVE:
        return None
    if domain.tenant is not None and domain.tenant.state in CLOSED:
        return None
    primary = "" if domain.is_primary else _primary_of(domain)
    partner = partner_ref(domain.partner)
    if domain.tenant is None:
        return HostRef("partner", name, partner, primary=primary)
    return HostRef("tenant", name, partner, ref_of(domain.tenant), primary)


def _primary_of(domain: Domain) -> str:
    return primary_host(partner_id=domain.partner_id, tenant_id=domain.tenant_id)


def at(partner_id: UUID, tenant_id: UUID | None) -> Q:
    """Rows that belong to a partner's console, or to one tenant of it."""
    here = Q(tenant__isnull=True) if tenant_id is None else Q(tenant_id=tenant_id)
    return Q(partner_id=partner_id) & here


def primary_host(*, partner_id: UUID, tenant_id: UUID | None = None) -> str:
    """The host that links to a partner's console or to a tenant use; empty where there is none."""
    return (
        Domain.objects.filter(at(partner_id, tenant_id), is_primary=True, verified_at__isnull=False)
        .values_list("host", flat=True)
        .first()
        or ""
    )


def tenants_of(partner_id: UUID) -> Any:
    """A partner's tenants, by name, with their provisioning."""
    return (
        Tenant.objects.of(partner_id)
        .select_related("provisioning")
        .prefetch_related("domains")
        .order_by("name")
    )


def tenant_counts() -> list[tuple[str, str, int]]:
    """How many tenants there are: (partner's slug, state, number)."""
    rows = (
        Tenant.objects.values_list("partner__slug", "state").annotate(n=Count("id")).order_by("partner__slug")
    )
    return [(slug, state, n) for slug, state, n in rows]


def tenants_by_schema(schemas: Iterable[str]) -> dict[str, UUID]:
    """The keys of the tenants whose schemas these are, as far as they are there."""
    rows = Tenant.objects.ready().filter(schema_name__in=list(schemas))
    return dict(rows.values_list("schema_name", "id"))


def ready_ids() -> list[UUID]:
    """Every tenant whose schema exists."""
    return list(Tenant.objects.ready().order_by("id").values_list("id", flat=True))


def tenants_behind(revision: str) -> Any:
    """Tenants whose schema does not have the migrations of `revision`."""
    return Tenant.objects.ready().exclude(revision=revision)


def fleet_behind(revision: str) -> list[Tenant]:
    """Whom a migration of the fleet is for, in one query: sandboxes first, where a mistake costs least."""
    rows = tenants_behind(revision).exclude(fleet__held=True)
    return list(rows.select_related("fleet").order_by("-sandbox", "created_at", "id"))


def fleet_held(revision: str) -> int:
    """How many tenants that are behind are held."""
    return int(tenants_behind(revision).filter(fleet__held=True).count())


def unfinished_provisioning(now: datetime) -> Any:
    """Provisioning jobs that nobody works on."""
    return ProvisioningJob.objects.filter(state__in=[JobState.PENDING, JobState.RUNNING]).filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    )


def provisioning_of(partner_id: UUID, *, before: datetime | None = None) -> Any:
    """The makings of a partner's clients, the last asked for first; only those asked for before."""
    rows = ProvisioningJob.objects.filter(tenant__partner_id=partner_id).select_related("tenant")
    return rows.filter(created_at__lt=before) if before else rows


def fleet_of(partner_id: UUID) -> list[FleetState]:
    """How the schemas of a partner's clients came to their revisions."""
    return list(FleetState.objects.filter(tenant__partner_id=partner_id).select_related("tenant"))


def slug_taken(partner_id: UUID, slug: str) -> bool:
    """Whether a client of this partner has this first part of the address already."""
    return bool(Tenant.objects.of(partner_id).filter(slug=slug).exists())


def tenant_of(partner_id: UUID, tenant_id: UUID) -> Tenant | None:
    """One tenant of a partner with its provisioning; None where it is another's, or nobody's."""
    found: Tenant | None = tenants_of(partner_id).filter(pk=tenant_id).first()
    return found


def over_tenants(
    tenants: Iterable[TenantRef], select: str, values: Callable[[TenantRef], Sequence[Any]]
) -> dict[UUID, tuple[Any, ...]]:
    """The row of `select` in each tenant that is ready, by tenant, in one statement for a hundred of them.

    `select` gives one row, names its tables as `{schema}.engine_run`, and takes what `values` gives for a tenant.
    """
    ready = [tenant for tenant in tenants if tenant.ready]
    rows = store.over_schemas(
        [tenant.schema_name for tenant in ready],
        f"select %s::uuid, one.* from ({select}) as one",
        [[tenant.id, *values(tenant)] for tenant in ready],
    )
    return {row[0]: row[1:] for row in rows}


def presents(tenants: Iterable[TenantRef], now: datetime) -> dict[UUID, datetime]:
    """What time it is in each tenant: `now`, or the time of its own clock."""
    known = list(tenants)
    own = dict(
        Tenant.objects.filter(pk__in=[one.id for one in known if one.virtual]).values_list(
            "pk", "virtual_now"
        )
    )
    return {one.id: own.get(one.id) or now for one in known}


def held_deletion(tenant_id: UUID) -> Deletion | None:
    """The deletion that waits for a tenant."""
    return Deletion.objects.filter(subject_id=tenant_id, state="held").first()


def deletions_of(partner_id: UUID) -> Any:
    """Deletions of clients of a partner that wait or are done, newest first."""
    return Deletion.objects.filter(partner_id=partner_id).exclude(state="cancelled")


def deletions_due(now: datetime) -> Any:
    """Deletions whose hold is over."""
    return Deletion.objects.filter(state="held", due_at__lte=now)


def files_of(tenant_id: UUID) -> Any:
    """The files of a tenant, the last asked for first."""
    return TenantFile.objects.filter(tenant_id=tenant_id)


def whole_file(tenant: Tenant) -> TenantFile | None:
    """A file of a tenant that was made after it was put away, so nothing that happened is missing in it."""
    last = trails.trail(action="tenancy.lifecycle", object_id=tenant.public_id).first()
    if last is None:
        return None
    made = files_of(tenant.id).filter(state=JobState.DONE, of_state=tenant.state, as_of__gte=last.at)
    found: TenantFile | None = made.first()
    return found


def unfinished_files(now: datetime) -> Any:
    """Files that are to be made and that nobody works on."""
    return _waiting(TenantFile, now)


def restores_of(tenant_id: UUID) -> Any:
    """The restores of a tenant, the last asked for first."""
    return Restore.objects.filter(tenant_id=tenant_id).select_related("file")


def unfinished_restores(now: datetime) -> Any:
    """Restores that are to be laid out and that nobody works on."""
    return _waiting(Restore, now)


def _waiting(model: Any, now: datetime) -> Any:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return model.objects.filter(free, state__in=[JobState.PENDING, JobState.RUNNING])
