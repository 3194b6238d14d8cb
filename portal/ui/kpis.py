"""A key figure on a page of its own: what it is, its value and days, its parts, and every row behind it."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.events.queries import Page
from automations.insights import actions, queries
from automations.insights.catalog import KPIS, Kpi, Tile, kpi, tile
from automations.insights.enums import Better, Unit
from automations.insights.queries import FactRow, Figure
from kernel.errors import Invalid, PortalError
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import kpi_shown as shown
from portal.ui.kit import csv
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.kit.query import moved, typed
from portal.ui.periods import CHOICES, Period, period_of
from portal.ui.search import Hit, finds
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef

ACTS.update({"insights.set_target": gettext_lazy("Set the target of a key figure")})
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
    """One figure: its definition, value, days, parts, target and rows. Raises UnknownKpi."""
    return _show(request, kpi(code))


class TargetForm(forms.Form):
    """What a figure should be, in the unit in which it is read."""

    target = forms.FloatField(required=False)

    def __init__(self, data: Any = None, *, one: Kpi, value: float | None = None) -> None:
        """A share is said in per cent."""
        self.scale = 100 if one.unit == Unit.FRACTION else 1
        shown_as = None if value is None else round(value * self.scale, 6)
        super().__init__(data, initial={"target": shown_as})
        field = self.fields["target"]
        unit = _("%(unit)s a day") % {"unit": shown.UNITS[one.unit]} if one.by_day else shown.UNITS[one.unit]
        words = _("At most (%(unit)s)") if one.better == Better.LOWER else _("At least (%(unit)s)")
        field.label = words % {"unit": unit}
        field.help_text = _(
            "Stands beside the figure and in its lines, for everybody here. Empty: no target."
        )
        field.widget.attrs.update(step="any", min="0", inputmode="decimal")

    @property
    def value(self) -> float | None:
        """The target in the figure's own unit."""
        said: float | None = self.cleaned_data["target"]
        return None if said is None else said / self.scale


@door(post="insights.targets")
def set_target(request: TenantRequest, code: str) -> HttpResponse:
    """Say what a figure should be. Raises UnknownKpi."""
    one = kpi(code)
    form = TargetForm(request.POST, one=one)
    if form.is_valid():
        try:
            actions.set_target(code=code, value=form.value, actor=request.actor, now=context.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The target is saved."))
            return go(request, reverse("insights:figure", args=[code]))
    return _show(request, one, form)


def _show(request: TenantRequest, one: Kpi, form: TargetForm | None = None) -> HttpResponse:
    period, aims = period_of(request.GET), queries.targets()
    found = tile(one, period.scope, aims)
    counted = found.figure
    if form is None and one.aimed and request.actor.may("insights.targets"):
        form = TargetForm(one=one, value=aims.get(one.code))
    given = {
        "kpi": one,
        "card": shown.card(found, period),
        "target_form": form,
        "target_url": reverse("insights:target", args=[one.code]),
        "unit": shown.UNITS[one.unit],
        "better": shown.BETTER[one.better],
        "grain": shown.GRAINS[one.grain],
        "example": _example(one),
        "chart": _chart(found, period),
        "period": period,
        "periods": CHOICES,
        "own": {name: request.GET.get(name, "") for name in ("since", "until")},
        "crumbs": _crumbs(request, one),
        **_rows(request, one, counted, period),
    }
    status = 422 if form is not None and form.errors else 200
    return page(request, "insights/figure.html", given, part="rows", status=status)


def _crumbs(request: TenantRequest, one: Kpi) -> list[tuple[str, str]]:
    return [
        (request.tenant.name, "/"),
        (_("Key figures"), reverse("insights:catalogue")),
        (str(one.title), ""),
    ]


def _example(one: Kpi) -> str:
    """What comes out of the worked example."""
    return shown.whole(one, one.example.value)


def _chart(found: Tile, period: Period) -> dict[str, Any] | None:
    one, before = found.kpi, period.scope.before()
    if len(found.days) < 2 or one.daily is None or before is None:  # a day alone is no line
        return None
    return shown.chart(one, found.days, one.daily(before), period, goal=found.target)


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
