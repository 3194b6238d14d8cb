"""Plan, Subscription, and MeterDay: what was used on a day, counted from the tenant's own tables."""

from django.db import models

from kernel.models import Row
from tenants.tenancy.models import Tenant


class Plan(Row):
    """What a partner sells: a monthly price and what it includes."""

    prefix = "pln"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    price_minor = models.BigIntegerField(help_text="A month, in minor units.")
    currency = models.CharField(max_length=3, default="EUR")
    included_runs = models.PositiveIntegerField(help_text="Runs a month.")
    included_events = models.PositiveIntegerField(help_text="Events a month.")
    overage_minor = models.PositiveIntegerField(default=0, help_text="A further 1,000 runs, in minor units.")

    class Meta:
        ordering = ["price_minor"]

    def __str__(self) -> str:
        return self.name


class Subscription(Row):
    """The plan that a tenant is on, from a day on."""

    prefix = "sub"

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    since_date = models.DateField()

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.plan}"


class MeterDay(Row):
    """What a tenant used on one day (UTC, by its own clock). Counted anew until the day is over, then fixed."""

    prefix = "mtr"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="meter_days")
    day_date = models.DateField()
    runs = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    cases = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField()
    final = models.BooleanField(default=False)

    class Meta:
        ordering = ["-day_date"]
        constraints = [
            # a day is counted once
            models.UniqueConstraint(fields=["tenant", "day_date"], name="meter_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.day_date}"
