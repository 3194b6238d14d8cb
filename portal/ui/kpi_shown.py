"""Key figures as people read them: values with their unit, changes, parts as bars, and rows with where they lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.insights.catalog import Kpi, Tile
from automations.insights.catalog.kpis import Series
from automations.insights.enums import Better, Unit
from automations.insights.queries import FactRow, Figure, Part
from kernel.money import Money
from portal.ui.kit import charts, words
from portal.ui.kit.query import moved
from portal.ui.links import address, order_address, run_address
from portal.ui.periods import Period

UNITS: Final[Mapping[Unit, str | Promise]] = {
    Unit.ORDERS: gettext_lazy("orders"),
    Unit.LINES: gettext_lazy("order lines"),
    Unit.CASES: gettext_lazy("cases"),
    Unit.RUNS: gettext_lazy("runs"),
    Unit.HOURS: gettext_lazy("hours"),
    Unit.FRACTION: gettext_lazy("share, in percent"),
}
BETTER: Final[Mapping[Better, str | Promise]] = {
    Better.LOWER: gettext_lazy("Lower is better"),
    Better.HIGHER: gettext_lazy("Higher is better"),
    Better.NEITHER: gettext_lazy("Neither way is better"),
}
GRAINS: Final[Mapping[str, str | Promise]] = {
    "order": gettext_lazy("orders"),
    "line": gettext_lazy("order lines"),
    "case": gettext_lazy("cases"),
    "run": gettext_lazy("runs"),
}
_LEVELS: Final[Mapping[str, str | Promise]] = {
    "p50": gettext_lazy("Median"),
    "p90": gettext_lazy("90th percentile"),
    "p95": gettext_lazy("95th percentile"),
    "p99": gettext_lazy("99th percentile"),
    "mean": gettext_lazy("Mean"),
}
_STATES: Final = {"completed": "c2", "waiting": "c6", "suspended": "c4", "faulted": "c4", "cancelled": "c6"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a figure as a row with a bar; `url` opens the rows behind it."""

    code: str
    label: str
    text: str
    width: str
    url: str
    css: str


def figure_url(code: str, period: Period, **more: str) -> str:
    """The page of a figure, looked at over this period."""
    return moved(reverse("insights:figure", args=[code]), period.query, **more)


def text(kpi: Kpi, value: float | None) -> tuple[str | None, str]:
    """(number, unit beside it) of a value of this figure; None where there is none."""
    if value is None:
        return None, ""
    if kpi.unit == Unit.FRACTION:
        return words.number(round(value * 100, 1)), "%"
    if kpi.unit == Unit.HOURS:
        return words.number(round(value, 1)), "h"
    return words.number(value), ""


def whole(kpi: Kpi, value: float | None) -> str:
    """A value with its unit, for tables and tips."""
    said, unit = text(kpi, value)
    return words.NONE if said is None else f"{said} {unit}".rstrip()


def change(tile: Tile) -> tuple[float | None, str]:
    """(by how much it changed, in what): points for shares, else per cent of what it was before."""
    if tile.change is None or tile.before is None or tile.before.value is None:
        return None, ""
    if tile.kpi.unit == Unit.FRACTION:
        return round(tile.change * 100, 1) or None, " " + _("pts")
    if not tile.before.value:
        return None, ""
    return round(tile.change / abs(tile.before.value) * 100, 1) or None, "%"


def good(kpi: Kpi) -> str:
    """Which way is good, as the tag for changes has it."""
    return {Better.HIGHER: "up", Better.LOWER: "down"}.get(kpi.better, "none")


def card(tile: Tile, period: Period) -> dict[str, Any]:
    """A figure for `components/kpi.html`."""
    value, unit = text(tile.kpi, tile.figure.value)
    moved_by, moved_unit = change(tile)
    days = [value for _day, value in tile.days if value is not None]
    return {
        "id": f"kpi-{tile.kpi.code}",
        "label": tile.title,
        "url": figure_url(tile.kpi.code, period),
        "value": value,
        "unit": unit,
        "change": moved_by,
        "change_unit": moved_unit,
        "good": good(tile.kpi),
        "sub": _sub(tile, period),
        "spark": days,
        "goal": tile.target,
        "target": target(tile),
        "css": "c4" if tile.good is False else "c2" if tile.good else "c0",
        "tip": _("Nothing to count from %(when)s.") % {"when": period.words},
    }


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be, in words; `met` is None where there is nothing to compare."""

    text: str
    met: bool | None


def target(tile: Tile) -> Target | None:
    """The target of a figure as its card says it; None where it has none."""
    aim = tile.aim if tile.aim is not None else tile.target
    if aim is None:
        return None
    limit = {"value": whole(tile.kpi, aim)}
    most = tile.kpi.better == Better.LOWER
    if tile.kpi.by_day and tile.aim is None:  # a period without a beginning has no days to count
        said = _("at most %(value)s a day") if most else _("at least %(value)s a day")
    else:
        said = _("at most %(value)s") if most else _("at least %(value)s")
    return Target(said % limit, tile.met)


def _sub(tile: Tile, period: Period) -> str:
    """What stands under a figure: of how many it is, or what it was before."""
    if tile.kpi.unit in (Unit.FRACTION, Unit.HOURS):
        grain = GRAINS[tile.kpi.grain]
        return _("of %(n)s %(rows)s") % {"n": words.number(tile.figure.n), "rows": grain}
    if tile.before is None:
        return str(period.words)
    before = {"n": whole(tile.kpi, tile.before.value), "days": period.days}
    if tile.kpi.stock:
        return _("%(n)s were there %(days)d days ago") % before
    return _("%(n)s in the %(days)d days before") % before


def part_label(part: Part) -> str:
    """A part's name; a percentile in words."""
    return str(_LEVELS.get(part.code, part.label))


def part_text(kpi: Kpi, value: float | None) -> str:
    """A part's value: hours are hours; a share is made of counts."""
    return whole(kpi, value) if kpi.unit == Unit.HOURS else words.number(value)


def bars(kpi: Kpi, figure: Figure, period: Period, *, chosen: str = "") -> list[Bar]:
    """The parts of a figure, each as a bar against the largest of them."""
    most = max((abs(part.value or 0) for part in figure.parts), default=0) or 1
    return [
        Bar(
            code=part.code,
            label=part_label(part),
            text=part_text(kpi, part.value),
            width=f"{abs(part.value or 0) / most * 100:.1f}%",
            url=figure_url(kpi.code, period, part="" if part.code == chosen else part.code),
            css=_STATES.get(part.code, "c0") if kpi.grain == "run" else "c0",
        )
        for part in figure.parts
    ]


def row_count(figure: Figure, part: str) -> int | None:
    """How many rows stand behind a figure or its part; None for a part that is not there."""
    if not part or part in _LEVELS:
        return figure.n
    found = next((one for one in figure.parts if one.code == part), None)
    return None if found is None else round(found.value or 0)


def chart(
    kpi: Kpi,
    days: Series,
    before: Series,
    period: Period,
    *,
    height: int = 196,
    goal: float | None = None,
) -> dict[str, Any]:
    """The figure day by day beside the days before and its target, and what the lines mean."""
    drawn = [charts.Series(_("This period"), _heights(kpi, days), area=True, texts=_texts(kpi, days))]
    if before:
        old = list(before[: len(days)]) + [(day, None) for day, _none in days[len(before) :]]
        name = period.before[:1].upper() + period.before[1:]
        drawn.append(charts.Series(name, _heights(kpi, old), "c6", dash=True, texts=_texts(kpi, old)))
    if goal is not None:
        aim: Series = [(day, goal) for day, _value in days]
        drawn.append(
            charts.Series(_("Target"), _heights(kpi, aim), "goal", dash=True, texts=_texts(kpi, aim))
        )
    title = _("%(figure)s per day") % {"figure": kpi.title}
    return {
        "title": title,
        "picture": charts.lines(
            [words.day_label(day) for day, _value in days], drawn, title=title, height=height
        ),
        "legend": charts.legend(drawn),
    }


def _heights(kpi: Kpi, days: Series) -> list[float | None]:
    """Values as the axis has them: shares in per cent, and nothing below its foot."""
    scale = 100 if kpi.unit == Unit.FRACTION else 1
    return [None if value is None else max(round(value * scale, 2), 0) for _day, value in days]


def _texts(kpi: Kpi, days: Series) -> list[str]:
    return [whole(kpi, value) for _day, value in days]


# rows


@dataclass(frozen=True, slots=True)
class Row:
    """A row behind a figure, ready to be shown; `url` is empty where the reader may not go."""

    fact: FactRow
    url: str
    value: str
    money: Money | None


def row(kpi: Kpi, fact: FactRow) -> Row:
    """A row with its address, what it adds to the figure, and its money."""
    money = Money(fact.value_minor, fact.currency) if fact.value_minor is not None and fact.currency else None
    return Row(fact, row_url(fact), added(kpi, fact), money)


def row_url(fact: FactRow) -> str:
    """Where a row leads: an order's timeline, a case, a run."""
    if fact.kind in ("order", "line"):
        return order_address(fact.id)
    return run_address(fact.id) if fact.kind == "run" else address("inbox:case", fact.id)


def has_value(kpi: Kpi) -> bool:
    """Whether a row has a worth of its own: hours of a lag, of lateness, of age."""
    return kpi.grain in ("order", "line") and kpi.code not in ("orders_placed", "orders_by_status")


def added(kpi: Kpi, fact: FactRow) -> str:
    """What a row adds: hours as a span of time."""
    if not has_value(kpi) or fact.value is None:
        return ""
    return words.duration(fact.value * 3600)


def value_words(kpi: Kpi) -> str:
    """The head of the column of what rows add."""
    if kpi.unit == Unit.FRACTION:
        return _("Late by")
    return _("Took") if kpi.unit == Unit.HOURS else _("Age")


def titled(parts: Sequence[Part], code: str) -> str:
    """The name of a part by its code."""
    return next((part_label(part) for part in parts if part.code == code), code)
