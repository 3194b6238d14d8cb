"""The dashboard: key figures of a period beside those of the one before, their days, and what needs attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from automations.insights.catalog.kpis import Kpi, Series, kpi
from automations.insights.contract import Words
from automations.insights.enums import Better
from automations.insights.queries import aims, attention
from automations.insights.queries.attention import Attention
from automations.insights.queries.scope import Figure, Scope

CHART = "orders_placed"
TILES = (
    "orders_placed",
    "approval_lag",
    "handover_lag",
    "late_delivery_rate",
    "open_cases",
    "automation_rate",
)
BREAKDOWNS = ("orders_by_status", "order_age", "cases_by_kind", "runs_by_status")


@dataclass(frozen=True)
class Tile:
    """A key figure of the period, the one before, and day by day; `good` says whether the change is for the better."""

    kpi: Kpi
    figure: Figure
    before: Figure | None
    days: Series
    target: float | None = None
    """What it should be; a day, for what is counted by the day."""
    length: int = 0
    """How many days the period has; none where it has no beginning."""

    @property
    def aim(self) -> float | None:
        """What the value of this period should be; None where there is no target, or no period to count days of."""
        if self.target is None or not self.kpi.by_day:
            return self.target
        return self.target * self.length if self.length else None

    @property
    def met(self) -> bool | None:
        """Whether the value is at its target or better; None where there is nothing to compare."""
        if self.aim is None or self.figure.value is None:
            return None
        return self.kpi.meets(self.figure.value, self.aim)

    @property
    def change(self) -> float | None:
        """The difference to the period before; None where either has none."""
        if self.before is None or self.figure.value is None or self.before.value is None:
            return None
        return self.figure.value - self.before.value

    @property
    def good(self) -> bool | None:
        """Whether it went the right way; None where it did not move or there is no right way."""
        if not self.change or self.kpi.better == Better.NEITHER:
            return None
        return (self.change < 0) == (self.kpi.better == Better.LOWER)

    @property
    def title(self) -> Words:
        """The figure's name."""
        return self.kpi.title


@dataclass(frozen=True)
class Board:
    """All of the dashboard; `as_of` is when the last event came in that it counts, None before the first."""

    scope: Scope
    tiles: Sequence[Tile]
    breakdowns: Sequence[Tile]
    chart: Series
    chart_before: Series
    chart_target: float | None
    attention: Sequence[Attention]
    as_of: datetime | None


def board(scope: Scope, *, tiles: Sequence[str] = TILES, breakdowns: Sequence[str] = BREAKDOWNS) -> Board:
    """The dashboard of a period."""
    before, set_here = scope.before(), aims.targets()
    shown = [tile(kpi(code), scope, set_here) for code in tiles]
    charted = next((tile for tile in shown if tile.kpi.code == CHART), None)
    days = kpi(CHART).daily
    return Board(
        scope=scope,
        tiles=shown,
        breakdowns=[Tile(kpi(code), kpi(code).figure(scope), None, []) for code in breakdowns],
        chart=charted.days if charted else days(scope) if days else [],
        chart_before=days(before) if days and before else [],
        chart_target=set_here.get(CHART),
        attention=attention.needed(scope.at),
        as_of=attention.last_event_at(),
    )


def tile(one: Kpi, scope: Scope, targets: Mapping[str, float]) -> Tile:
    """A key figure of the period beside the one before, day by day, and its target."""
    before = scope.before()
    return Tile(
        kpi=one,
        figure=one.figure(scope),
        before=one.figure(before) if before else None,
        days=one.daily(scope) if one.daily and scope.since else [],
        target=targets.get(one.code),
        length=len(scope.days()),
    )
