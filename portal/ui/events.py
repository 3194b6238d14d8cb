"""The events explorer: everything that came in or happened, by type, source, order and time; and one event."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.events import actions, queries
from automations.events.models import Event
from automations.events.queries import EventFilter, EventView
from automations.insights.queries import effects
from kernel.errors import Invalid, NotFound
from kernel.ids import public_id
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui.kit import charts
from portal.ui.kit.acts import ACTS
from portal.ui.kit.masked import covers, masked
from portal.ui.kit.pages import key_of, page
from portal.ui.kit.query import instant, moved, typed
from portal.ui.links import address, order_address, run_address
from portal.ui.search import Hit, finds
from tenants.tenancy import context

PAGE: Final = 50
_HOURS: Final = 24

ACTS.update(
    {
        "events.create_endpoint": gettext_lazy("Made a webhook endpoint"),
        "events.rotate_endpoint_secret": gettext_lazy("Gave an endpoint another secret"),
        "events.set_endpoint_active": gettext_lazy("Switched an endpoint on or off"),
        "events.accept_rejection": gettext_lazy("Took a quarantined event after all"),
        "events.reveal": gettext_lazy("Looked at all of an event"),
        "events.discard_rejection": gettext_lazy("Discarded a quarantined event"),
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """An event of the list, with where it and its order lead."""

    event: EventView
    url: str
    order_url: str


def _asked(request: TenantRequest) -> EventFilter:
    """What the parameters say; an id that is none leads nowhere."""
    given = request.GET
    by = given.get("by", "")
    return EventFilter(
        type=typed(given, "type", most=120),
        source=typed(given, "source"),
        subject=typed(given, "subject"),
        text=typed(given, "q"),
        since=instant(typed(given, "since")),
        until=instant(typed(given, "until"), end=True),
        endpoint=key_of("ep", given["endpoint"]) if given.get("endpoint") else None,
        internal={"portal": True, "outside": False}.get(by),
    )


@door("events.read")
def explorer(request: TenantRequest) -> HttpResponse:
    """The list, the newest first, with how many came in hour by hour; its rows alone where htmx asks for them."""
    asked, given = _asked(request), request.GET
    try:
        found = queries.events(asked, after=given.get("after", ""), limit=PAGE)
    except Invalid:
        found = queries.events(asked, limit=PAGE)
    may_open = request.actor.may("insights.read")
    shown = {
        "rows": [_row(one, may_open) for one in found.items],
        "after": found.after,
        "filters": {
            name: given.get(name, "")
            for name in ("q", "type", "source", "subject", "since", "until", "endpoint", "by")
        },
        "filtered": asked != EventFilter(),
        "types": queries.types_seen(),
        "chips": _chips(request),
        "hours": _hours(asked),
        "waiting": queries.open_rejections(),
        "crumbs": [(request.tenant.name, "/"), (_("Events"), "")],
    }
    return page(request, "events/explorer.html", shown, part="rows")


def _row(one: EventView, may_open: bool) -> Row:
    order = order_address(one.subject) if may_open and one.type.startswith("order.") else ""
    return Row(one, reverse("events:event", args=[one.public_id]), order)


def _chips(request: TenantRequest) -> list[tuple[str, str, None, bool]]:
    here, by = reverse("events:explorer"), request.GET.get("by", "")
    names = {"": _("All"), "outside": _("From outside"), "portal": _("By the portal")}
    kept = {name: value for name, value in request.GET.items() if name not in ("by", "after")}
    return [(moved(here, kept, by=code), word, None, code == by) for code, word in names.items()]


def _hours(asked: EventFilter) -> SafeString:
    """How many came in in each of the last hours of what is looked at."""
    end = asked.until or context.now() + timedelta(hours=1)
    end = min(end, context.now() + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    counted = queries.counts_by_hour(asked, since=end - timedelta(hours=_HOURS), until=end)
    if not any(number for _hour, number in counted):
        return SafeString("")
    labels = [timezone.localtime(hour).strftime("%H:00") for hour, _number in counted]
    values = [number for _hour, number in counted]
    return charts.histogram(labels, values, title=_("Events by hour"), name=_("Events"), height=72)


@door("events.read")
def event(request: TenantRequest, event: str) -> HttpResponse:
    """One event: where it came from, whether it was signed, its body, and what it started. Raises NotFound."""
    return _event_page(request, queries.event(event), whole=False)


@door(post="engine.operate")
def reveal(request: TenantRequest, event: str) -> HttpResponse:
    """One event with nothing covered; that somebody looked stands in the audit log. Raises NotFound."""
    found = queries.event(event)
    actions.reveal_event(event=found, actor=request.actor, now=context.now())
    return _event_page(request, found, whole=True)


def _event_page(request: TenantRequest, found: EventView, *, whole: bool) -> HttpResponse:
    came = effects(found)
    runs = [
        (run, run_address(run.public_id) if request.actor.may("engine.read") else "") for run in came.runs
    ]
    shown = {
        "event": found,
        "envelope": found.envelope if whole else masked(found.envelope),
        "covered": not whole and covers(found.envelope),
        "may_reveal": request.actor.may("engine.operate"),
        "order_url": _row(found, request.actor.may("insights.read")).order_url,
        "endpoint": _endpoint(request, found),
        "runs": runs,
        "rejection_url": address("events:rejection", came.rejection) if came.rejection else "",
        "same_url": moved(reverse("events:explorer"), {"subject": found.subject}) if found.subject else "",
        "crumbs": [
            (request.tenant.name, "/"),
            (_("Events"), reverse("events:explorer")),
            (found.title, ""),
        ],
    }
    return page(request, "events/event.html", shown)


def _endpoint(request: TenantRequest, found: EventView) -> tuple[str, str] | None:
    """(name, address) of the endpoint that an event came in by; None where it came another way."""
    if found.endpoint_id is None:
        return None
    name = queries.endpoint_name(found.endpoint_id)
    key = public_id("ep", found.endpoint_id)
    may = bool(name) and request.actor.may("events.endpoints")
    return name or _("an endpoint that is gone"), address("events:endpoint", key) if may else ""


@finds
def found(request: SignedIn, text: str) -> Iterable[Hit]:
    """An event by its pasted id, and what a carrier said by its tracking number."""
    if request.portal.tenant is None or not request.actor.may("events.read"):
        return
    for sent in queries.by_tracking(text):
        here = reverse("events:event", args=[sent.public_id])
        yield Hit(gettext_lazy("Shipments"), sent.title, here, "truck", sent.subject)
    if not text.startswith(f"{Event.prefix}_"):
        return
    try:
        one = queries.event(text)
    except NotFound:
        return
    yield Hit(
        gettext_lazy("Events"), one.title, reverse("events:event", args=[text]), "activity", one.subject
    )
