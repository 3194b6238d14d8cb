"""Charts as SVG from the server: places in percent, so text never scales; colours by class; each with its table.

They print, work without JavaScript, and need no library; `<ui-chart>` adds reading by pointer and arrow keys.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kernel import jsonx
from portal.ui.kit import words

_HEIGHT: Final = 196
_BELOW: Final = 26  # room for the labels under the plot
_GAP: Final = 1.5  # between the parts of a stacked bar


@dataclass(frozen=True, slots=True)
class Series:
    """One row of figures: its name, a value (or None) for each label, and how it is drawn.

    `css` is c0 (the partner's colour) to c6; `texts` are the values in words, where a number alone says too little.
    """

    name: str
    values: Sequence[float | None]
    css: str = "c0"
    area: bool = False
    dash: bool = False
    texts: Sequence[str] | None = None


def lines(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    title: str,
    height: int = _HEIGHT,
    goal: float | None = None,
    band: tuple[float, float] | None = None,
) -> SafeString:
    """Lines over `labels`, with an area, a dashed previous period, a goal line or a band where asked for."""
    top, ticks = _scale([value for one in series for value in one.values] + [goal], height)
    parts = [_backdrop(top, height, goal, band)]
    inner = "".join(_line(one, len(labels), top, height) for one in series)
    parts.append(
        f'<svg viewBox="0 0 1000 {height}" preserveAspectRatio="none" width="100%" height="{height}"'
        f' overflow="visible">{inner}</svg>'
    )
    return _frame("".join(parts), labels, series, ticks, title, height)


def stacked(
    labels: Sequence[str], series: Sequence[Series], *, title: str, height: int = _HEIGHT
) -> SafeString:
    """A bar for each label, made of one part a series."""
    totals = [sum(one.values[at] or 0 for one in series) for at in range(len(labels))]
    top, ticks = _scale(totals, height)
    width = 100 / max(len(labels), 1)
    parts = []
    for at in range(len(labels)):
        floor = float(height)
        for one in series:
            tall = height * (one.values[at] or 0) / top
            if tall <= 0:
                continue
            floor -= tall
            parts.append(
                f'<rect class="b {one.css}" x="{at * width + width * 0.2:.2f}%" width="{width * 0.6:.2f}%"'
                f' y="{floor:.1f}" height="{max(tall - _GAP, 1.5):.1f}" rx="2"/>'
            )
    return _frame("".join(parts), labels, series, ticks, title, height)


def histogram(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    title: str,
    name: str = "",
    css: str = "c1",
    height: int = 120,
) -> SafeString:
    """How many fall into each of `labels`: bars without gaps between them."""
    top, ticks = _scale(list(values), height)
    width = 100 / max(len(labels), 1)
    parts = [
        f'<rect class="b {css}" x="{at * width + width * 0.04:.2f}%" width="{width * 0.92:.2f}%"'
        f' y="{height - height * value / top:.1f}" height="{max(height * value / top, 0.8):.1f}" rx="1.5"/>'
        for at, value in enumerate(values)
        if value
    ]
    return _frame("".join(parts), labels, [Series(name or _("Number"), values, css)], ticks, title, height)


def spark(values: Sequence[float], css: str = "c0", goal: float | None = None) -> SafeString:
    """A line without axes, with a goal's where there is one, for the eye alone; the figure beside it says the value."""
    if len(values) < 2:
        return SafeString("")
    marks = values if goal is None else [*values, goal]
    low, high = min(marks), max(marks)
    spread = (high - low) or 1
    width, height = 96, 28

    def place(value: float) -> float:
        return height - 3 - (height - 6) * (value - low) / spread

    points = [(at / (len(values) - 1) * width, place(value)) for at, value in enumerate(values)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    line = "" if goal is None else format_html('<path class="goal" d="M0 {0}H96"/>', f"{place(goal):.1f}")
    return format_html(
        '<svg class="spark {}" viewBox="0 0 96 28" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="area" d="{}L96 28L0 28Z"/>{}<path class="line" d="{}"/></svg>',
        css,
        path,
        line,
        path,
    )


def legend(series: Sequence[Series], *, bars: bool = False) -> SafeString:
    """What each colour means, for the head of the card around a chart."""
    return format_html(
        '<div class="legend">{}</div>',
        format_html_join(
            "",
            '<span class="{}"><i class="{}"></i>{}</span>',
            ((one.css, "" if bars else "ln dash" if one.dash else "ln", one.name) for one in series),
        ),
    )


def _nice(most: float, steps: int = 4) -> float:
    """The round number at or above `most / steps`: 1, 2, 2.5 or 5 times a power of ten."""
    rough = most / steps
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if rough <= factor * power * 1.000001)


def _scale(values: Sequence[float | None], height: int) -> tuple[float, list[tuple[float, float]]]:
    """The value at the top, and (value, place) of each line of the grid."""
    most = max((value for value in values if value is not None), default=0) * 1.02
    step = _nice(most) if most > 0 else 1
    top = step * math.ceil(max(most, step) / step)
    return top, [(step * at, height - height * step * at / top + 0.5) for at in range(round(top / step) + 1)]


def _backdrop(top: float, height: int, goal: float | None, band: tuple[float, float] | None) -> str:
    drawn = ""
    if band:
        low, high = band
        y, tall = height - height * high / top, height * (high - low) / top
        drawn += f'<rect class="band" x="0" width="100%" y="{y:.1f}" height="{tall:.1f}"/>'
    if goal is not None:
        place = height - height * goal / top
        drawn += f'<line class="goal" x1="0" x2="100%" y1="{place:.1f}" y2="{place:.1f}"/>'
    return drawn


def _line(one: Series, count: int, top: float, height: int) -> str:
    """The path of one series; a None breaks it."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(one.values):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(((at + 0.5) / count * 1000, height - height * value / top))
    drawn = ""
    for points in (stretch for stretch in stretches if stretch):
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        if len(points) == 1:
            path += "h0.1"
        if one.area:
            closed = f"{path}L{points[-1][0]:.1f} {height}L{points[0][0]:.1f} {height}Z"
            drawn += f'<path class="area {one.css}" d="{closed}"/>'
        drawn += f'<path class="line {one.css}{" dash" if one.dash else ""}" d="{path}"/>'
    return drawn


def _frame(
    plot: str,
    labels: Sequence[str],
    series: Sequence[Series],
    ticks: Sequence[tuple[float, float]],
    title: str,
    height: int,
) -> SafeString:
    """Axes, labels and grid around `plot` (our own markup), then the table of the same figures."""
    every = max(1, math.ceil(len(labels) / 8))
    count = max(len(labels), 1)
    below = "".join(
        f'<text x="{(at + 0.5) / count * 100:.2f}%" y="{height + 18}" text-anchor="middle"'
        f' class="{"odd" if (at // every) % 2 else "even"}">{conditional_escape(label)}</text>'
        for at, label in enumerate(labels)
        if at % every == 0
    )
    grid = "".join(
        f'<line class="{"gl" if value else "axis"}" x1="0" x2="100%" y1="{place:.1f}" y2="{place:.1f}"/>'
        for value, place in ticks
    )
    beside = "".join(
        f'<text x="100%" y="{place + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        for value, place in ticks
    )
    data = {
        "x": list(labels),
        "s": [{"name": one.name, "values": list(one.values), "texts": one.texts} for one in series],
    }
    return format_html(
        '<ui-chart class="chart" data-height="{height}" data-hint="{hint}" data-series="{data}">'
        '<svg class="yax" height="{tall}" aria-hidden="true">{beside}</svg>'
        '<svg class="plot" height="{tall}" role="img" aria-label="{title}">{grid}{plot}{below}</svg></ui-chart>{table}',
        height=height,
        tall=height + _BELOW,
        hint=_("%(title)s. Left and right arrow keys read the values.") % {"title": title},
        data=jsonx.text(data),
        title=title,
        beside=mark_safe(beside),  # noqa: S308 - numbers that we wrote
        grid=mark_safe(grid),  # noqa: S308 - numbers that we wrote
        plot=mark_safe(plot),  # noqa: S308 - numbers and class names that we wrote
        below=mark_safe(below),  # noqa: S308 - labels escaped above
        table=_table(labels, series, title),
    )


def _short(value: float) -> str:
    """A number for an axis: 1.5k, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _table(labels: Sequence[str], series: Sequence[Series], title: str) -> SafeString:
    """The same figures to read: every chart has this."""
    head = format_html_join("", '<th scope="col" class="num">{}</th>', ((one.name,) for one in series))
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (
                label,
                format_html_join("", "<td>{}</td>", ((_cell(one, at),) for one in series)),
            )
            for at, label in enumerate(labels)
        ),
    )
    return format_html(
        '<details class="astable"><summary>{}</summary>'
        '<div class="tablewrap" tabindex="0" role="group" aria-label="{}">'
        '<table class="tbl dense"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table></div></details>',
        _("View as table"),
        _("%(title)s, as a table") % {"title": title},
        head,
        rows,
    )


def _cell(one: Series, at: int) -> str:
    return one.texts[at] if one.texts else words.number(one.values[at])
