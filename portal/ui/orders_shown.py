"""An order as its page shows it: facts, the stops on its way, swim lanes by system, and what happened in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from automations.insights.enums import EntryKind
from automations.insights.queries import Entry, LineView, OrderView, Timeline
from kernel.actor import Actor
from kernel.money import Money
from portal.ui.kit import words
from portal.ui.kit.timeline import Lane, Mark
from portal.ui.kit.timeline import lanes as drawn
from portal.ui.links import address

_ICONS: Final = {
    EntryKind.EVENT: "activity",
    EntryKind.RUN: "workflow",
    EntryKind.STEP: "circle-dot",
    EntryKind.CASE: "triangle-alert",
    EntryKind.DECISION: "user-check",
    EntryKind.AUDIT: "scroll-text",
}
_NEEDS: Final = {"event": "events.read", "run": "engine.read", "case": "inbox.read", "audit": "audit.read"}
_PAGES: Final = {"event": "events:event", "run": "runs:run", "case": "inbox:case"}
_MOST_LANES: Final = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of the line of time; `url` is empty where the reader may not go."""

    entry: Entry
    icon: str
    url: str

    @property
    def took(self) -> timedelta | None:
        """How long it took, where it took any time."""
        return self.entry.at - self.entry.began if self.entry.began else None


def entry(one: Entry, actor: Actor) -> Shown:
    """An entry with its icon and where it leads."""
    kind, key = one.link
    url = entry_url(kind, key) if kind and actor.may(_NEEDS[kind]) else ""
    return Shown(one, _ICONS[one.kind], url)


def entry_url(kind: str, key: str) -> str:
    """The page that an entry leads to; a run's key may go on to one of its steps."""
    if kind == "audit":
        trail = address("audit:trail")
        return f"{trail}?event={key}" if trail else ""
    page, _mark, rest = key.partition("?")
    found = address(_PAGES[kind], page)
    return f"{found}?{rest}" if found and rest else found


def money(minor: int | None, currency: str) -> Money | None:
    """An amount, if there is one."""
    return Money(minor, currency) if minor is not None and currency else None


def late(order: OrderView, now: datetime) -> bool:
    """Whether it was delivered after its promise, or is past it and on its way still."""
    if order.estimated_delivery_at is None or (order.ended_at and order.ended_at <= now):
        return False
    return order.estimated_delivery_at < (order.delivered_at or now)


def facts(order: OrderView, now: datetime) -> list[tuple[str, Any, str]]:
    """The strip under the title."""
    place = ", ".join(filter(None, (order.region, order.country)))
    promised = words.moment(order.estimated_delivery_at) if order.estimated_delivery_at else words.NONE
    return [
        (_("Total"), words.amount(money(order.total_minor, order.currency)), ""),
        (_("Channel"), order.channel or words.NONE, ""),
        (_("Goes to"), place or words.NONE, ""),
        (_("Promised for"), promised, "bad" if late(order, now) else ""),
    ]


def stops(order: OrderView, now: datetime) -> list[dict[str, Any]]:
    """The way of an order: what is behind it, what is still to come, or that it was called off."""
    way = [
        (_("Placed"), order.placed_at, "shopping-cart"),
        (_("Approved"), order.approved_at, "badge-check"),
        (_("Handed over"), order.handed_over_at, "truck"),
        (_("Delivered"), order.delivered_at, "house"),
    ]
    before: datetime | None = None
    found = []
    for title, at, symbol in way:
        note = words.moment(at) if at else _("not yet")
        if at and before and at >= before:
            note = f"{note} (+{words.duration(at - before)})"
        found.append({"title": title, "note": note, "icon": symbol, "tone": "ok" if at else "wait"})
        before = at or before
    if order.ended_at:
        called_off = {
            "title": _("Called off"),
            "note": words.moment(order.ended_at),
            "icon": "ban",
            "tone": "bad",
        }
        found = [one for one in found if one["tone"] == "ok"] + [called_off]
    return found


def lanes(found: Timeline) -> list[tuple[Lane, SafeString]]:
    """What happened by the system that says so, on one axis; nothing where it all happened at once."""
    if len(found.entries) < 2:  # one mark needs no axis
        return []
    start, end = found.entries[0].at, max(one.at for one in found.entries)
    total = (end - start).total_seconds()
    if total <= 0:
        return []
    return drawn([_lane(source, found.entries, start) for source in found.sources[:_MOST_LANES]], total)


def _lane(source: str, entries: Sequence[Entry], start: datetime) -> Lane:
    marks = [
        Mark((one.at - start).total_seconds(), str(one.title), one.tone)
        for one in entries
        if one.source == source
    ]
    return Lane(source.rsplit("://", maxsplit=1)[-1], marks)


def lines(order: OrderView) -> list[tuple[LineView, Money | None, Money | None]]:
    """(line, price of one, price of all) for each line."""
    return [
        (
            line,
            money(line.price_minor, order.currency),
            money(
                None if line.price_minor is None else int(line.price_minor * line.quantity), order.currency
            ),
        )
        for line in order.lines
    ]
