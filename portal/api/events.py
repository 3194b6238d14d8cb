"""Events: what came in, what is published by call, where webhooks come in, and what was set aside."""

from datetime import timedelta
from typing import Any

from automations.connectors.errors import UnknownConnector
from automations.events import actions, queries
from automations.events.errors import (
    AlreadyDecided,
    ContractBroken,
    EndpointNameTaken,
    IdReused,
    IntakeFull,
    NotAcceptable,
    NotAnEvent,
    Reserved,
    SecretTooWeak,
)
from automations.events.models import Endpoint
from automations.events.queries import EndpointView, EventFilter, EventView, RejectionView
from kernel import clock
from portal.api.desk import ACCEPTED, CREATED, Call, Desk, operation, rule
from portal.api.events_shapes import (
    EndpointMade,
    EndpointShape,
    EndpointSwitch,
    EventDetail,
    EventQuery,
    EventShape,
    NewEndpoint,
    NewEndpointSecret,
    NewEvents,
    Published,
    RejectionDetail,
    RejectionQuery,
    RejectionShape,
    Verdict,
)
from portal.api.pages import Listing
from tenants.tenancy import context

_ORDER = {
    "events": [
        {
            "id": "10045-canceled",
            "source": "/shops/harbour",
            "type": "order.canceled",
            "subject": "10045",
            "time": "2026-03-02T09:30:00Z",
            "data": {"order_id": "10045", "reason": "customer"},
        }
    ]
}


class Events(Desk):
    """Everything that happened."""

    rule = rule(get="events.read", post="events.publish")

    @operation("list_events", query=EventQuery, returns=EventShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Events without their data, newest first."""
        wanted = EventFilter(**call.query)
        return call.paging.behind(lambda **page: queries.events(wanted, **page))

    @operation(
        "publish_events",
        takes=NewEvents,
        returns=Published,
        many=True,
        status=ACCEPTED,
        once=True,
        example=_ORDER,
        raises=(NotAnEvent, Reserved, ContractBroken, IdReused, IntakeFull),
    )
    def post(self, call: Call) -> Listing:
        """Publish events: stored when this answers, worked on right after. One that is known already is no second."""
        now = context.now()
        drafts = [_draft(one, now) for one in call.body["events"]]
        stored = actions.publish_batch(drafts=drafts, actor=call.actor, now=now)
        return Listing(stored)


def _draft(given: dict[str, Any], now: Any) -> actions.Draft:
    return actions.Draft(
        type=given["type"],
        subject=given["subject"],
        data=given["data"],
        source=given["source"],
        time=given.get("time", now),
        event_id=given.get("id"),
        extensions=given["extensions"],
    )


class OneEvent(Desk):
    """One event."""

    rule = rule(get="events.read")

    @operation("get_event", returns=EventDetail)
    def get(self, call: Call, event: str) -> EventView:
        """One event with its data."""
        return queries.event(event)


def _endpoint(row: Endpoint) -> EndpointView:
    return next(one for one in queries.endpoints(now=context.now()) if one.id == row.id)


def _made(row: Endpoint, secret: str) -> dict[str, Any]:
    view = _endpoint(row)
    return {name: getattr(view, name) for name in view.__dataclass_fields__} | {"secret": secret}


class Endpoints(Desk):
    """Where webhooks come in."""

    rule = rule(get="events.endpoints", post="events.endpoints")

    @operation("list_endpoints", returns=EndpointShape, many=True)
    def get(self, call: Call) -> list[EndpointView]:
        """Endpoints by name; all of them."""
        return queries.endpoints(now=context.now())

    @operation(
        "create_endpoint",
        takes=NewEndpoint,
        returns=EndpointMade,
        status=CREATED,
        once=True,
        example={"name": "Harbour shop", "kind": "shopify"},
        raises=(EndpointNameTaken, SecretTooWeak, UnknownConnector),
    )
    def post(self, call: Call) -> dict[str, Any]:
        """Make an endpoint; its secret is in this answer alone."""
        return _made(*actions.create_endpoint(actor=call.actor, now=clock.now(), **call.body))


class OneEndpoint(Desk):
    """One endpoint."""

    rule = rule(get="events.endpoints", patch="events.endpoints")

    @operation("get_endpoint", returns=EndpointShape)
    def get(self, call: Call, endpoint: str) -> EndpointView:
        """One endpoint."""
        return _endpoint(queries.endpoint_row(endpoint))

    @operation("switch_endpoint", takes=EndpointSwitch, returns=EndpointShape)
    def patch(self, call: Call, endpoint: str) -> EndpointView:
        """Switch an endpoint off (what comes is answered as if it did not exist) or on again."""
        row = queries.endpoint_row(endpoint)
        actions.set_endpoint_active(
            endpoint=row, active=call.body["active"], actor=call.actor, now=clock.now()
        )
        return _endpoint(row)


class EndpointSecret(Desk):
    """The secret of one endpoint."""

    rule = rule(post="events.endpoints")

    @operation(
        "rotate_endpoint_secret",
        takes=NewEndpointSecret,
        returns=EndpointMade,
        once=True,
        raises=(SecretTooWeak,),
    )
    def post(self, call: Call, endpoint: str) -> dict[str, Any]:
        """Give an endpoint another secret, which is in this answer alone; the old one counts on for a while."""
        return _made(
            *actions.rotate_endpoint_secret(
                endpoint=queries.endpoint_row(endpoint),
                secret=call.body["secret"],
                overlap=timedelta(hours=call.body["overlap_hours"]),
                actor=call.actor,
                now=clock.now(),
            )
        )


class Rejections(Desk):
    """What was set aside."""

    rule = rule(get="events.quarantine")

    @operation("list_rejections", query=RejectionQuery, returns=RejectionShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Events that were set aside, newest first."""
        return call.paging.behind(lambda **page: queries.rejections(**call.query, **page))


class OneRejection(Desk):
    """One of them."""

    rule = rule(get="events.quarantine")

    @operation("get_rejection", returns=RejectionDetail)
    def get(self, call: Call, rejection: str) -> RejectionView:
        """One event that was set aside, as it was delivered."""
        return queries.rejection(rejection)


class Accept(Desk):
    """Taking one after all."""

    rule = rule(post="events.quarantine")

    @operation(
        "accept_rejection",
        takes=Verdict,
        returns=RejectionDetail,
        once=True,
        raises=(AlreadyDecided, NotAcceptable, IdReused),
    )
    def post(self, call: Call, rejection: str) -> RejectionView:
        """Take an event after all: as it is, or, where a handler failed on it, once more."""
        row = queries.rejection_row(rejection)
        actions.accept_rejection(rejection=row, actor=call.actor, now=clock.now(), **call.body)
        return queries.rejection(rejection)


class Discard(Desk):
    """Leaving one aside."""

    rule = rule(post="events.quarantine")

    @operation(
        "discard_rejection", takes=Verdict, returns=RejectionDetail, once=True, raises=(AlreadyDecided,)
    )
    def post(self, call: Call, rejection: str) -> RejectionView:
        """Leave an event aside for good."""
        row = queries.rejection_row(rejection)
        actions.discard_rejection(rejection=row, actor=call.actor, now=clock.now(), **call.body)
        return queries.rejection(rejection)
