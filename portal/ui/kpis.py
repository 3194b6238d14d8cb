"""A key figure on a page of its own: what it is, its value and days, its parts, and every row behind it."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any, Final

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.events.queries import Page
from automations.insights.catalog import KPIS, Kpi, kpi
from automations.insights.catalog.board import Tile
from automations.insights.queries import FactRow, Figure
from kernel.errors import Invalid
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import kpi_shown as shown
from portal.ui.kit import csv
from portal.ui.kit.pages import page
from portal.ui.kit.query import moved, typed
from portal.ui.periods import CHOICES, Period, period_of
from portal.ui.search import Hit, finds
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef

PAGE: Final = 50
_CHUNK: Final = 1_000
SORTS: Final = {"newest": gettext_lazy("Newest first"), "value": gettext_lazy("Largest first")}


@door("insights.read")
def catalogue(request: TenantRequest) -> HttpResponse:
    """Every key figure with its value over a period."""
    period = period_of(request.GET)
    found = []
    for one in KPIS.values():
        figure = one.figure(period.scope)
        value, unit = shown.text(one, figure.value)
        found.append({"kpi": one, "value": value, "unit": unit, "url": shown.figure_url(one.code, period)})
    given = {
        "found": found,
        "period": period,
        "periods": CHOICES,
        "crumbs": [(request.tenant.name, "/"), (_("Key figures"), "")],
    }
    return page(request, "insights/catalogue.html", given)


@door("insights.read")
def figure(request: TenantRequest, code: str) -> HttpResponse:
    """One figure: its definition, value, days, parts and rows. Raises UnknownKpi."""
    one, period = kpi(code), period_of(request.GET)
    counted = one.figure(period.scope)
    before = period.scope.before()
    days = one.daily(period.scope) if one.daily and period.scope.since else []
    tile = Tile(one, counted, one.figure(before) if before else None, days)
    given = {
        "kpi": one,
        "card": shown.card(tile, period),
        "unit": shown.UNITS[one.unit],
        "better": shown.BETTER[one.better],
        "grain": shown.GRAINS[one.grain],
        "example": _example(one),
        "chart": _chart(one, days, period),
        "period": period,
        "periods": CHOICES,
        "own": {name: request.GET.get(name, "") for name in ("since", "until")},
        "crumbs": _crumbs(request, one),
        **_rows(request, one, counted, period),
    }
    return page(request, "insights/figure.html", given, part="rows")


def _crumbs(request: TenantRequest, one: Kpi) -> list[tuple[str, str]]:
    return [
        (request.tenant.name, "/"),
        (_("Key figures"), reverse("insights:catalogue")),
        (str(one.title), ""),
    ]


def _example(one: Kpi) -> str:
    """What comes out of the worked example."""
    return shown.whole(one, one.example.value)


def _chart(one: Kpi, days: Any, period: Period) -> dict[str, Any] | None:
    before = period.scope.before()
    if len(days) < 2 or one.daily is None or before is None:  # a day alone is no line
        return None
    return shown.chart(one, days, one.daily(before), period)


def _rows(request: TenantRequest, one: Kpi, counted: Figure, period: Period) -> dict[str, Any]:
    """The rows of the chosen part, in the chosen order; a part or a place that is none shows all from the start."""
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "newest"
    part, after = typed(request.GET, "part"), request.GET.get("after", "")
    try:
        found = one.rows(period.scope, part=part, sort=sort, after=after, limit=PAGE)
    except Invalid:
        part = part if any(each.code == part for each in counted.parts) else ""
        found = one.rows(period.scope, part=part, sort=sort, limit=PAGE)
    here = reverse("insights:figure", args=[one.code])
    chosen = {**period.query, "part": part, "sort": sort}
    return {
        "rows": [shown.row(one, each) for each in found.items],
        "after": found.after,
        "count": shown.row_count(counted, part),
        "bars": shown.bars(one, counted, period, chosen=part),
        "parts": [(each.code, shown.part_label(each)) for each in counted.parts],
        "part": part,
        "part_title": shown.titled(counted.parts, part) if part else "",
        "without_part": moved(here, chosen, part=""),
        "sort": sort,
        "sorts": list(SORTS.items()),
        "valued": shown.has_value(one),
        "value_words": shown.value_words(one),
        "csv_url": moved(reverse("insights:csv", args=[one.code]), chosen),
        "empty_url": moved(here, {"period": "all"}),
    }


@door("insights.read")
def rows_csv(request: TenantRequest, code: str) -> StreamingHttpResponse:
    """Every row behind a figure or one of its parts, as a file. Raises UnknownKpi and Invalid (no such part)."""
    one, period = kpi(code), period_of(request.GET)
    part, zone = typed(request.GET, "part"), period.scope.zone
    first = one.rows(period.scope, part=part, limit=_CHUNK)  # refused before the first byte is sent
    head = ("kind", "id", "title", "state", "at", "value", "amount", "currency", "place")
    lines = (_line(each, zone) for each in _all(request.tenant, one, period, part, first))
    return csv.stream(f"{code}.csv", head, lines)


def _all(tenant: TenantRef, one: Kpi, period: Period, part: str, first: Page[FactRow]) -> Iterator[FactRow]:
    """Every row, a page after the other; they are asked for when the request has left the tenant already."""
    found = first
    yield from found.items
    while found.after:
        with context.enter(tenant):
            found = one.rows(period.scope, part=part, after=found.after, limit=_CHUNK)
        yield from found.items


def _line(fact: FactRow, zone: tzinfo) -> tuple[Any, ...]:
    at = fact.at.astimezone(zone).isoformat() if fact.at else ""
    money = csv.amount(fact.value_minor, fact.currency)
    return fact.kind, fact.id, fact.title, fact.state, at, fact.value, money, fact.currency, fact.place


@finds
def found(request: SignedIn, text: str) -> Iterable[Hit]:
    """Key figures by their names."""
    if not text or request.portal.tenant is None or not request.actor.may("insights.read"):
        return
    for one in KPIS.values():
        if text.lower() in str(one.title).lower():
            here = reverse("insights:figure", args=[one.code])
            yield Hit(gettext_lazy("Key figures"), one.title, here, icon="activity")
