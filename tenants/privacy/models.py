"""SubjectRequest, Erasure (the ledger), LegalHold, Term, Purge: all in the public schema, each row a tenant's own.

They stand beside the tenants' schemas so that a schema that comes back from a backup does not bring back who was
erased, forget a hold, or lose the trace of what was deleted.
"""

from django.db import models
from django.db.models import Q

from kernel.models import Row
from tenants.privacy.enums import Keeps, SubjectState
from tenants.tenancy.models import Partner, Tenant


class SubjectRequest(Row):
    """Somebody's data, asked for: what they are known by (sealed until it is over), what was found, what was erased."""

    prefix = "dsr"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    reference = models.CharField(
        max_length=80, help_text="What the request is called here; no name of a person."
    )
    terms = models.BinaryField(null=True, help_text="Sealed; None once the person is erased.")
    state = models.CharField(max_length=8, choices=SubjectState, default=SubjectState.FINDING)
    found = models.JSONField(default=dict, help_text="By table: how many rows, and which.")
    erased = models.JSONField(default=dict, help_text="By table: how many rows were changed.")
    progress = models.JSONField(default=dict, help_text="How far the present pass is.")
    mark = models.CharField(max_length=40, blank=True, help_text="What stands in the person's place.")
    error = models.TextField(blank=True)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    found_at = models.DateTimeField(null=True)
    erased_by = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True, help_text="Why the person was erased.")
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(state__in=["finding", "erasing"]), name="subject_unfinished"
            ),
            models.Index(fields=["tenant", "-asked_at"], name="subject_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.reference


class Erasure(Row):
    """A line of the ledger of erasures: whoever brings back a backup that is older erases this person again.

    Who it was is sealed, and destroyed when no backup that could hold them is kept any more.
    """

    prefix = "ers"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    request = models.ForeignKey(
        SubjectRequest,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="None: of another client.",
    )
    terms = models.BinaryField(null=True, help_text="Sealed; None once no backup is that old.")
    mark = models.CharField(max_length=40)
    at = models.DateTimeField()
    forget_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True)
    replays = models.PositiveIntegerField(default=0)
    waits = models.BooleanField(
        default=False, help_text="The last replay left rows that could not be changed yet."
    )

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["forget_at"], condition=Q(terms__isnull=False), name="erasure_to_forget"),
        ]

    def __str__(self) -> str:
        return self.mark


class LegalHold(Row):
    """What must be kept for a court or an authority, against every term and every wish, until it is lifted.

    It covers everything of a tenant, or business keys (orders), or one person, by what they are known by.
    """

    prefix = "hld"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    reason = models.TextField()
    everything = models.BooleanField(default=False)
    keys = models.JSONField(default=list, help_text="Business keys: orders, returns.")
    terms = models.BinaryField(null=True, help_text="Sealed: what a person is known by; None once lifted.")
    placed_by = models.CharField(max_length=200)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=200, blank=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            # two holds in force that people cannot tell apart would be lifted by mistake
            models.UniqueConstraint(
                fields=["tenant", "name"], condition=Q(lifted_at__isnull=True), name="hold_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_person(self) -> bool:
        """Whether it covers somebody by what they are known by."""
        return self.terms is not None


class Term(Row):
    """How long a class of data is kept: for a tenant, for all of a partner's, or (with neither) for everybody."""

    prefix = "trm"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, null=True, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    what = models.CharField(max_length=12, choices=Keeps)
    days = models.PositiveIntegerField(help_text="0: without end.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "tenant", "what"], nulls_distinct=False, name="term_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} for {self.days} days"


class Purge(Row):
    """The proof of one purge: how many rows of a class went and how many a hold kept, and a hash over their keys."""

    prefix = "prg"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=12, choices=Keeps)
    at = models.DateTimeField()
    until = models.DateTimeField(help_text="What is older than this was due.")
    deleted = models.IntegerField()
    held = models.IntegerField(default=0)
    digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the rows' keys in their order."
    )

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["tenant", "-at"], name="purge_of_tenant")]

    def __str__(self) -> str:
        return f"{self.deleted} of {self.what}"
