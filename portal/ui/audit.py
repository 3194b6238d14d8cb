"""The audit log: who did what, when, from where, with before and after; of a partner's console or of a tenant."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from kernel.errors import NotFound
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.kit.pages import key_of, page, slice_by
from portal.ui.kit.query import moved
from tenants.audit import queries
from tenants.audit.models import AuditEvent


def scope(request: SignedIn) -> UUID | None:
    """In a tenant the schema says whose events these are; in a console the partner does."""
    assert request.portal.partner is not None
    return None if request.portal.tenant else request.portal.partner.id


def _day(text: str, *, end: bool = False) -> datetime | None:
    """The beginning of a day in the reader's time (of the next one, with `end`); None for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware right here
    except ValueError:
        return None


def filters_of(request: SignedIn) -> dict[str, str]:
    """What the URL asks for, as it stands there."""
    names = ("q", "action", "actor", "object", "overrides", "since", "until")
    return {name: request.GET.get(name, "").strip() for name in names}


def asked(filters: dict[str, str]) -> dict[str, Any]:
    """The same as the room's queries take it."""
    return {
        "text": filters["q"],
        "action": filters["action"],
        "actor": filters["actor"],
        "object_id": filters["object"],
        "overrides": bool(filters["overrides"]),
        "since": _day(filters["since"]),
        "until": _day(filters["until"], end=True),
    }


@door("audit.read")
def trail(request: SignedIn) -> HttpResponse:
    """A page of events, filtered by the URL; `?event=` opens one beside the table."""
    given, filters = request.GET, filters_of(request)
    rows = queries.trail(**asked(filters), partner_id=scope(request))
    place = request.portal.tenant or request.portal.partner
    assert place is not None
    event = event_of(request, given.get("event", ""))
    context = {
        "slice": slice_by(rows, given.get("after", "")),
        "actions": queries.actions_seen(scope(request)),
        "filters": filters,
        "filtered": any(filters.values()),
        "chips": _chips(request, filters),
        "event": event,
        "changes": changes(event) if event else [],
        "leaf": queries.place_of(event.pk) if event else None,
        "may_stream": request.actor.may("audit.stream"),
        "may_erase": request.actor.may("audit.erase"),
        "asked": urlencode({name: value for name, value in filters.items() if value}),
        "crumbs": [(place.name, "/"), (_("Audit log"), "")],
    }
    return page(request, "audit/trail.html", context, part=_part(request))


def _chips(request: SignedIn, filters: dict[str, str]) -> list[tuple[str, str, int | None, bool]]:
    """Everything, or what was done against the course of a run, which there is in a client alone."""
    if request.portal.tenant is None:
        return []
    chosen = bool(filters["overrides"])
    every = moved("?", request.GET, overrides="", after="", event="")
    return [
        (every, _("All"), None, not chosen),
        (moved("", request.GET, overrides="1", after="", event=""), _("Overrides"), None, chosen),
    ]


def _part(request: SignedIn) -> str:
    return "panel" if request.headers.get("HX-Target", "").endswith("#panel") else "rows"


def event_of(request: SignedIn, public_id: str) -> AuditEvent | None:
    if not public_id:
        return None
    found: AuditEvent | None = (
        queries.trail(partner_id=scope(request)).filter(pk=key_of("aud", public_id)).first()
    )
    if found is None:
        raise NotFound
    return found


def changes(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """(field, before, after) for each field that an event speaks of; None where there was nothing."""
    before, after = event.before or {}, event.after or {}
    return [(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]
