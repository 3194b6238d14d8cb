"""Orders: the list, and one order on one line of time with its events, runs, exceptions and decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.insights import queries
from automations.insights.enums import EntryKind, OrderStatus
from automations.insights.queries import OrderFilter, OrderView, Timeline
from kernel.errors import Invalid, NotFound
from kernel.money import Money
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import orders_shown as shown
from portal.ui.kit.pages import go, page
from portal.ui.kit.query import instant, moved, typed
from portal.ui.links import order_address
from portal.ui.search import Hit, finds
from tenants.tenancy import context

PAGE: Final = 50
_SHOWS: Final = (
    ("", gettext_lazy("Everything"), ()),
    ("events", gettext_lazy("Events"), (EntryKind.EVENT,)),
    ("runs", gettext_lazy("Runs"), (EntryKind.RUN, EntryKind.STEP)),
    ("cases", gettext_lazy("Exceptions"), (EntryKind.CASE, EntryKind.DECISION, EntryKind.AUDIT)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An order of the list, ready to be shown."""

    order: OrderView
    url: str
    money: Money | None
    late: bool


def _asked(request: TenantRequest) -> OrderFilter:
    """What the parameters say; a word that is none says nothing."""
    given = request.GET
    return OrderFilter(
        text=typed(given, "q", most=120),
        status=typed(given, "status", most=40),
        since=instant(typed(given, "since")),
        until=instant(typed(given, "until"), end=True),
        late=bool(given.get("late")),
        partial=bool(given.get("partial")),
    )


@door("insights.read")
def orders(request: TenantRequest) -> HttpResponse:
    """The list, the last placed first; its rows alone where htmx asks for them."""
    asked, now = _asked(request), context.now()
    try:
        found = queries.order_list(asked, at=now, after=request.GET.get("after", ""), limit=PAGE)
    except Invalid:
        found = queries.order_list(asked, at=now, limit=PAGE)
    given = {
        "rows": [_row(one, now) for one in found.items],
        "after": found.after,
        "filters": {name: request.GET.get(name, "") for name in ("q", "status", "since", "until")},
        "asked": asked,
        "filtered": asked != OrderFilter(),
        "statuses": OrderStatus.choices,
        "chips": _chips(request, asked),
        "crumbs": [(request.tenant.name, "/"), (_("Orders"), "")],
    }
    return page(request, "orders/list.html", given, part="rows")


def _row(one: OrderView, now: Any) -> Row:
    return Row(
        one, order_address(one.order_id), shown.money(one.total_minor, one.currency), shown.late(one, now)
    )


def _chips(request: TenantRequest, asked: OrderFilter) -> list[tuple[str, str, None, bool]]:
    here, kept = reverse("orders:list"), {"q": asked.text}
    return [
        (moved(here, kept), _("All"), None, not (asked.late or asked.partial)),
        (moved(here, kept, late="1"), _("Past their promise"), None, asked.late),
        (moved(here, kept, partial="1"), _("Known in part"), None, asked.partial),
    ]


@door("insights.read")
def timeline(request: TenantRequest, order: str) -> HttpResponse:
    """One order on one line of time; by its number one gets to it as well. Raises UnknownOrder."""
    if "\x00" in order:
        raise NotFound
    found = queries.timeline(order, now=context.now())
    if found.order is not None and found.order.order_id != order:
        return go(request, reverse("orders:timeline", args=[found.order.order_id]))
    show = request.GET.get("show", "")
    kinds = next((kinds for code, _words, kinds in _SHOWS if code == show), ())
    entries = [entry for entry in found.entries if not kinds or entry.kind in kinds]
    given = {
        "timeline": found,
        "order": found.order,
        "title": _title(found),
        "entries": [shown.entry(one, request.actor) for one in entries],
        "chips": _show_chips(request, found, show),
        "facts": shown.facts(found.order, context.now()) if found.order else [],
        "stops": shown.stops(found.order, context.now()) if found.order else [],
        "lanes": shown.lanes(found),
        "lines": shown.lines(found.order) if found.order else [],
        "crumbs": [(request.tenant.name, "/"), (_("Orders"), reverse("orders:list")), (_title(found), "")],
    }
    return page(request, "orders/timeline.html", given, part="entries")


def _title(found: Timeline) -> str:
    return (found.order.number if found.order else "") or found.key


def _show_chips(request: TenantRequest, found: Timeline, show: str) -> list[tuple[str, str, int, bool]]:
    here = reverse("orders:timeline", args=[found.key])
    return [
        (
            moved(here, {"show": code}),
            str(words),
            sum(not kinds or entry.kind in kinds for entry in found.entries),
            code == show,
        )
        for code, words, kinds in _SHOWS
    ]


@finds
def found(request: SignedIn, text: str) -> Iterable[Hit]:
    """Orders by how their number or id begins, or by a SKU that is in them."""
    if not text or request.portal.tenant is None or not request.actor.may("insights.read"):
        return
    clean = text.replace("\x00", "")
    for one in queries.orders_like(clean, at=context.now(), limit=6):
        status = dict(OrderStatus.choices).get(one.status, one.status)
        yield _hit(one, str(status))
    for one in queries.orders_with(clean, at=context.now()):
        yield _hit(one, _("with %(sku)s") % {"sku": clean})


def _hit(one: OrderView, note: str) -> Hit:
    address = order_address(one.order_id)
    return Hit(gettext_lazy("Orders"), one.number or one.order_id, address, icon="shopping-bag", note=note)
