"""What a client used, month by month, against its plan."""

from datetime import date
from typing import Any

from rest_framework import serializers

from billing import queries
from billing.queries import Month
from kernel import clock
from kernel.errors import NotFound
from portal.api import fields
from portal.api.desk import Call, Desk, operation, rule
from portal.api.fields import Shape
from tenants.tenancy import context


class PlanShape(Shape):
    """A plan."""

    code = fields.text("Its code.")
    name = fields.text("Its name.")
    price_minor = fields.number("A month, in minor units of the currency.")
    currency = fields.text("Three capitals.")
    included_runs = fields.number("Runs a month that the price includes.")
    included_events = fields.number("Events a month that the price includes.")
    overage_minor = fields.number("A further 1,000 runs, in minor units.")


class UsageDay(Shape):
    """What was used on a day (UTC)."""

    date = serializers.DateField(source="day_date", help_text="The day.")
    runs = fields.number("Runs that started.")
    events = fields.number("Events that came in.")
    cases = fields.number("Cases that opened.")
    final = fields.yes_or_no("Whether the day is over and counted for good.")


class Usage(Shape):
    """A month of a client."""

    month = serializers.DateField(source="first_date", help_text="Its first day.")
    plan = PlanShape(help_text="The plan that the client is on.")
    runs = fields.number("Runs that started.")
    events = fields.number("Events that came in.")
    cases = fields.number("Cases that opened.")
    extra_runs = fields.number("Runs beyond what the plan includes.")
    due_minor = fields.number("What the month comes to so far, in minor units.", source="due.minor")
    currency = fields.text("Of that amount.", source="due.currency")
    days = UsageDay(many=True, help_text="Day by day.")


class UsageFilter(Shape):
    """Which month."""

    month = serializers.RegexField(
        r"^[12]\d{3}-(0[1-9]|1[0-2])$",
        required=False,
        help_text="As in 2026-03; the present one if left out.",
    )


class UsageOfMonth(Desk):
    """Use of a month."""

    rule = rule(get="billing.read")

    @operation("get_usage", query=UsageFilter, returns=Usage)
    def get(self, call: Call) -> Any:
        """Plan and use of a month."""
        today = context.now().date()
        given = call.query.get("month")
        first = date.fromisoformat(f"{given}-01") if given else today.replace(day=1)
        present = queries.today([call.tenant], clock.now()).get(call.tenant.id)
        found: Month | None = queries.month(call.tenant.id, first, present=present)
        if found is None:
            raise NotFound
        return found
