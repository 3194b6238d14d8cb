"""The tables of acts on many runs."""

from django.db import models
from django.db.models import Q

from automations.engine.enums import BulkAct, BulkState, ItemState
from kernel.models import Row
from kernel.privacy import classes


class Bulk(Row):
    """One act done to many runs: which ones was fixed when it began, so that it ends however often it is broken off."""

    prefix = "blk"
    holds = classes(code="act state", content="wanted reason", person="actor")

    act = models.CharField(max_length=8, choices=BulkAct)
    state = models.CharField(max_length=8, choices=BulkState, default=BulkState.RUNNING)
    wanted = models.JSONField(help_text="The filter by which the runs were chosen.")
    definition_id = models.UUIDField(null=True, help_text="The version that runs move to.")
    reason = models.CharField(max_length=500, blank=True)
    rate = models.FloatField(help_text="Runs a second at most.")
    total = models.IntegerField()
    actor = models.JSONField(help_text="Who began it: each run is acted on in their name.")
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(help_text="Nothing is done before; by the database's clock.")
    moved_at = models.DateTimeField(help_text="When something happened last; by the database's clock.")
    over_at = models.DateTimeField(null=True)
    cancelled = models.BooleanField(db_default=False, help_text="Called off: what waited is left alone.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # a pace that is none would end never, or at once
            models.CheckConstraint(condition=Q(rate__gt=0), name="bulk_has_a_pace"),
            models.CheckConstraint(  # what is over says since when
                condition=Q(state=BulkState.DONE, over_at__isnull=False)
                | (~Q(state=BulkState.DONE) & Q(over_at__isnull=True)),
                name="bulk_over_when_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{BulkAct(self.act).label}: {self.total}"


class BulkItem(models.Model):
    """A run of a bulk act, in the order in which the runs began."""

    holds = classes(key="business_key", code="step state", content="why")

    pk = models.CompositePrimaryKey("bulk_id", "position")
    bulk_id = models.UUIDField()
    position = models.IntegerField()
    run_id = models.UUIDField()
    business_key = models.CharField(max_length=120, blank=True)
    step = models.CharField(max_length=200, blank=True, help_text="Where the run stood.")
    state = models.CharField(max_length=8, choices=ItemState, default=ItemState.WAITING)
    why = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(null=True, help_text="When its state changed last; by the database's clock.")

    class Meta:
        db_table = "engine_bulk_item"
        indexes = [
            models.Index(fields=["bulk_id", "state", "position"], name="bulk_item_next"),
            models.Index(  # whether an earlier run of the same order is through
                fields=["bulk_id", "business_key", "position"],
                condition=~Q(business_key=""),
                name="bulk_item_of_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.bulk_id}"
