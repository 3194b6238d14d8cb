"""The shared queue of all tenants: hot, narrow, without payloads. `store.py` of the engine works on it in SQL."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class QueueRow(models.Model):
    """A run that is not over: when it is due, who holds it, and under which epoch it may write.

    A row without owner is parked (due in the future) or ready. `epoch` rises with each claim; a writer with an
    older one is refused.
    """

    run_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    definition_id = models.UUIDField()
    ready_at = models.DateTimeField(help_text="By the tenant's clock.")
    owner = models.UUIDField(null=True)
    epoch = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True, help_text="By the database's clock.")
    signal = models.SmallIntegerField(default=0, help_text="0 none, 1 cancel, 2 pause")
    wakes = models.IntegerField(
        default=0, help_text="Rises with each delivery; a holder that parks compares it."
    )
    claims = models.SmallIntegerField(default=0, help_text="Claims since the last progress.")

    class Meta:
        db_table = "ledger_queue"
        indexes = [
            # the claim: what is due in one tenant, in order
            models.Index(
                fields=["tenant_id", "ready_at"],
                condition=Q(owner__isnull=True),
                name="queue_due",
            ),
            # leases that ran out
            models.Index(fields=["lease_until"], condition=Q(owner__isnull=False), name="queue_leased"),
        ]

    def __str__(self) -> str:
        return str(self.run_id)


class IntakeRow(models.Model):
    """An event that is stored and not yet dispatched; goes away in the transaction that dispatches it."""

    seq = models.BigAutoField(primary_key=True)
    tenant_id = models.UUIDField()
    event_id = models.UUIDField()
    received_at = models.DateTimeField(
        db_default=Now(),
        help_text="By the tenant's clock. No timer fires that is due later than the first of these.",
    )

    class Meta:
        db_table = "ledger_intake"
        indexes = [models.Index(fields=["tenant_id", "seq"], name="intake_of_tenant")]

    def __str__(self) -> str:
        return str(self.seq)


class Slot(models.Model):
    """A tenant's share: its place in the fair order, its limits, and its clock where it has one of its own."""

    tenant_id = models.UUIDField(primary_key=True)
    schema_name = models.CharField(max_length=63)
    weight = models.FloatField(default=1.0)
    vtime = models.FloatField(default=0.0, help_text="Work taken so far over weight; the smallest goes next.")
    max_running = models.PositiveIntegerField(default=400)
    open = models.BooleanField(default=True, help_text="False: nothing is claimed (suspended or paused).")
    paused = models.BooleanField(
        db_default=False, help_text="Shut by an operator, whatever the tenant's state."
    )
    virtual_now = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_slot"

    def __str__(self) -> str:
        return self.schema_name


class FairClock(models.Model):
    """One row: how far the fair order has come, so that a tenant that was idle has no credit to burn."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    vtime = models.FloatField(default=0.0)

    class Meta:
        db_table = "ledger_fair_clock"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="fair_clock_one_row")]

    def __str__(self) -> str:
        return str(self.vtime)


class Worker(models.Model):
    """A worker process as the watchdog sees it."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=120)
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    last_claim_at = models.DateTimeField(null=True)
    running = models.IntegerField(default=0)

    class Meta:
        db_table = "ledger_worker"

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class Tally(models.Model):
    """How often something happened that operators count, over all processes and restarts."""

    name = models.CharField(primary_key=True, max_length=60)
    count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_tally"

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"


class ScheduleFire(models.Model):
    """A schedule's instant that was fired: unique, so that two dispatchers fire it once."""

    pk = models.CompositePrimaryKey("schedule_id", "fire_at")
    schedule_id = models.UUIDField()
    fire_at = models.DateTimeField()
    tenant_id = models.UUIDField()

    class Meta:
        db_table = "ledger_schedule_fire"

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.fire_at}"


class Errand(models.Model):
    """A tenant's job that takes more than one turn: the dispatcher sends it again until the row is gone."""

    id = models.UUIDField(primary_key=True, help_text="What the job works on, in the tenant's schema.")
    tenant_id = models.UUIDField()
    job = models.CharField(max_length=60)

    class Meta:
        db_table = "ledger_errand"

    def __str__(self) -> str:
        return f"{self.job} {self.id}"
