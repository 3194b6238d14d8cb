"""The tables of the engine. Django describes them; the hot path works on them in SQL, in `store.py`."""

from django.db import models
from django.db.models import Q

from automations.engine.enums import RunStatus, WorkflowState
from automations.engine.models.bulks import Bulk as Bulk
from automations.engine.models.bulks import BulkItem as BulkItem
from kernel.models import Row
from kernel.privacy import classes
from kernel.reach import WithinReach, WorkflowWithinReach


class Definition(Row):
    """A published workflow document: never changed, so a run that is pinned to it means the same for ever."""

    prefix = "def"
    holds = classes(setting="name document", code="version digest")

    name = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    document = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical document (RFC 8785).")
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "-published_at"]
        # a version is one document
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="definition_version_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Resource(models.Model):
    """A document (OpenAPI, JSON Schema) that a definition refers to, as it was when the definition was published."""

    holds = classes(setting="address document", code="digest")

    definition = models.ForeignKey(Definition, on_delete=models.CASCADE, related_name="resources")
    address = models.CharField(max_length=1_000)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was fetched.")
    document = models.JSONField()
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            # one state of a document for a definition, so that its runs mean the same for ever
            models.UniqueConstraint(fields=["definition", "address"], name="resource_once"),
        ]

    def __str__(self) -> str:
        return self.address


class Workflow(WorkflowWithinReach):
    """An automation of this tenant: which definition it runs, with which settings and connections."""

    prefix = "wfl"
    holds = classes(setting="name title config connections concurrency", code="state template")

    name = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="workflows")
    config = models.JSONField(default=dict, help_text="Settings, valid against the template's input schema.")
    connections = models.JSONField(default=dict, help_text="Alias in the definition to connection id.")
    state = models.CharField(max_length=16, choices=WorkflowState, default=WorkflowState.DRAFT)
    template = models.CharField(max_length=120, blank=True, help_text="`slug@version` it was installed from.")
    concurrency = models.JSONField(
        null=True, help_text="`limit`: runs at a time; `key`: an expression, of those that give the same."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["title"]
        permissions = [("operate_workflow", "Pause this workflow; cancel, retry and resume its runs")]

    def __str__(self) -> str:
        return self.title


class Trigger(models.Model):
    """What starts runs of an active workflow: an event type and the rest of its filter."""

    holds = classes(setting="filter", code="type read")

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="triggers")
    type = models.CharField(max_length=120, db_index=True)
    filter = models.JSONField(default=dict)
    read = models.CharField(max_length=12, default="envelope")

    def __str__(self) -> str:
        return f"{self.type} starts {self.workflow_id}"


class Schedule(Row):
    """What starts runs of an active workflow by the clock. Its key stands in the queue, due at its next instant."""

    prefix = "sch"

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, related_name="schedule")
    anchor_at = models.DateTimeField(help_text="Intervals count from here; by the tenant's clock.")
    done_at = models.DateTimeField(help_text="Everything up to here is fired, or left out.")
    next_at = models.DateTimeField(
        null=True, help_text="None: it waits for its last run, or never fires again."
    )
    fired = models.IntegerField(default=0)
    missed = models.IntegerField(default=0, help_text="Instants that were not caught up on.")

    def __str__(self) -> str:
        return f"next at {self.next_at}"


class Correlation(models.Model):
    """An expression by which some definition correlates events of a type: evaluated once for each such event."""

    holds = classes(setting="expression", code="type")

    type = models.CharField(max_length=120)
    expression = models.TextField(blank=True, help_text="jq on the envelope; empty: the type alone.")

    class Meta:
        constraints = [
            # each expression is evaluated once an event, however many definitions use it
            models.UniqueConstraint(fields=["type", "expression"], name="correlation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.type} by {self.expression}"


class Run(WithinReach):
    """One execution of a definition: what went in, what came out, where it stands."""

    prefix = "run"
    holds = classes(key="business_key", code="status cause currency tasks step", content="input output error")

    workflow_id = models.UUIDField()
    definition_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.PENDING)
    cause = models.CharField(
        max_length=12, default="event", help_text="event, manual, schedule, parent or test"
    )
    event_id = models.UUIDField(null=True, help_text="The event that started it.")
    parent_id = models.UUIDField(null=True, help_text="The run or the schedule that started it.")
    brood_id = models.UUIDField(null=True, help_text="Those that were started with it and are waited for.")
    position = models.IntegerField(db_default=0, help_text="Among those; for an item of `map` its index.")
    tasks = models.CharField(
        max_length=400, blank=True, db_default="", help_text="The list that it runs for an item of `map`."
    )
    business_key = models.CharField(max_length=120, blank=True)
    value_minor = models.BigIntegerField(null=True, help_text="Money that the run is about, in minor units.")
    currency = models.CharField(max_length=3, blank=True)
    hops = models.SmallIntegerField(
        default=0, help_text="Runs and events between this run and an outside cause."
    )
    input = models.BinaryField()
    output = models.BinaryField(null=True)
    error = models.JSONField(null=True)
    step = models.CharField(
        max_length=200, blank=True, help_text="Where it stands, as long as it is not over."
    )
    started_at = models.DateTimeField(help_text="By the tenant's clock, as every time of a run.")
    ended_at = models.DateTimeField(null=True)
    stripped_at = models.DateTimeField(null=True, help_text="When its data were taken away; its times stay.")

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            # which of them may follow which, the trigger `run_legal` says
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="run_newest"),
            models.Index(fields=["workflow_id", "-started_at"], name="run_of_workflow"),
            models.Index(fields=["business_key"], condition=~Q(business_key=""), name="run_by_key"),
            models.Index(
                fields=["brood_id", "position"], condition=Q(brood_id__isnull=False), name="run_of_brood"
            ),
            models.Index(
                fields=["parent_id", "position"], condition=Q(parent_id__isnull=False), name="run_of_parent"
            ),
            # what is not over, which is little: dashboards and operators ask for it all the time
            models.Index(
                fields=["status", "-started_at"],
                condition=~Q(status__in=["completed", "cancelled"]),
                name="run_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class RunState(models.Model):
    """The snapshot of a run that is parked or in the middle: frames, data, context, packed."""

    holds = classes(content="snapshot")

    run_id = models.UUIDField(primary_key=True)
    snapshot = models.BinaryField()

    class Meta:
        db_table = "engine_state"

    def __str__(self) -> str:
        return str(self.run_id)


class Brood(models.Model):
    """Runs that one step started and waits for: how many are not over, and up to which one they may move."""

    holds = classes(content="shared")

    id = models.UUIDField(primary_key=True)
    run_id = models.UUIDField(db_index=True, help_text="The run (or the schedule) that waits for them.")
    total = models.IntegerField()
    remaining = models.IntegerField(help_text="How many are not over; the last one wakes the parent.")
    cap = models.IntegerField(help_text="How many may move at a time.")
    next = models.IntegerField(help_text="The first that may not move yet.")
    enough = models.IntegerField(
        default=0, db_default=0, help_text="So many that complete wake the parent; 0: only the last one does."
    )
    completed = models.IntegerField(default=0, db_default=0, help_text="How many completed.")
    shared = models.BinaryField(help_text="What each of them begins with, packed.")
    over_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.total - self.remaining} of {self.total}"


class Segment(models.Model):
    """A stretch of a run's journal: the steps since the last checkpoint, packed."""

    holds = classes(content="steps")

    pk = models.CompositePrimaryKey("run_id", "seq")
    run_id = models.UUIDField()
    seq = models.IntegerField(help_text="Number of its first step.")
    steps = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.run_id} from {self.seq}"


class Blob(models.Model):
    """A part of what a run holds that is too large for a row: by the hash of its JSON, packed."""

    holds = classes(content="content", code="digest")

    pk = models.CompositePrimaryKey("run_id", "digest")
    run_id = models.UUIDField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of its JSON.")
    size = models.IntegerField(help_text="Bytes of its JSON.")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.digest[:12]} of {self.run_id}"


class Forgetting(models.Model):
    """A trace of runs, or of data of runs, that were kept long enough and went."""

    holds = classes(code="what digest")

    at = models.DateTimeField()
    what = models.CharField(max_length=4, help_text="`data`: what happened stays; `runs`: nothing does.")
    until = models.DateTimeField(null=True, help_text="Runs that started before are dealt with.")
    runs = models.IntegerField()
    freed = models.BigIntegerField(help_text="Bytes of data.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the runs' ids in their order.")

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.what} of {self.runs} runs"


class Subscription(models.Model):
    """An event that a run listens for: type and correlation key."""

    holds = classes(code="type")

    pk = models.CompositePrimaryKey("run_id", "no")
    run_id = models.UUIDField()
    no = models.IntegerField(help_text="Number of the filter within the run.")
    type = models.CharField(max_length=120)
    key = models.BigIntegerField(help_text="Hash of the correlation expression and its value.")
    since = models.DateTimeField(help_text="Events received from here on count.")

    class Meta:
        indexes = [models.Index(fields=["key"], name="subscription_by_key")]

    def __str__(self) -> str:
        return f"{self.run_id} listens for {self.type}"


class Delivery(models.Model):
    """An event that matched a subscription, until the run has taken it."""

    pk = models.CompositePrimaryKey("run_id", "no", "event_id")
    run_id = models.UUIDField()
    no = models.IntegerField()
    event_id = models.UUIDField()
    received_at = models.DateTimeField()
    taken = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.event_id} to {self.run_id}"


class Gathered(models.Model):
    """An event that waits for others to start a run with it (`schedule: on: all`)."""

    pk = models.CompositePrimaryKey("workflow_id", "key", "event_id")
    workflow_id = models.UUIDField()
    key = models.BigIntegerField(help_text="Hash of the filters and of the values that belong together.")
    event_id = models.UUIDField()
    place = models.SmallIntegerField(help_text="Number of the filter that it fits.")
    received_at = models.DateTimeField()

    class Meta:
        db_table = "engine_gathered"
        indexes = [models.Index(fields=["received_at"], name="gathered_age")]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.workflow_id}"


class EventKey(models.Model):
    """The correlation keys of an event, kept as long as a listener may come late for it."""

    pk = models.CompositePrimaryKey("key", "event_id")
    key = models.BigIntegerField()
    event_id = models.UUIDField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "engine_event_key"
        indexes = [models.Index(fields=["received_at"], name="event_key_age")]

    def __str__(self) -> str:
        return f"{self.key} {self.event_id}"


class Effect(models.Model):
    """A call to a system that honours no idempotency key: intended, then confirmed; between the two, unknown."""

    holds = classes(code="key state")

    pk = models.CompositePrimaryKey("run_id", "key")
    run_id = models.UUIDField()
    key = models.CharField(max_length=120)
    state = models.CharField(max_length=12, help_text="intended, confirmed, unknown")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class DecisionTable(Row):
    """Rules that business people keep: workflows ask it by its name (`call: decide:1@default`)."""

    prefix = "tbl"
    holds = classes(setting="name title")

    name = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class DecisionVersion(Row):
    """A state of a table, in force from an instant on until the next one is. Its document never changes."""

    prefix = "tbv"
    holds = classes(setting="document", person="published_by")

    table = models.ForeignKey(DecisionTable, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    effective_from = models.DateTimeField(help_text="By the tenant's clock.")
    document = models.JSONField(help_text="Inputs, outputs, rules, and the tests that passed.")
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True, help_text="Taken back before it was in force.")

    class Meta:
        ordering = ["table", "-number"]
        constraints = [
            # versions are counted
            models.UniqueConstraint(fields=["table", "number"], name="decision_version_once"),
            # what was in force stays part of the history
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__lt=models.F("effective_from")),
                name="decision_withdrawn_before_force",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
