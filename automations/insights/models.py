"""What is known of each order, folded from its events: instants, amounts, lines. Figures are counted from here."""

from django.db import models
from django.db.models import Q

from automations.insights.enums import UnitKind
from kernel.models import Row
from kernel.privacy import classes


class OrderFact(models.Model):
    """One order: when what happened to it (the first time each), and what its shop last said of it."""

    holds = classes(
        key="order_id number",
        code="channel country currency described ended_as stated stated_by",
        content="region",
    )

    order_id = models.CharField(max_length=120, primary_key=True)
    number = models.CharField(max_length=120, blank=True)
    channel = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2, blank=True)
    region = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    total_minor = models.BigIntegerField(null=True)
    lines = models.PositiveIntegerField(null=True, help_text="How many lines it has.")
    estimated_delivery_at = models.DateTimeField(null=True)
    described = models.TextField(
        blank=True, help_text="Instant, rank and id of the event that described it; the greatest counts."
    )

    placed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When it was canceled or became unavailable.")
    ended_as = models.CharField(max_length=16, blank=True)
    stated = models.CharField(max_length=40, blank=True, help_text="The status as its shop last stated it.")
    stated_at = models.DateTimeField(null=True)
    stated_by = models.TextField(
        blank=True, help_text="Instant and id of the event that stated it; the greatest counts."
    )

    class Meta:
        ordering = ["-placed_at", "order_id"]
        indexes = [
            models.Index(fields=["placed_at", "order_id"], name="order_by_placing"),
            models.Index(fields=["approved_at", "order_id"], name="order_by_approval"),
            models.Index(fields=["handed_over_at", "order_id"], name="order_by_handover"),
            models.Index(fields=["delivered_at", "order_id"], name="order_by_delivery"),
            # what is under way, which is little however many orders there were
            models.Index(
                fields=["placed_at"],
                condition=Q(delivered_at__isnull=True, ended_at__isnull=True),
                name="order_under_way",
            ),
            # also by how a number begins
            models.Index(
                fields=["number"],
                opclasses=["varchar_pattern_ops"],
                condition=~Q(number=""),
                name="order_by_number",
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.order_id


class BusinessUnit(Row):
    """A store or a region for which somebody is let in."""

    prefix = "bun"
    holds = classes(setting="kind code")

    kind = models.CharField(max_length=8, choices=UnitKind)
    code = models.CharField(max_length=120, help_text="The channel or region as orders name it.")

    class Meta:
        ordering = ["kind", "code"]
        constraints = [
            # a part of the business is one row, whoever is let in for it
            models.UniqueConstraint(fields=["kind", "code"], name="business_unit_once"),
        ]

    def __str__(self) -> str:
        return self.code


class OrderLineFact(models.Model):
    """A line of an order as it was last described."""

    holds = classes(key="order_id", code="sku")

    pk = models.CompositePrimaryKey("order_id", "line_no")
    order_id = models.CharField(max_length=120)
    line_no = models.IntegerField(help_text="Its place in the order, from 1.")
    sku = models.CharField(max_length=120)
    quantity = models.DecimalField(max_digits=18, decimal_places=4)
    price_minor = models.BigIntegerField(null=True, help_text="Of one.")
    shipping_limit_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "insights_orderline"
        indexes = [models.Index(fields=["sku"], name="order_line_by_sku")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.line_no}"


class KpiTarget(models.Model):
    """What a key figure should be here: a level, or for figures that count what happens, a number a day."""

    holds = classes(code="code")

    code = models.CharField(max_length=60, primary_key=True)
    value = models.FloatField(help_text="In the figure's own unit; a share is a fraction.")
    set_at = models.DateTimeField()

    class Meta:
        db_table = "insights_target"
        constraints = [models.CheckConstraint(condition=Q(value__gte=0), name="target_not_below_nothing")]

    def __str__(self) -> str:
        return f"{self.code} {self.value}"
