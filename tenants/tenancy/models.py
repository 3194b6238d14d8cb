"""Partner, Tenant, Domain, the keys of a tenant, and the job that makes one. All in the public schema."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django_tenants.models import TenantMixin

from kernel.models import Row
from tenants.tenancy.enums import (
    DeletionState,
    FleetStep,
    JobState,
    PartnerState,
    RestoreState,
    TenantState,
)

slug_rule = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$", "Use a-z, 0-9 and inner hyphens, at most 40."
)


class Partner(Row):
    """An MSP, ERP partner or integrator: brands the portal and looks after tenants."""

    prefix = "ptn"

    slug = models.CharField(max_length=40, unique=True, validators=[slug_rule])
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=PartnerState, default=PartnerState.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantQuerySet(models.QuerySet["Tenant"]):
    """Reads of tenants."""

    def of(self, partner_id: UUID) -> "TenantQuerySet":
        """The tenants of one partner."""
        return self.filter(partner_id=partner_id)

    def ready(self) -> "TenantQuerySet":
        """Tenants whose schema exists."""
        return self.filter(ready_at__isnull=False)


class Tenant(Row, TenantMixin):
    """A partner's client: one Postgres schema of its own."""

    prefix = "tnt"
    auto_create_schema = False
    auto_drop_schema = False

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="tenants")
    slug = models.CharField(max_length=40, validators=[slug_rule])
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=TenantState, default=TenantState.TRIAL)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    language = models.CharField(max_length=8, default="en")
    sandbox = models.BooleanField(
        default=False, help_text="Holds no real data; may live on a clock of its own."
    )
    virtual_now = models.DateTimeField(
        null=True, blank=True, help_text="The tenant's present, where it does not share ours."
    )
    revision = models.CharField(
        max_length=64, default="", help_text="The migrations its schema has, as one hash."
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            # two clients of one partner cannot share the first part of their address
            models.UniqueConstraint(fields=["partner", "slug"], name="tenant_slug_once_per_partner"),
            # real data never lives on a pretended clock
            models.CheckConstraint(
                condition=Q(virtual_now__isnull=True) | Q(sandbox=True), name="tenant_clock_only_in_sandbox"
            ),
        ]
        indexes = [models.Index(fields=["revision"], name="tenant_by_revision")]

    def __str__(self) -> str:
        return self.name


class Domain(Row):
    """A host name and whom it leads to: a tenant, or (without one) its partner's console."""

    prefix = "dom"

    host = models.CharField(max_length=253, unique=True)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="domains")
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="domains"
    )
    is_primary = models.BooleanField(default=True)
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="Only a verified host is ever served."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["host"]
        constraints = [
            # links in mails go to one address
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(is_primary=True, tenant__isnull=False),
                name="domain_one_primary_tenant",
            ),
            models.UniqueConstraint(
                fields=["partner"],
                condition=Q(is_primary=True, tenant__isnull=True),
                name="domain_one_primary_partner",
            ),
        ]

    def __str__(self) -> str:
        return self.host


class DataKey(Row):
    """A tenant's data key, wrapped by the master key; deleting it makes every secret under it unreadable.

    Without a tenant it is the installation's own. One that is `retired` seals nothing any more.
    """

    prefix = "key"

    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="data_keys"
    )
    version = models.PositiveIntegerField(default=1)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version"], nulls_distinct=False, name="data_key_version_once"
            ),
        ]

    def __str__(self) -> str:
        return f"data key {self.version} of {self.tenant_id}"


class FleetState(models.Model):
    """How a tenant's schema came to its revision, and whether it is kept back from the next one."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="fleet")
    step = models.CharField(max_length=8, choices=FleetStep, blank=True)
    attempts = models.PositiveIntegerField(
        default=0, help_text="Of the last migration; a lock may take some."
    )
    seconds = models.FloatField(null=True, help_text="How long the last migration took.")
    error = models.TextField(blank=True)
    at = models.DateTimeField(null=True)
    held = models.BooleanField(db_default=False, help_text="Left out by migrate_fleet until it is released.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is held.")

    def __str__(self) -> str:
        return f"schema of {self.tenant_id}"


class Deletion(Row):
    """The end of a tenant: asked for, held back for a while, done; what stays of it is the certificate."""

    prefix = "del"

    subject_id = models.UUIDField(help_text="The tenant; not a reference, for that row will be gone.")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="deletions")
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=DeletionState, default=DeletionState.HELD)
    reason = models.TextField()
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Until then it can be taken back.")
    done_at = models.DateTimeField(null=True, blank=True)
    certificate = models.TextField(blank=True, help_text="A note signed by the audit's key.")

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            # two of one tenant would have two ends of the wait
            models.UniqueConstraint(
                fields=["subject_id"], condition=Q(state="held"), name="deletion_one_held"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="held"), name="deletion_due")]

    def __str__(self) -> str:
        return f"the end of {self.name}"


class TenantFile(Row):
    """Everything of a tenant in one signed file, made by a job: to keep, to carry elsewhere, to restore from."""

    prefix = "tfl"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="files")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=JobState, default=JobState.PENDING)
    of_state = models.CharField(
        max_length=16, choices=TenantState, help_text="The tenant's state as it was made."
    )
    reason = models.TextField(blank=True)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    as_of = models.DateTimeField(null=True, help_text="The instant that it shows.")
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    rows = models.BigIntegerField(default=0, help_text="In it so far.")
    rows_about = models.BigIntegerField(default=0, help_text="As many as the database thinks there are.")
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    head = models.TextField(blank=True, help_text="The last checkpoint of the audit log in it.")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            # a second one would only read the same twice
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(state__in=["pending", "running"]),
                name="tenant_file_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"file of {self.tenant_id}"


class Restore(Row):
    """A file of a tenant, laid out beside the live one: looked at, then put in its place or thrown away."""

    prefix = "rst"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="restores")
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    file = models.ForeignKey(TenantFile, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=RestoreState, default=RestoreState.PENDING)
    beside = models.CharField(max_length=63, unique=True, help_text="The schema in which it is laid out.")
    as_of = models.DateTimeField(help_text="The instant that it goes back to.")
    reason = models.TextField(blank=True)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    compared = models.JSONField(
        default=list, help_text="A table each: rows and newest instant, there and here."
    )

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            # two could not both take the place of the live one
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(state__in=["pending", "running", "ready"]),
                name="restore_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"restore of {self.tenant_id}"


class SchemaImage(models.Model):
    """The DDL of a migrated tenant schema, replayed to make a new one in a fraction of a second."""

    revision = models.CharField(max_length=64, primary_key=True)
    ddl = models.BinaryField(help_text="pg_dump of the template schema, packed")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.revision


class ProvisioningJob(Row):
    """The making of a tenant: what was asked, which step is done, who works on it until when."""

    prefix = "job"

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="provisioning")
    state = models.CharField(max_length=16, choices=JobState, default=JobState.PENDING)
    request = models.JSONField(default=dict, help_text="People and blueprint, as asked for.")
    steps = models.JSONField(default=list, help_text="One object a step: name, state, at, detail.")
    error = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["pending", "running"]),
                name="provisioning_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"provisioning of {self.tenant_id}"

    def step(self, name: str) -> dict[str, Any] | None:
        """What is recorded of step `name`."""
        found: list[dict[str, Any]] = [step for step in self.steps if step["name"] == name]
        return found[0] if found else None

    def mark(self, name: str, state: str, at: datetime, detail: str = "") -> None:
        """Record step `name`; the caller saves."""
        entry = {"name": name, "state": state, "at": at.isoformat(), "detail": detail}
        self.steps = [step for step in self.steps if step["name"] != name] + [entry]
