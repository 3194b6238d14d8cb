"""Folding what happened to orders into facts, a batch at a time; and what key figures should be."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from automations.events.models import Event
from automations.insights import store
from automations.insights.catalog import kpi
from automations.insights.enums import Unit, UnitKind
from automations.insights.models import BusinessUnit, KpiTarget, OrderFact, OrderLineFact
from kernel import clock
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record
from tenants.privacy.enums import Keeps
from tenants.privacy.registry import Purged, purger

Json = Any
Row = dict[str, Any]
_INSTANTS: Final[Mapping[str, str]] = {
    "order.placed": "placed_at",
    "order.approved": "approved_at",
    "order.handed_over": "handed_over_at",
    "order.delivered": "delivered_at",
}
_ENDS: Final[Mapping[str, str]] = {"order.canceled": "canceled", "order.unavailable": "unavailable"}
_WHOLE: Final = {"order.placed": 0, "order.updated": 1}
"""Events that may describe a whole order; of two at one instant the update is the later."""
_HAPPENED: Final = (*_INSTANTS.values(), "ended_at", "stated_at")
_NEVER: Final = Value(datetime(1, 1, 1, tzinfo=UTC))
_EMPTY: Final[Mapping[str, Any]] = {
    **dict.fromkeys(store.COLUMNS),
    **dict.fromkeys(
        (
            "ended_as",
            "number",
            "channel",
            "country",
            "region",
            "currency",
            "described",
            "stated",
            "stated_by",
        ),
        "",
    ),
}


def fold_orders(events: Sequence[Event]) -> None:
    """Fold order events into facts, in the caller's transaction; their order does not matter.

    Of each instant the first counts, of the description and of the stated status the newest. An event that names no
    order is left alone. Raises ValueError for an instant that is none.
    """
    found: dict[str, Row] = {}
    lines: dict[str, list[Row]] = {}
    for event in events:
        data: Mapping[str, Json] = event.data if isinstance(event.data, dict) else {}
        order_id = str(data.get("order_id") or event.subject or "")
        if not order_id or len(order_id) > 120:
            continue
        told = _told(event, data)
        if not told:
            continue
        row = found.setdefault(order_id, {**_EMPTY, "order_id": order_id})
        if told.get("described", "") > row["described"]:
            lines[order_id] = _lines(order_id, data)
        _merge(row, told)
    store.fold(list(found.values()), lines)


def _told(event: Event, data: Mapping[str, Json]) -> Row:
    """What one event tells of its order; nothing if it tells nothing that is kept."""
    told: Row = {}
    if event.type in _INSTANTS:
        told[_INSTANTS[event.type]] = event.time
    if event.type in _ENDS:
        told["ended_at"], told["ended_as"] = event.time, _ENDS[event.type]
    if event.type in _WHOLE and isinstance(data.get("lines"), list):
        told.update(_description(event, data))
    if isinstance(data.get("status"), str) and data["status"]:
        told.update(stated=data["status"][:40], stated_at=event.time, stated_by=_place(event, 0))
    return told


def _description(event: Event, data: Mapping[str, Json]) -> Row:
    address = data.get("shipping_address")
    address = address if isinstance(address, Mapping) else {}
    estimated, placed = data.get("estimated_delivery_at"), data.get("placed_at")
    return {
        "number": str(data.get("number") or "")[:120],
        "channel": str(data.get("channel") or "")[:120],
        "country": str(address.get("country") or "")[:2],
        "region": str(address.get("region") or "")[:120],
        "currency": str(data.get("currency") or "")[:3],
        "total_minor": data.get("total_minor"),
        "lines": len(data["lines"]),
        "estimated_delivery_at": clock.parse_rfc3339(estimated) if estimated else None,
        "placed_at": clock.parse_rfc3339(placed) if placed else event.time,
        "described": _place(event, _WHOLE[event.type]),
    }


def _place(event: Event, rank: int) -> str:
    """A text that sorts as events happened; of one instant by rank and id, so that no two are alike."""
    return f"{event.time.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')} {rank} {event.source} {event.event_id}"


def _lines(order_id: str, data: Mapping[str, Json]) -> list[Row]:
    return [
        {
            "order_id": order_id,
            "line_no": number,
            "sku": str(line.get("sku") or "")[:120],
            "quantity": line.get("quantity") or 0,
            "price_minor": line.get("price_minor"),
            "shipping_limit_at": line.get("shipping_limit_at"),
        }
        for number, line in enumerate(data["lines"], 1)
        if isinstance(line, Mapping)
    ]


def _merge(row: Row, told: Row) -> None:
    """Fold what one event tells into what the batch has of its order, as the statement does with what is stored."""
    for name in _INSTANTS.values():
        if name in told and (row[name] is None or told[name] < row[name]):
            row[name] = told[name]
    if "ended_at" in told:
        before: tuple[datetime, str] | None = (row["ended_at"], row["ended_as"]) if row["ended_at"] else None
        row["ended_at"], row["ended_as"] = min(filter(None, [before, (told["ended_at"], told["ended_as"])]))
    for mark, names in _TOGETHER.items():
        if told.get(mark, "") > row[mark]:
            row.update({name: told[name] for name in names})


_TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "described": (
        "number",
        "channel",
        "country",
        "region",
        "currency",
        "total_minor",
        "lines",
        "estimated_delivery_at",
        "described",
    ),
    "stated_by": ("stated", "stated_at", "stated_by"),
}


def unit(kind: UnitKind, code: str) -> BusinessUnit:
    """The part of the business of that kind and code, made where it was not asked for before."""
    return BusinessUnit.objects.get_or_create(kind=kind, code=code)[0]


_MOST: Final = 1e12


def set_target(*, code: str, value: float | None, actor: Actor, now: datetime) -> None:
    """Say what a key figure should be, in its own unit (a share as a fraction); None: it has no target.

    Of what is counted by the day it is a number a day. Raises UnknownKpi, and Invalid for what no value can be.
    """
    actor.require("insights.targets")
    one = kpi(code)
    if value is not None:
        _look_at_target(value, aimed=one.aimed, most=1 if one.unit == Unit.FRACTION else _MOST)
    with transaction.atomic():
        row = KpiTarget.objects.select_for_update().filter(code=code).first()
        before = row.value if row else None
        if before == value:
            return
        if value is None:
            KpiTarget.objects.filter(code=code).delete()
        else:
            KpiTarget.objects.update_or_create(code=code, defaults={"value": value, "set_at": now})
        record(
            actor=actor,
            action="insights.set_target",
            obj=("kpi", code, code),
            now=now,
            before={"target": before},
            after={"target": value},
        )


def _look_at_target(value: float, *, aimed: bool, most: float) -> None:
    """Raises Invalid, naming the field."""
    if not aimed:
        raise Invalid(fields={"target": [_("No way is better for this figure, so it has no target.")]})
    if not math.isfinite(value) or not 0 <= value <= most:
        raise Invalid(fields={"target": [_("This figure can never have that value.")]})


def purge_orders(before: datetime, held: Sequence[str], most: int) -> Purged:
    """Delete up to `most` orders to which nothing has happened since then, with their lines; figures lose them."""
    newest = Greatest(*(Coalesce(name, _NEVER) for name in _HAPPENED))
    due = OrderFact.objects.filter(placed_at__lt=before).annotate(newest=newest).filter(newest__lt=before)
    # a hold names an order as people do, or as its events do
    under = Q(order_id__in=held) | Q(number__in=held)
    kept = due.filter(under).count() if held else 0
    rows = due.exclude(under).order_by("placed_at", "order_id")
    keys = list(rows.values_list("order_id", flat=True)[:most])
    OrderLineFact.objects.filter(order_id__in=keys).delete()
    OrderFact.objects.filter(pk__in=keys).delete()
    return Purged(keys=keys, held=kept, more=len(keys) == most)


purger(Keeps.ORDERS, purge_orders)
