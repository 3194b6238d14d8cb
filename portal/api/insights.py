"""Key figures with the rows behind them, and an order's timeline."""

from datetime import tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from rest_framework import serializers

from automations.insights import actions
from automations.insights.catalog import KPIS, Kpi, kpi, tile
from automations.insights.enums import Better, EntryKind, Unit
from automations.insights.queries import Scope, Timeline, targets, timeline
from portal.api import fields
from portal.api.desk import Call, Desk, operation, rule
from portal.api.fields import Shape
from portal.api.pages import Listing
from tenants.tenancy import context

_ZONES: Final = frozenset(available_timezones())


class KpiShape(Shape):
    """What a key figure is."""

    code = fields.text("Its name in addresses.")
    title = fields.text("Its name for people.")
    unit = fields.one_of([one.value for one in Unit], "What it counts.")
    formula = fields.text("How it is counted.")
    source = fields.text("From what.")
    grain = fields.one_of(["order", "line", "case", "run"], "What one row behind it is.")
    better = fields.one_of([one.value for one in Better], "Which way it should go.")
    stock = fields.yes_or_no("Whether it looks at an instant; else at a period.")
    headline = fields.text("Which part the value is, where it is one.", allow_blank=True)
    example = fields.text("A worked example.", source="example.words")


class PartShape(Shape):
    """A part of a figure: a status, a bucket, a percentile."""

    code = fields.text("Opens its rows.")
    label = fields.text("In words.")
    value = serializers.FloatField(allow_null=True, help_text="Its value.")


class DayShape(Shape):
    """The figure of one day."""

    date = serializers.DateField(help_text="The day, in the zone that was asked for.")
    value = serializers.FloatField(allow_null=True, help_text="Null where there is nothing to count from.")


class FigureShape(Shape):
    """A key figure."""

    kpi = KpiShape(help_text="What it is.")
    at = fields.at("From which instant it is looked at; nothing later is used.")
    since = fields.perhaps_at("Beginning of the period.")
    until = fields.perhaps_at("End of the period.")
    value = serializers.FloatField(allow_null=True, help_text="Null where there is nothing to count from.")
    n = fields.number("Of how many rows.")
    target = serializers.FloatField(
        allow_null=True, help_text="What it should be; null where nobody has said."
    )
    met = serializers.BooleanField(
        allow_null=True,
        help_text="Whether it is at its target or better; null where there is nothing to compare.",
    )
    parts = PartShape(many=True, help_text="Its parts.")
    days = DayShape(many=True, help_text="Day by day, where a period is given and the figure has days.")


class TargetShape(Shape):
    """What a key figure should be."""

    target = serializers.FloatField(
        allow_null=True,
        help_text="At most or at least that much, as the figure's `better` says; a share as a fraction; a number a day"
        " for what is counted by the day (a figure in orders, lines, cases or runs that is no `stock`). Null: none.",
    )


class RowShape(Shape):
    """A row behind a figure: an order, an order's line, a case or a run."""

    kind = fields.one_of(["order", "line", "case", "run"], "What it is.")
    id = fields.text("Leads to it: an order's id, else a public id.")
    title = fields.text("What people call it.")
    state = fields.text("Where it stands.", allow_blank=True)
    at = fields.perhaps_at("When it fell into the period.")
    value = serializers.FloatField(allow_null=True, help_text="What it adds to the figure.")
    value_minor = fields.money("Money that it is about")
    currency = fields.text("Of that amount.", allow_blank=True)
    place = fields.text("More: the line and article, or the case's code.", allow_blank=True)


class ScopeQuery(Shape):
    """Which period."""

    at = fields.at("From which instant to look; the present if left out.", required=False)
    since = fields.at("Beginning of the period.", required=False)
    until = fields.at("End of the period.", required=False)
    zone = fields.text("Time zone of days; the client's own if left out.", required=False)

    def validate_zone(self, value: str) -> str:
        """Zones that there are."""
        if value not in _ZONES:
            raise serializers.ValidationError(f"{value} is no time zone.")
        return value


class RowsQuery(ScopeQuery):
    """Which rows."""

    part = fields.text("Of this part; of all if left out.", required=False)
    sort = fields.one_of(["newest", "value"], "Newest or largest first.", required=False, default="newest")


def _scope(call: Call) -> Scope:
    given = call.query
    zone: tzinfo = ZoneInfo(given.get("zone") or call.tenant.timezone)
    return Scope(
        at=given.get("at") or context.now(), since=given.get("since"), until=given.get("until"), zone=zone
    )


class Kpis(Desk):
    """The catalogue of key figures."""

    rule = rule(get="insights.read")

    @operation("list_kpis", returns=KpiShape, many=True)
    def get(self, call: Call) -> list[Kpi]:
        """Every key figure with unit, formula, source and a worked example; all of them."""
        return list(KPIS.values())


class OneKpi(Desk):
    """One key figure."""

    rule = rule(get="insights.read")

    @operation("get_kpi", query=ScopeQuery, returns=FigureShape)
    def get(self, call: Call, code: str) -> dict[str, Any]:
        """The value of a key figure with its parts, and day by day where a period is given."""
        one, scope = kpi(code), _scope(call)
        found = tile(one, scope, targets())
        figure = found.figure
        return {
            "kpi": one,
            "at": scope.at,
            "since": scope.since,
            "until": scope.until,
            "value": figure.value,
            "n": figure.n,
            "target": found.target,
            "met": found.met,
            "parts": figure.parts,
            "days": [{"date": day, "value": value} for day, value in found.days],
        }


class KpiTarget(Desk):
    """What one key figure should be."""

    rule = rule(get="insights.read", put="insights.targets")

    @operation("get_kpi_target", returns=TargetShape)
    def get(self, call: Call, code: str) -> dict[str, Any]:
        """What a key figure should be."""
        return {"target": targets().get(kpi(code).code)}

    @operation("set_kpi_target", takes=TargetShape, returns=TargetShape, example={"target": 12.5})
    def put(self, call: Call, code: str) -> dict[str, Any]:
        """Say what a key figure should be, or with null that it has no target."""
        actions.set_target(code=code, value=call.body["target"], actor=call.actor, now=context.now())
        return {"target": targets().get(code)}


class KpiRows(Desk):
    """The rows behind one key figure."""

    rule = rule(get="insights.read")

    @operation("list_kpi_rows", query=RowsQuery, returns=RowShape, many=True, paged=True)
    def get(self, call: Call, code: str) -> Listing:
        """The rows behind a key figure or one of its parts."""
        one, scope = kpi(code), _scope(call)
        part, sort = call.query.get("part", ""), call.query["sort"]
        return call.paging.behind(lambda **page: one.rows(scope, part=part, sort=sort, **page))


class LineShape(Shape):
    """A line of an order."""

    line_no = fields.number("Its place, from 1.")
    sku = fields.text("The article.")
    quantity = serializers.DecimalField(max_digits=18, decimal_places=4, help_text="How many.")
    price_minor = fields.money("Price of one")
    shipping_limit_at = fields.perhaps_at("Until when it has to be with the carrier.")


class OrderShape(Shape):
    """An order, folded from its events."""

    order_id = fields.text("Its id.")
    number = fields.text("What people call it.", allow_blank=True)
    status = fields.text("Where it is.")
    channel = fields.text("Where it was placed.", allow_blank=True)
    country = fields.text("Where it goes, two capitals.", allow_blank=True)
    region = fields.text("Where it goes there.", allow_blank=True)
    currency = fields.text("Of its amounts.", allow_blank=True)
    total_minor = fields.money("Its total")
    estimated_delivery_at = fields.perhaps_at("When it is promised.")
    placed_at = fields.perhaps_at("When it was placed.")
    approved_at = fields.perhaps_at("When it was approved.")
    handed_over_at = fields.perhaps_at("When it was handed to the carrier.")
    delivered_at = fields.perhaps_at("When it was delivered.")
    ended_at = fields.perhaps_at("When it was called off.")
    lines = LineShape(many=True, help_text="Its lines.")


class EntryShape(Shape):
    """One thing that happened."""

    at = fields.at("When.")
    kind = fields.one_of([one.value for one in EntryKind], "What it is about.")
    title = fields.text("In words.")
    detail = fields.text("More in words.", allow_blank=True)
    source = fields.text("The system that says so.", allow_blank=True)
    tone = fields.text("ok, info, wait, review, warn or bad.")
    link_kind = serializers.SerializerMethodField(help_text="What it leads to: event, run, case or audit.")
    link_id = serializers.SerializerMethodField(help_text="The public id of that.")
    actor = fields.text("Who did it.", allow_blank=True)
    began = fields.perhaps_at("When something that took time began.")
    gap_seconds = serializers.SerializerMethodField(
        help_text="Seconds since the entry before, where that is long; else null."
    )

    def get_link_kind(self, entry: Any) -> str:
        """The first half of the link."""
        return str(entry.link[0])

    def get_link_id(self, entry: Any) -> str:
        """The other half."""
        return str(entry.link[1])

    def get_gap_seconds(self, entry: Any) -> float | None:
        """The silence before it."""
        return entry.gap.total_seconds() if entry.gap else None


class TimelineShape(Shape):
    """All that is known of one order, in the order in which it happened."""

    key = fields.text("The business key.")
    order = OrderShape(allow_null=True, help_text="The order; null where none was folded.")
    entries = EntryShape(many=True, help_text="What happened.")
    sources = serializers.ListField(child=serializers.CharField(), help_text="The systems that said so.")
    more_runs = fields.yes_or_no("Whether it has more runs than are shown.")


class OrderTimeline(Desk):
    """The timeline of one order."""

    rule = rule(get="insights.read")

    @operation("get_order_timeline", returns=TimelineShape)
    def get(self, call: Call, order: str) -> Timeline:
        """Events, runs, waits, cases and decisions of one order (RMA, PO, SKU) on one line of time."""
        return timeline(order, now=context.now())
