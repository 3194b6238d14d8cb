"""The overview of a client: its key figures, their days, what needs attention, its workflows and its exceptions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from automations.engine import queries as engine
from automations.engine.queries import WorkflowFigures
from automations.inbox import queries as inbox
from automations.insights.catalog import Board, board, kpi
from automations.insights.catalog.board import CHART, Tile
from automations.insights.queries.attention import Attention
from kernel import clock
from kernel.money import Money
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import kpi_shown as shown
from portal.ui.first_steps import first_steps
from portal.ui.kit import charts, words
from portal.ui.kit.pages import page, wants_part
from portal.ui.links import address
from portal.ui.periods import CHOICES, Period, period_of
from tenants.tenancy import context

_MOST_KINDS: Final = 5
_MOST_BARS: Final = 92
_MOST_WORKFLOWS: Final = 8
_TALL: Final = 264
_PLACES: Final = {
    "case": ("inbox:case", pgettext_lazy("verb", "Review"), "triangle-alert"),
    "connection": ("connections:one", gettext_lazy("Check"), "unplug"),
    "workflow": ("workflows:detail", gettext_lazy("View"), "workflow"),
}


@dataclass(frozen=True, slots=True)
class Needed:
    """Something that needs attention: its words, where it is dealt with, and by what."""

    title: str
    text: str
    url: str
    verb: str | Promise
    icon: str
    tone: str
    money: Money | None


@door("insights.read")
def overview(request: TenantRequest) -> HttpResponse:
    """The board of a period. Asked by htmx, its moving part alone, and nothing where nothing has changed."""
    period = period_of(request.GET)
    found = board(period.scope)
    flows = engine.workflow_figures(period.scope.since or found.scope.at.replace(year=2000))
    stamp = _stamp(found, flows)
    if wants_part(request) and request.GET.get("seen") == stamp:
        return HttpResponse(status=204)
    given = {
        **_shown(request, found, period),
        "flows": [
            (one, address("workflows:detail", one.workflow.public_id)) for one in flows[:_MOST_WORKFLOWS]
        ],
        "more_flows": len(flows) > _MOST_WORKFLOWS,
        "state": _state(flows, found),
        "stamp": stamp,
        "hello": _hello(request),
        "first_steps": None if wants_part(request) else first_steps(request),
        "crumbs": [(request.tenant.name, "/"), (_("Overview"), "")],
    }
    return page(request, "insights/overview.html", given, part="board")


def _stamp(found: Board, flows: Sequence[WorkflowFigures]) -> str:
    """A text that differs where what is shown does; what passes by itself, such as an age, is not in it."""
    parts = [
        (one.kpi.code, one.figure.value, one.figure.n, one.target)
        for one in (*found.tiles, *found.breakdowns)
    ]
    needed = [(one.kind, one.id, one.tone, str(one.detail)) for one in found.attention]
    rows = [(one.workflow.name, one.total, one.health) for one in flows]
    told = repr((found.as_of, parts, needed, rows, len(found.chart)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _shown(request: TenantRequest, found: Board, period: Period) -> dict[str, Any]:
    placed = kpi(CHART)
    return {
        "board": found,
        "period": period,
        "periods": CHOICES,
        "cards": [shown.card(tile, period) for tile in found.tiles],
        "chart": shown.chart(
            placed, found.chart, found.chart_before, period, height=_TALL, goal=found.chart_target
        )
        if found.chart
        else None,
        "chart_url": shown.figure_url(CHART, period),
        "needed": [_needed(one, request) for one in found.attention],
        "parts": [_part(tile, period) for tile in found.breakdowns],
        "kinds": _kinds(found, period) if period.scope.since else None,
        "now": period.scope.at,
    }


def _part(tile: Tile, period: Period) -> dict[str, Any]:
    """A figure made of parts, for its card."""
    value, unit = shown.text(tile.kpi, tile.figure.value)
    return {
        "kpi": tile.kpi,
        "value": value,
        "unit": unit,
        "bars": shown.bars(tile.kpi, tile.figure, period),
        "url": shown.figure_url(tile.kpi.code, period),
    }


def _kinds(found: Board, period: Period) -> dict[str, Any] | None:
    """Exceptions that opened day by day, stacked by kind, the rarest kinds in one part; None without any."""
    scope = period.scope
    assert scope.since is not None
    counted: dict[str, dict[Any, int]] = {}
    end = scope.until or scope.at
    for day, kind, number in inbox.by_day(since=scope.since, until=end, zone=scope.zone):
        counted.setdefault(kind, {})[day] = number
    days = scope.days()
    if not counted or len(days) > _MOST_BARS:
        return None
    by_size = sorted(counted, key=lambda kind: -sum(counted[kind].values()))
    drawn = [
        charts.Series(_kind_name(found, kind), [counted[kind].get(day, 0) for day in days], f"c{number}")
        for number, kind in enumerate(by_size[:_MOST_KINDS], 1)
    ]
    if rest := by_size[_MOST_KINDS:]:
        left = [sum(counted[kind].get(day, 0) for kind in rest) for day in days]
        drawn.append(charts.Series(_("Others"), left, "c6"))
    title = _("Exceptions by kind")
    return {
        "title": title,
        "picture": charts.stacked([words.day_label(day) for day in days], drawn, title=title),
        "legend": charts.legend(drawn, bars=True),
    }


def _kind_name(found: Board, kind: str) -> str:
    """What cases of a kind are called; failures of runs go together here, whatever their cause."""
    parts = next((tile.figure.parts for tile in found.breakdowns if tile.kpi.code == "cases_by_kind"), ())
    return next((str(one.label) for one in parts if one.code == kind), _("Failed runs"))


def _needed(one: Attention, request: TenantRequest) -> Needed:
    place, verb, symbol = _PLACES[one.kind]
    text = str(one.detail)
    if one.kind == "case" and one.due_at:
        due = _("due %(when)s") % {"when": words.ago(one.due_at, context.now())}
        text = f"{text}, {due}"
    if one.kind == "workflow":
        number = int(text)
        text = ngettext("%(n)d run needs a look", "%(n)d runs need a look", number) % {"n": number}
    money = Money(one.value_minor, one.currency) if one.value_minor and one.currency else None
    return Needed(one.title, text, address(place, one.id), verb, symbol, one.tone, money)


def _hello(request: TenantRequest) -> str:
    """A greeting by the reader's own clock."""
    hour, name = timezone.localtime(clock.now()).hour, (request.user.name or "").split(" ")[0]
    if not name:
        return _("Overview")
    if 5 <= hour < 12:
        return _("Good morning, %(name)s") % {"name": name}
    if 12 <= hour < 18:
        return _("Good afternoon, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}


def _state(flows: Sequence[WorkflowFigures], found: Board) -> str:
    """How it stands, in a sentence or two."""
    health = [one.health for one in flows]
    well, ill, off = (health.count(state) for state in ("healthy", "degraded", "paused"))
    said = [
        ngettext("%(n)d workflow is healthy", "%(n)d workflows are healthy", well) % {"n": well}
        if well
        else "",
        ngettext("%(n)d workflow is degraded", "%(n)d workflows are degraded", ill) % {"n": ill}
        if ill
        else "",
        ngettext("%(n)d workflow is paused", "%(n)d workflows are paused", off) % {"n": off} if off else "",
    ]
    first = ", ".join(filter(None, said)) + "." if flows else _("No workflow is installed yet.")
    late = inbox.counts(now=found.scope.at).past_due
    if late:
        second = ngettext(
            "%(n)d exception is past its due time.", "%(n)d exceptions are past their due time.", late
        ) % {"n": late}
        return f"{first} {second}"
    return first
