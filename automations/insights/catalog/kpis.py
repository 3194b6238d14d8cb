"""The key figures: each with unit, formula, source, a worked example, the query that counts and the one that opens."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Protocol

from django.utils.translation import gettext_lazy as _

from automations.events.queries import Page
from automations.insights.catalog import examples
from automations.insights.contract import Example, Words
from automations.insights.enums import Better, Unit
from automations.insights.errors import UnknownKpi
from automations.insights.queries import facts, measures, work
from automations.insights.queries.measures import Measure
from automations.insights.queries.scope import FactRow, Figure, Scope

Series = list[tuple[date, float | None]]


class Rows(Protocol):
    """Opens the rows behind a figure, or behind one of its parts."""

    def __call__(
        self, scope: Scope, *, part: str = "", sort: str = "newest", after: str = "", limit: int = 50
    ) -> Page[FactRow]: ...


@dataclass(frozen=True)
class Kpi:
    """A key figure. `grain` is what one row behind it is; `stock` figures look at an instant, others at a period."""

    code: str
    title: Words
    unit: Unit
    formula: Words
    source: str
    grain: str
    better: Better
    example: Example
    figure: Callable[[Scope], Figure]
    rows: Rows
    daily: Callable[[Scope], Series] | None = None
    headline: str = ""
    """Which part the value is, where it is one (`p50`)."""
    stock: bool = False

    @property
    def aimed(self) -> bool:
        """Whether it can have a target: one knows which way it should go."""
        return self.better != Better.NEITHER

    @property
    def by_day(self) -> bool:
        """Whether its target is a number a day: it counts what happens, so a longer period holds more of it."""
        return not self.stock and self.unit not in (Unit.HOURS, Unit.FRACTION)

    def meets(self, value: float, aim: float) -> bool:
        """Whether a value is at its target or better."""
        return value <= aim if self.better == Better.LOWER else value >= aim


def _rows(measure: Measure) -> Rows:
    return partial(measures.rows, measure)


_FACTS: Final = "order events, folded into facts (insights_orderfact, insights_orderline)"
_LATE: Final = partial(measures.share, of="late")

_ALL: Final[Sequence[Kpi]] = (
    Kpi(
        code="orders_placed",
        title=_("Orders placed"),
        unit=Unit.ORDERS,
        formula=_("Number of orders whose placing fell into the period."),
        source=_FACTS,
        grain="order",
        better=Better.HIGHER,
        example=examples.PLACED,
        figure=partial(measures.count, facts.PLACED),
        rows=_rows(facts.PLACED),
        daily=partial(measures.daily, facts.PLACED),
    ),
    Kpi(
        code="orders_by_status",
        title=_("Orders by status"),
        unit=Unit.ORDERS,
        formula=_(
            "Number of orders placed in the period, by the status that their shop stated last, or else by the last of"
            " placed, approved, handed over, delivered, canceled and unavailable that had happened by the instant."
        ),
        source=_FACTS,
        grain="order",
        better=Better.NEITHER,
        example=examples.BY_STATUS,
        figure=partial(measures.by_part, facts.BY_STATUS),
        rows=_rows(facts.BY_STATUS),
    ),
    Kpi(
        code="order_age",
        title=_("Open orders by age"),
        unit=Unit.ORDERS,
        formula=_(
            "Number of orders that by the instant were placed and neither delivered nor called off, by the time from"
            " their placing to the instant; a bucket holds its lower bound and not its upper one."
        ),
        source=_FACTS,
        grain="order",
        better=Better.LOWER,
        example=examples.AGE,
        figure=partial(measures.by_part, facts.AGE),
        rows=_rows(facts.AGE),
        stock=True,
    ),
    Kpi(
        code="orders_under_way",
        title=_("Orders under way"),
        unit=Unit.ORDERS,
        formula=_(
            "Number of orders placed and not delivered by the instant; among them those past their promised delivery,"
            " approved and not handed over, not approved, and handed over. Nothing that happened later is used."
        ),
        source=_FACTS,
        grain="order",
        better=Better.LOWER,
        example=examples.UNDER_WAY,
        figure=partial(measures.counts, facts.UNDER_WAY, of="not_delivered"),
        rows=_rows(facts.UNDER_WAY),
        headline="not_delivered",
        stock=True,
    ),
    Kpi(
        code="approval_lag",
        title=_("Approval lag"),
        unit=Unit.HOURS,
        formula=_(
            "Hours from placing to approval of the orders approved in the period: median, 90th, 95th and 99th"
            " percentile by linear interpolation between ranks, and mean."
        ),
        source=_FACTS,
        grain="order",
        better=Better.LOWER,
        example=examples.APPROVAL_LAG,
        figure=partial(measures.distribution, facts.APPROVAL_LAG),
        rows=_rows(facts.APPROVAL_LAG),
        daily=partial(measures.daily, facts.APPROVAL_LAG, median=True),
        headline="p50",
    ),
    Kpi(
        code="handover_lag",
        title=_("Hand-over lag"),
        unit=Unit.HOURS,
        formula=_(
            "Hours from approval to hand-over of the orders handed over in the period that were approved; negative"
            " where the approval came after the hand-over. Percentiles as for the approval lag."
        ),
        source=_FACTS,
        grain="order",
        better=Better.LOWER,
        example=examples.HANDOVER_LAG,
        figure=partial(measures.distribution, facts.HANDOVER_LAG),
        rows=_rows(facts.HANDOVER_LAG),
        daily=partial(measures.daily, facts.HANDOVER_LAG, median=True),
        headline="p50",
    ),
    Kpi(
        code="late_delivery_rate",
        title=_("Late deliveries"),
        unit=Unit.FRACTION,
        formula=_(
            "Of the orders delivered in the period that had a promised delivery, the fraction delivered after it,"
            " as instants: one delivered exactly then is in time."
        ),
        source=_FACTS,
        grain="order",
        better=Better.LOWER,
        example=examples.LATE_DELIVERY,
        figure=partial(_LATE, facts.DELIVERED),
        rows=_rows(facts.DELIVERED),
        daily=partial(measures.daily, facts.DELIVERED, of="late"),
    ),
    Kpi(
        code="late_handover_rate",
        title=_("Late hand-overs"),
        unit=Unit.FRACTION,
        formula=_(
            "Of the order lines with a shipping limit whose order was handed over in the period, the fraction handed"
            " over after the limit of that very line."
        ),
        source=_FACTS,
        grain="line",
        better=Better.LOWER,
        example=examples.LATE_HANDOVER,
        figure=partial(_LATE, facts.HANDED_OVER_LINES),
        rows=_rows(facts.HANDED_OVER_LINES),
        daily=partial(measures.daily, facts.HANDED_OVER_LINES, of="late"),
    ),
    Kpi(
        code="open_cases",
        title=_("Open cases"),
        unit=Unit.CASES,
        formula=_("Number of cases that had opened by the instant and were not closed then, by kind."),
        source="cases of the inbox (inbox_case)",
        grain="case",
        better=Better.LOWER,
        example=examples.OPEN_CASES,
        figure=work.open_cases,
        rows=work.open_case_rows,
        stock=True,
    ),
    Kpi(
        code="cases_by_kind",
        title=_("Cases by kind"),
        unit=Unit.CASES,
        formula=_("Number of cases that opened in the period, whatever became of them, by kind."),
        source="cases of the inbox (inbox_case)",
        grain="case",
        better=Better.LOWER,
        example=examples.CASES_BY_KIND,
        figure=work.cases_by_kind,
        rows=work.case_rows,
        daily=work.cases_daily,
    ),
    Kpi(
        code="runs_by_status",
        title=_("Runs by status"),
        unit=Unit.RUNS,
        formula=_("Number of runs that started in the period, by where they are now."),
        source="runs of the engine (engine_run)",
        grain="run",
        better=Better.NEITHER,
        example=examples.RUNS_BY_STATUS,
        figure=work.runs_by_status,
        rows=work.run_rows,
        daily=work.runs_daily,
    ),
    Kpi(
        code="automation_rate",
        title=_("Automation rate"),
        unit=Unit.FRACTION,
        formula=_(
            "Of the runs that started in the period and are over, the fraction that completed without anybody deciding"
            " about a failure of theirs."
        ),
        source="runs of the engine (engine_run) and decisions of the inbox (inbox_decision)",
        grain="run",
        better=Better.HIGHER,
        example=examples.AUTOMATION_RATE,
        figure=work.automation_rate,
        rows=work.automation_rows,
    ),
)

KPIS: Final[Mapping[str, Kpi]] = {one.code: one for one in _ALL}
"""Every key figure by its code, which templates, addresses and the API use."""


def kpi(code: str) -> Kpi:
    """The key figure of this code. Raises UnknownKpi."""
    try:
        return KPIS[code]
    except KeyError:
        raise UnknownKpi(f"there is no figure {code!r}") from None
