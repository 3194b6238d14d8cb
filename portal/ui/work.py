"""Long work of a place in one list, and each piece with how far it is; both look again by themselves while it moves."""

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock, work
from kernel.errors import NotFound, PortalError
from kernel.ids import parse_public_id, public_id
from kernel.work import Place, Source, Steer, Work
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.kit.pages import go, page
from portal.ui.kit.query import moved

PAGE: Final = 50
_BUTTONS: Final[dict[Steer, tuple[str | Promise, str, str]]] = {
    "continue": (gettext_lazy("Continue"), "play", "pri"),
    "pause": (gettext_lazy("Pause"), "circle-pause", ""),
    "cancel": (gettext_lazy("Call off"), "ban", "danger"),
}
_SAID: Final[dict[Steer, str | Promise]] = {
    "continue": gettext_lazy("It goes on."),
    "pause": gettext_lazy("It stands still. What was begun is finished."),
    "cancel": gettext_lazy("It was called off. What is done stays done."),
}
_OWN_PAGES: Final = {"blk": "runs:bulk"}
"""Kinds of work that have a fuller page of their own, by prefix."""
_QUICK, _SLOW = "2s", "10s"


def place_of(request: SignedIn) -> tuple[Place, Any]:
    """Whose long work it is, and the key of that place."""
    if request.portal.tenant is not None:
        return "tenant", request.portal.tenant.id
    assert request.portal.partner is not None
    return "partner", request.portal.partner.id


@door("work.read")
def works(request: SignedIn) -> HttpResponse:
    """All long work of the place, the last begun first."""
    place, where = place_of(request)
    found, more = work.newest(
        place, where, actor=request.actor, before=_before(request.GET.get("before", "")), limit=PAGE
    )
    show = request.GET.get("show", "")
    shown = [one for one in found if _fits(one, show)]
    chips = (("", _("All")), ("moving", _("Under way")), ("trouble", _("Problems")))
    context_ = {
        "rows": [_row(one) for one in shown],
        "chips": [(moved("?", request.GET, show=code), word, None, code == show) for code, word in chips],
        "older": moved("?", request.GET, before=found[-1].began_at.isoformat()) if more else "",
        "every": every(found),
        "crumbs": [(_place_name(request), "/"), (_("Long work"), "")],
    }
    return page(request, "work/list.html", context_, part="whole")


def every(found: list[Work]) -> str:
    """How soon the page looks again; empty where nothing moves any more, and that ends the polling."""
    moving = [one for one in found if one.moving]
    if not moving:
        return ""
    fresh = any((clock.now() - one.began_at).total_seconds() < 60 for one in moving)
    return _QUICK if fresh else _SLOW


def _fits(one: Work, show: str) -> bool:
    if show == "moving":
        return one.moving or one.state == work.PAUSED
    return show != "trouble" or one.trouble > 0 or one.state == work.FAILED


def _before(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _place_name(request: SignedIn) -> str:
    """How the first crumb calls the place."""
    here = request.portal.tenant or request.portal.partner
    return here.name if here else ""


def _row(one: Work) -> dict[str, Any]:
    return {"work": one, "url": reverse("work:one", args=[one.id]), "width": f"{one.share * 100:.1f}"}


def _found(request: SignedIn, text: str) -> tuple[Source, Any, Any, Work]:
    """(source, place's key, own key, the work) of an id in the address. Raises NotFound."""
    place, where = place_of(request)
    source = work.source_of(text, place)
    try:
        key = parse_public_id(source.prefix, text)
    except ValueError as error:
        raise NotFound from error
    found = source.one(where, key) if request.actor.may(source.reads) else None
    if found is None:
        raise NotFound
    return source, where, key, found


@door("work.read")
def one(request: SignedIn, work_id: str) -> HttpResponse:
    """A piece of long work: how far it is, and what became of each part."""
    source, where, key, found = _found(request, work_id)
    text = request.GET.get("after", "")
    after = int(text) if text.isdigit() and len(text) < 9 else 0
    items = list(source.items(where, key, after=after, limit=PAGE + 1))
    own = _OWN_PAGES.get(found.kind)
    context_ = {
        **_row(found),
        "items": items[:PAGE],
        "more": moved("?", request.GET, after=items[PAGE - 1].place) if len(items) > PAGE else "",
        "buttons": [(how, *_BUTTONS[how]) for how in found.takes] if _may(request, source) else [],
        "own_page": reverse(own, args=[found.id]) if own else "",
        "every": every([found]),
        "crumbs": [
            (_place_name(request), "/"),
            (_("Long work"), reverse("work:list")),
            (found.title, ""),
        ],
    }
    return page(request, "work/one.html", context_, part="whole")


def _may(request: SignedIn, source: Source) -> bool:
    return request.actor.may("work.steer") and request.actor.may(source.steers)


@door(post="work.steer")
def steer(request: SignedIn, work_id: str, how: str) -> HttpResponse:
    """Pause it, let it go on, or call it off."""
    source, where, key, found = _found(request, work_id)
    if how not in _BUTTONS:
        raise NotFound
    try:
        source.steer(
            where,
            key,
            how=how,
            reason=request.POST.get("reason", "").strip()[:500],
            actor=request.actor,
            now=clock.now(),
        )
    except PortalError as error:
        if not error.benign:
            raise
        messages.error(request, _(error.message))
    else:
        messages.success(request, str(_SAID[how]))
    return go(request, reverse("work:one", args=[public_id(found.kind, key)]))
