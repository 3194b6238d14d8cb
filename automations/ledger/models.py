"""The shared queue of all tenants: hot, narrow, without payloads. `store.py` of the engine works on it in SQL."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from automations.ledger.enums import HoldKind, Level


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
    signal = models.SmallIntegerField(default=0, help_text="0 none, 1 cancel")
    wakes = models.IntegerField(
        default=0, help_text="Rises with each delivery; a holder that parks compares it."
    )
    claims = models.SmallIntegerField(default=0, help_text="Claims since the last progress.")
    held = models.BooleanField(db_default=False, help_text="A hold says why nobody may claim it.")

    class Meta:
        db_table = "ledger_queue"
        indexes = [
            # the claim: what is due in one tenant, in order; what is held is not even in it
            models.Index(
                fields=["tenant_id", "ready_at"],
                condition=Q(owner__isnull=True, held=False),
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
    max_running = models.PositiveIntegerField(
        null=True, help_text="Runs that workers may hold at a time; empty: as many as there is room for."
    )
    open = models.BooleanField(default=True, help_text="False: nothing is claimed (suspended or paused).")
    paused = models.BooleanField(
        db_default=False, help_text="Shut by a pause of it or its partner, whatever the tenant's state."
    )
    halts = models.PositiveIntegerField(
        db_default=0, help_text="Pauses of something in it; with none, a claim looks for none."
    )
    virtual_now = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_slot"

    def __str__(self) -> str:
        return self.schema_name


class Pause(models.Model):
    """Something that stands still until a person lets it go on: who stopped it, when, and why.

    A pause of a tenant or a partner shuts slots. One of a workflow, a connection or a run stops runs on their way.
    """

    pk = models.CompositePrimaryKey("target", "level")
    target = models.UUIDField()
    level = models.CharField(max_length=12, choices=Level)
    tenant_id = models.UUIDField(null=True, help_text="None: that of a partner.")
    label = models.CharField(max_length=200, help_text="What people call what stands still.")
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger_pause"
        indexes = [models.Index(fields=["tenant_id", "level"], name="pause_of_tenant")]

    def __str__(self) -> str:
        return f"{self.label} since {self.at}"


class Hold(models.Model):
    """Why a run may not be claimed: something is paused, or a lane is full. The last one gone lets it go on."""

    pk = models.CompositePrimaryKey("run_id", "target")
    run_id = models.UUIDField()
    target = models.UUIDField(help_text="What is paused, or the lane.")
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=5, choices=HoldKind)
    places = models.PositiveIntegerField(db_default=0, help_text="How many the lane takes at a time.")

    class Meta:
        db_table = "ledger_hold"
        indexes = [models.Index(fields=["target", "run_id"], name="hold_by_target")]

    def __str__(self) -> str:
        return f"{self.run_id} waits for {self.target}"


class Place(models.Model):
    """A run's place in a lane: others wait until it gives it up. It is the run's, whichever worker has the run."""

    pk = models.CompositePrimaryKey("run_id", "lane")
    run_id = models.UUIDField()
    lane = models.UUIDField()
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=5, choices=HoldKind)

    class Meta:
        db_table = "ledger_place"
        indexes = [models.Index(fields=["lane"], name="place_of_lane")]

    def __str__(self) -> str:
        return f"{self.run_id} in {self.lane}"


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
