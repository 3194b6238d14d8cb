"""Reads of events, endpoints and what was set aside, as frozen values for doors; lists come without payloads."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncHour

from automations.connectors import registry as connectors
from automations.events import registry, store
from automations.events.enums import CLOUDEVENTS, RejectionCode, RejectionState
from automations.events.models import CARRIED, Endpoint, Event, Rejection
from kernel import clock, ids
from kernel.errors import Invalid, NotFound
from kernel.jsonx import Json
from tenants.tenancy import context

PAGE: Final = 50
_DAY: Final = timedelta(days=1)
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Page(Generic[_Item]):
    """Some of a list, newest first; `after` gives the next page, and is empty on the last."""

    items: tuple[_Item, ...]
    after: str = ""


@dataclass(frozen=True)
class EventFilter:
    """What an event must be; `type` is exact or a beginning with `*`, `text` stands in subject, id, type or source."""

    type: str = ""
    source: str = ""
    subject: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    endpoint: UUID | None = None
    internal: bool | None = None


@dataclass(frozen=True)
class EventView:
    """An event as pages show it; `envelope` is filled for a single one. `known`: its type has a contract."""

    id: UUID
    public_id: str
    type: str
    title: str
    source: str
    event_id: str
    subject: str
    time: datetime
    received_at: datetime
    internal: bool
    known: bool
    contract: int | None
    endpoint_id: UUID | None
    envelope: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class EndpointView:
    """An endpoint with what came in lately; `path` is where its sender delivers to."""

    id: UUID
    public_id: str
    name: str
    kind: str
    title: str
    path: str
    source: str
    active: bool
    secret_version: int
    previous_until: datetime | None
    created_at: datetime
    last_at: datetime | None
    today: int
    open_rejections: int


@dataclass(frozen=True)
class RejectionView:
    """An event that was set aside; `body` is filled for a single one."""

    id: UUID
    public_id: str
    state: RejectionState
    code: RejectionCode
    reason: str
    findings: tuple[dict[str, str], ...]
    source: str
    event_id: str
    type: str
    subject: str
    endpoint: str
    received_at: datetime
    decided_at: datetime | None
    body: Json = None


def event_rows(wanted: EventFilter) -> "QuerySet[Event]":
    """The rows that match every given filter, newest first."""
    found = Event.objects.order_by("-received_at", "-id")
    if wanted.type.endswith("*"):
        found = found.filter(type__startswith=wanted.type[:-1])
    elif wanted.type:
        found = found.filter(type=wanted.type)
    if wanted.text:
        found = found.filter(
            Q(subject__icontains=wanted.text)
            | Q(event_id__icontains=wanted.text)
            | Q(type__icontains=wanted.text)
            | Q(source__icontains=wanted.text)
        )
    exact: dict[str, Any] = {
        "source": wanted.source or None,
        "subject": wanted.subject or None,
        "received_at__gte": wanted.since,
        "received_at__lt": wanted.until,
        "endpoint_id": wanted.endpoint,
        "internal": wanted.internal,
    }
    return found.filter(**{name: value for name, value in exact.items() if value is not None})


def events(wanted: EventFilter, *, after: str = "", limit: int = PAGE) -> Page[EventView]:
    """A page of events without their data. Raises Invalid for an `after` that is none."""
    rows = _behind(event_rows(wanted), after).defer("data", "extensions")[: limit + 1]
    return _page(list(rows), limit, _event_view)


def event(public_id: str) -> EventView:
    """One event with its envelope. Raises NotFound."""
    row = _by_public_id(Event, public_id)
    return _event_view(row, row.envelope())


def of_subject(*subjects: str, limit: int = 500) -> list[EventView]:
    """What happened to one order, return, parcel or article by its names, in the order in which it happened."""
    names = [one for one in subjects if one]
    if not names:
        return []
    rows = Event.objects.filter(subject__in=names).order_by("time", "id")[:limit]
    return [_event_view(row, row.envelope()) for row in rows]


_SHORTEST: Final = 6


def by_tracking(number: str, *, limit: int = 5) -> list[EventView]:
    """What carriers said last of the parcel with this tracking number; nothing for a text that cannot be one."""
    if len(number) < _SHORTEST or " " in number or not any(letter.isdigit() for letter in number):
        return []
    wanted = number.replace("\x00", "")
    rows = Event.objects.filter(type__in=CARRIED, data__tracking_number=wanted).order_by("-received_at")
    return [_event_view(row) for row in rows[:limit]]


def counts_by_hour(wanted: EventFilter, *, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """How many events came in in each hour from `since` to `until` (UTC), hours without any included."""
    rows = (
        event_rows(wanted)
        .filter(received_at__gte=since, received_at__lt=until)
        .order_by()
        .annotate(hour=TruncHour("received_at"))
        .values_list("hour")
        .annotate(n=Count("id"))
    )
    counted = dict(rows)
    hour = since.replace(minute=0, second=0, microsecond=0)
    found = []
    while hour < until:
        found.append((hour, counted.get(hour, 0)))
        hour += timedelta(hours=1)
    return found


def types_seen() -> list[str]:
    """Every type of which there is an event, for a menu; costs one index probe a type."""
    return store.types_seen(context.current().schema_name)


def endpoints(*, now: datetime) -> list[EndpointView]:
    """The tenant's endpoints by name; `now` is its present."""
    here = Event.objects.filter(endpoint_id=OuterRef("id"))
    latest = here.order_by("-received_at").values("received_at")[:1]  # one index probe an endpoint
    rows = list(Endpoint.objects.annotate(last_at=Subquery(latest)).order_by("name"))
    keys = [row.id for row in rows]
    lately = Event.objects.filter(endpoint_id__in=keys, received_at__gte=now - _DAY)
    aside = Rejection.objects.filter(endpoint__in=keys, state=RejectionState.OPEN)
    today, waiting = _counted(lately), _counted(aside)
    return [_endpoint_view(row, row.last_at, today.get(row.id, 0), waiting.get(row.id, 0)) for row in rows]


def _counted(rows: Any) -> dict[UUID, int]:
    """How many rows there are of each endpoint."""
    return dict(rows.order_by().values_list("endpoint_id").annotate(n=Count("id")))


def endpoint_name(key: UUID) -> str:
    """What an endpoint is called; empty where it is gone."""
    return Endpoint.objects.filter(pk=key).values_list("name", flat=True).first() or ""


def endpoint(public_id: str, *, now: datetime) -> EndpointView:
    """One endpoint with what came in lately. Raises NotFound."""
    key = _by_public_id(Endpoint, public_id).id
    return next(one for one in endpoints(now=now) if one.id == key)


def endpoint_kinds() -> list[tuple[str, str]]:
    """(kind, title) of every kind of endpoint, for a form."""
    senders = [one for one in connectors.connectors() if one.inbound is not None]
    return [(CLOUDEVENTS, "CloudEvents"), *((one.name, one.title) for one in senders)]


def endpoint_row(public_id: str) -> Endpoint:
    """The row behind a public id, for an action. Raises NotFound."""
    return _by_public_id(Endpoint, public_id)


def rejection_rows(
    *, state: str = "", code: str = "", endpoint: UUID | None = None, text: str = ""
) -> "QuerySet[Rejection]":
    """The rows that match every given filter, newest first."""
    found = Rejection.objects.select_related("endpoint").order_by("-received_at", "-id")
    if text:
        found = found.filter(
            Q(subject__icontains=text) | Q(event_id__icontains=text) | Q(reason__icontains=text)
        )
    exact = {"state": state or None, "code": code or None, "endpoint_id": endpoint}
    return found.filter(**{name: value for name, value in exact.items() if value is not None})


def rejections(
    *,
    state: str = RejectionState.OPEN,
    code: str = "",
    endpoint: UUID | None = None,
    text: str = "",
    after: str = "",
    limit: int = PAGE,
) -> Page[RejectionView]:
    """A page of what was set aside, without bodies. Raises Invalid for an `after` that is none."""
    rows = _behind(rejection_rows(state=state, code=code, endpoint=endpoint, text=text), after)
    return _page(list(rows.defer("body")[: limit + 1]), limit, _rejection_view)


def rejection(public_id: str) -> RejectionView:
    """One event that was set aside, with its body. Raises NotFound."""
    row = rejection_row(public_id)
    return _rejection_view(row, row.body)


def rejection_row(public_id: str) -> Rejection:
    """The row behind a public id, for an action. Raises NotFound."""
    return _by_public_id(Rejection, public_id)


def open_rejections() -> int:
    """How many events wait for a person."""
    return Rejection.objects.filter(state=RejectionState.OPEN).count()


_Row = TypeVar("_Row", Event, Endpoint, Rejection)


def _by_public_id(model: type[_Row], public_id: str) -> _Row:
    try:
        return model.objects.get(pk=ids.parse_public_id(model.prefix, public_id))
    except (ValueError, model.DoesNotExist) as error:
        raise NotFound from error


def _behind(rows: Any, after: str) -> Any:
    """Those of `rows` that come behind the row that `after` names."""
    if not after:
        return rows
    try:
        at, _, key = base64.urlsafe_b64decode(f"{after}==").decode().partition(" ")
        seen, last = clock.parse_rfc3339(at), UUID(key)
    except (ValueError, binascii.Error):
        raise Invalid(fields={"after": ["This is no place in the list."]}) from None
    return rows.filter(received_at__lte=seen).exclude(received_at=seen, id__gte=last)


def _page(rows: Sequence[Any], limit: int, view: Any) -> Page[Any]:
    after = ""
    if len(rows) > limit:
        last = rows[limit - 1]
        place = f"{clock.rfc3339(last.received_at)} {last.id}".encode()
        after = base64.urlsafe_b64encode(place).decode().rstrip("=")
    return Page(tuple(view(row) for row in rows[:limit]), after)


def _event_view(row: Event, envelope: dict[str, Json] | None = None) -> EventView:
    agreed = registry.contract(row.type)
    return EventView(
        id=row.id,
        public_id=row.public_id,
        type=row.type,
        title=agreed.title if agreed else row.type,
        source=row.source,
        event_id=row.event_id,
        subject=row.subject,
        time=row.time,
        received_at=row.received_at,
        internal=row.internal,
        known=agreed is not None or row.internal,
        contract=row.contract,
        endpoint_id=row.endpoint_id,
        envelope=envelope or {},
    )


def _endpoint_view(row: Endpoint, last: datetime | None, today: int, aside: int) -> EndpointView:
    return EndpointView(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        kind=row.kind,
        title=dict(endpoint_kinds()).get(row.kind, row.kind),
        path=f"/hooks/{row.token}",
        source=row.source,
        active=row.active,
        secret_version=row.secret_version,
        previous_until=row.previous_until,
        created_at=row.created_at,
        last_at=last,
        today=today,
        open_rejections=aside,
    )


def _rejection_view(row: Rejection, body: Json = None) -> RejectionView:
    return RejectionView(
        id=row.id,
        public_id=row.public_id,
        state=RejectionState(row.state),
        code=RejectionCode(row.code),
        reason=row.reason,
        findings=tuple(row.findings),
        source=row.source,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        endpoint=row.endpoint.name if row.endpoint else "",
        received_at=row.received_at,
        decided_at=row.decided_at,
        body=body,
    )
