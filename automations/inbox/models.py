"""Case (what needs a person); what was and is about to be decided about it; what was said; named lists of cases."""

from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from automations.inbox.enums import (
    CaseState,
    ClosedHow,
    Decide,
    DecisionOutcome,
    ErrorClass,
    IntentState,
    Severity,
    Visibility,
)
from kernel.models import Row
from kernel.privacy import classes
from kernel.reach import ReachManager


class CaseQuerySet(models.QuerySet["Case"]):
    """Reads of cases."""

    def open(self) -> "CaseQuerySet":
        """Cases that nobody and nothing has closed."""
        return self.filter(closed_at__isnull=True)

    def open_at(self, at: Any) -> "CaseQuerySet":
        """Cases that had opened by an instant and were not closed then, as far as their last closing tells."""
        return self.filter(Q(closed_at__isnull=True) | Q(closed_at__gt=at), opened_at__lte=at)

    def awake(self, now: Any) -> "CaseQuerySet":
        """Cases that are not snoozed beyond `now`."""
        return self.filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))

    def past_due(self, now: Any) -> "CaseQuerySet":
        """Open cases whose due time is over."""
        return self.open().filter(due_at__lt=now)

    def assigned_to(self, user_id: UUID | None) -> "CaseQuerySet":
        """Cases of one person; none for nobody."""
        return self.filter(assignee_id=user_id) if user_id else self.none()


class Case(Row):
    """One trouble with one thing: opened and closed by facts or people, the same row when it comes back.

    `key` is the trouble's identity (a run and its failed step, or what a workflow named it), so the same trouble never
    has two cases; when it comes back after it was closed, its case is reopened and counts how often.
    """

    prefix = "case"
    holds = classes(
        key="key business_key",
        code="kind error_class severity state step fingerprint currency decision closed_how",
        content="title cause error facts outcome",
        person="assignee decided_by closed_by",
    )

    key = models.CharField(max_length=400, unique=True)
    number = models.BigIntegerField(unique=True, help_text="Within the tenant; people see it as EX-1042.")
    kind = models.CharField(
        max_length=60, help_text="Business kind: run_failed, delivery_late, or a template's own."
    )
    error_class = models.CharField(max_length=20, choices=ErrorClass, blank=True)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.NORMAL)
    state = models.CharField(max_length=10, choices=CaseState, default=CaseState.OPEN)
    title = models.CharField(max_length=200, help_text="In the tenant's language.")
    cause = models.TextField(blank=True, help_text="In plain words and the tenant's language.")

    of_run = models.BooleanField(
        default=False,
        help_text="Its run failed and waits for a person; else the workflow asked for the case.",
    )
    run_id = models.UUIDField(null=True)
    workflow_id = models.UUIDField(null=True)
    step = models.CharField(max_length=200, blank=True, help_text="Pointer of the failed step.")
    business_key = models.CharField(max_length=200, blank=True, help_text="The order, RMA, PO or SKU.")
    value_minor = models.BigIntegerField(null=True, help_text="Money at risk, in minor units.")
    currency = models.CharField(max_length=3, blank=True)
    fingerprint = models.CharField(max_length=32, help_text="The same for cases of one cause.")
    error = models.JSONField(null=True, help_text="What the failed step raised, as the engine told it.")
    facts = models.JSONField(null=True, help_text="What each system says, as the workflow put it together.")
    seq = models.BigIntegerField(
        help_text="Place of the last fact taken in among the facts of its run; older ones change nothing."
    )
    failures = models.PositiveIntegerField(default=1, help_text="How often its step failed.")

    due_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True)
    assignee_id = models.UUIDField(null=True)
    assignee = models.CharField(max_length=200, blank=True)

    opened_at = models.DateTimeField(help_text="By the tenant's clock, as every time of a case.")
    reopened_at = models.DateTimeField(null=True)
    reopened = models.PositiveIntegerField(default=0)
    decision = models.CharField(max_length=10, choices=Decide, blank=True, help_text="The last that counts.")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    by_person = models.BooleanField(default=False, help_text="Whether that was somebody, not the portal.")
    closed_at = models.DateTimeField(null=True)
    closed_how = models.CharField(max_length=8, choices=ClosedHow, blank=True)
    closed_by = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=200, blank=True, help_text="How it ended, in words.")
    version = models.PositiveIntegerField(default=1, help_text="Rises with each change that matters.")

    objects: ClassVar[Any] = ReachManager.from_queryset(CaseQuerySet)()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            # closed is one thing, however it is asked
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_how="", state__in=["open", "resolving"])
                | (Q(closed_at__isnull=False, state__in=["resolved", "dismissed"]) & ~Q(closed_how="")),
                name="case_closed_whole",
            ),
        ]
        indexes = [
            # the inbox: what is open, by due time or by money
            models.Index(fields=["due_at", "id"], condition=Q(closed_at__isnull=True), name="case_open_due"),
            models.Index(
                F("value_minor").desc(nulls_last=True),
                F("id").desc(),
                condition=Q(closed_at__isnull=True),
                name="case_open_money",
            ),
            models.Index(fields=["-opened_at", "-id"], name="case_newest"),
            models.Index(
                fields=["-closed_at", "-id"], condition=Q(closed_at__isnull=False), name="case_closed_newest"
            ),
            models.Index(fields=["fingerprint", "-opened_at"], name="case_alike"),
            models.Index(fields=["business_key"], condition=~Q(business_key=""), name="case_by_business_key"),
            models.Index(fields=["run_id"], condition=Q(run_id__isnull=False), name="case_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def code(self) -> str:
        """What people call it: EX-1042."""
        return f"EX-{self.number}"

    @property
    def type(self) -> str:
        """Kind and error class as the catalogue names them: `run_failed.connection`, `delivery_late`."""
        return f"{self.kind}.{self.error_class}" if self.error_class else self.kind

    @property
    def closed(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.closed_at is not None


class Decision(Row):
    """One act of a person on a case, with what it changed and, later, whether it worked."""

    prefix = "dec"
    holds = classes(
        code="kind actor_kind step fingerprint outcome",
        person="actor",
        content="reason before after",
    )

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Decide)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()
    reason = models.TextField(blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    step = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=32, help_text="Of the case as it was then.")
    outcome = models.CharField(max_length=8, choices=DecisionOutcome, blank=True)
    outcome_at = models.DateTimeField(null=True)
    audit_id = models.UUIDField(null=True, help_text="The audit event of the same act.")

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(
                fields=["fingerprint", "kind", "outcome"], condition=~Q(outcome=""), name="decision_record"
            ),
            models.Index(fields=["at"], name="decision_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"


class Intent(Row):
    """A decision that is not carried out yet: it may be undone for some seconds, or takes a second person.

    It stands here from the click on, so that it is carried out whatever becomes of the browser; and it is carried out
    as it was shown, or not at all: `digest` covers what was agreed to.
    """

    prefix = "int"
    holds = classes(code="decision digest state", content="value reason error", person="actor first second")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="intents")
    decision = models.CharField(max_length=10, choices=Decide)
    value = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    version = models.PositiveIntegerField(help_text="Of the case as it was looked at.")
    digest = models.CharField(max_length=64, help_text="Of the case, the decision and its data.")
    state = models.CharField(max_length=8, choices=IntentState)
    actor = models.JSONField(help_text="Who decided, as the audit names them.")
    first_id = models.UUIDField(null=True)
    first = models.CharField(max_length=200)
    second_id = models.UUIDField(null=True)
    second = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(help_text="By the tenant's clock.")
    carry_at = models.DateTimeField(null=True, help_text="By the database's clock; before, it may be undone.")
    settled_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, help_text="Why it was not carried out, in the tenant's language.")

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            # of two who decide one is first, whatever they decide
            models.UniqueConstraint(
                fields=["case"], condition=Q(state__in=["waiting", "asked"]), name="intent_one_a_case"
            ),
            # four eyes belong to two people
            models.CheckConstraint(
                condition=Q(second_id__isnull=True) | Q(first_id__isnull=True) | ~Q(second_id=F("first_id")),
                name="intent_second_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} by {self.first}"


class Limits(models.Model):
    """From which amount on a decision takes a second person; one row, or none where no amount does."""

    holds = classes(code="currency")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    two_from_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="limits_one_row")]

    def __str__(self) -> str:
        return f"{self.two_from_minor} {self.currency}"


class View(Row):
    """A list of cases that somebody gave a name: the address of its filters, for oneself or for everybody here."""

    prefix = "view"
    holds = classes(person="owner", setting="name slug", content="query")

    owner_id = models.UUIDField()
    owner = models.CharField(max_length=200)
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)
    query = models.CharField(max_length=1_000, blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            # a shared name means one list to everybody
            models.UniqueConstraint(
                fields=["slug"], condition=Q(shared=True), name="view_one_shared_of_a_name"
            ),
            models.UniqueConstraint(
                fields=["owner_id", "slug"], condition=Q(shared=False), name="view_one_own_of_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Paper(Row):
    """A file on a case: a photograph, a letter, a list; kept as it was checked, in the client's own schema."""

    prefix = "file"
    holds = classes(content="name content", code="media sha256 visibility", person="actor")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="papers")
    name = models.CharField(max_length=200)
    media = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.CLIENT)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.name


class Comment(Row):
    """Something said about a case, among the partner's staff or to the client as well."""

    prefix = "cmt"
    holds = classes(content="text", person="actor", code="visibility")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField()
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.CLIENT)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.actor}: {self.text[:40]}"


class Closing(models.Model):
    """A closing that came before its opening: when that comes, the case is closed at once. Forgotten after a month."""

    holds = classes(key="key", code="how", person="by", content="outcome")

    key = models.CharField(max_length=400, primary_key=True, help_text="A case's key, or `<run>:*`.")
    seq = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    how = models.CharField(max_length=8, choices=ClosedHow)
    by = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.key
