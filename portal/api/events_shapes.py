"""What requests and answers about events, endpoints and rejections are made of."""

from rest_framework import serializers

from automations.events.enums import RejectionCode, RejectionState
from portal.api import fields
from portal.api.fields import Members, PublicId, Shape


class EventShape(Shape):
    """An event, without its data."""

    id = PublicId("evt", source="public_id", help_text="Our id of the event.")
    type = fields.text("CloudEvents type.")
    title = fields.text("The type in words.")
    source = fields.text("CloudEvents source.")
    event_id = fields.text("CloudEvents id: unique within its source.")
    subject = fields.text("What it is about: an order, RMA, PO or SKU.", allow_blank=True)
    time = fields.at("When it happened, says the source.")
    received_at = fields.at("When it came in, by this client's clock.")
    internal = fields.yes_or_no("Whether the portal itself wrote it.")
    contract = fields.number(
        "Version of the contract that it meets; null where none was asked.", allow_null=True
    )
    endpoint = PublicId("ep", source="endpoint_id", allow_null=True, help_text="Where it came in.")


class EventDetail(EventShape):
    """An event with its data."""

    envelope = fields.anything("The whole event in CloudEvents' JSON form.")


class EventQuery(Shape):
    """Which events."""

    type = fields.text("Exactly this type, or a beginning with * behind it.", required=False)
    source = fields.text("From exactly this source.", required=False)
    subject = fields.text("About exactly this.", required=False)
    text = fields.text("Stands in subject, id, type or source.", required=False)
    since = fields.at("Came in at or after this instant.", required=False)
    until = fields.at("Came in before this instant.", required=False)
    endpoint = PublicId("ep", required=False, help_text="Came in at this endpoint.")
    internal = fields.yes_or_no("The portal's own alone, or none of them.", required=False)


class NewEvent(Shape):
    """An event in CloudEvents' JSON form; extension attributes stand in `extensions`."""

    specversion = fields.one_of(["1.0"], "The version of CloudEvents.", required=False, default="1.0")
    id = fields.text(
        "Unique within its source: sent again it changes nothing. Made, if left out.",
        required=False,
        max_length=200,
    )
    source = fields.text("Who tells it, a URI reference.", max_length=200)
    type = fields.text("What happened.", max_length=120)
    subject = fields.text("What it is about.", required=False, default="", allow_blank=True, max_length=200)
    time = fields.at("When it happened; the present if left out.", required=False)
    data = fields.anything("What its contract says.", required=False, default=None, allow_null=True)
    extensions = Members(required=False, default=dict, help_text="Further attributes: name to value.")


class NewEvents(Shape):
    """Events to publish: all, or none if one of them is refused."""

    events = serializers.ListField(
        child=NewEvent(),
        min_length=1,
        max_length=500,
        help_text="At most 500, in the order in which they count.",
    )


class Published(Shape):
    """An event that is stored."""

    id = PublicId("evt", help_text="Our id of the event.")
    source = fields.text("CloudEvents source.")
    event_id = fields.text("CloudEvents id.")
    type = fields.text("CloudEvents type.")


class EndpointShape(Shape):
    """A place where one system delivers webhooks."""

    id = PublicId("ep", source="public_id", help_text="Id of the endpoint.")
    name = fields.text("Its name.")
    kind = fields.text("`cloudevents`, or the connector whose webhooks it takes.")
    path = fields.text("Where its sender delivers to, on this host. Keep it to yourself.")
    source = fields.text("CloudEvents source of what comes in, where the sender names none.")
    active = fields.yes_or_no("Whether it takes deliveries.")
    secret_version = fields.number("How many secrets it has had.")
    previous_until = fields.perhaps_at("Until when the secret before this one still counts.")
    created_at = fields.at("When it was made.")
    last_at = fields.perhaps_at("When something came in last.")
    today = fields.number("Events that came in within 24 hours.")
    open_rejections = fields.number("Events that were set aside and wait for a person.")


class EndpointMade(EndpointShape):
    """An endpoint with its secret, which is shown this once."""

    secret = fields.text("Signs deliveries.")


class NewEndpoint(Shape):
    """An endpoint to make."""

    name = fields.text("Its name.", max_length=120)
    kind = fields.text("`cloudevents`, or a connector that sends webhooks.", max_length=40)
    source = fields.text("CloudEvents source.", required=False, default="", allow_blank=True, max_length=200)
    secret = fields.text(
        "A secret that the sender dictates; one is made if left out.",
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        write_only=True,
    )


class NewEndpointSecret(Shape):
    """Another secret."""

    secret = fields.text(
        "The new one; one is made if left out.",
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        write_only=True,
    )
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=168,
        required=False,
        default=24,
        help_text="For how long the old one counts as well.",
    )


class EndpointSwitch(Shape):
    """On or off."""

    active = fields.yes_or_no("Whether it takes deliveries.")


class FindingShape(Shape):
    """One thing that is wrong."""

    pointer = fields.text("Where: a JSON pointer.", allow_blank=True)
    message = fields.text("What.")


class RejectionShape(Shape):
    """An event that was set aside, with the reason."""

    id = PublicId("rej", source="public_id", help_text="Id of the rejection.")
    state = fields.one_of(RejectionState.choices, "Whether somebody still has to look at it.")
    code = fields.one_of(RejectionCode.choices, "Why it was set aside.")
    reason = fields.text("The same in words.")
    findings = FindingShape(many=True, help_text="What breaks the contract.")
    source = fields.text("CloudEvents source.", allow_blank=True)
    event_id = fields.text("CloudEvents id.", allow_blank=True)
    type = fields.text("CloudEvents type.", allow_blank=True)
    subject = fields.text("What it is about.", allow_blank=True)
    endpoint = fields.text("Name of the endpoint where it came in.", allow_blank=True)
    received_at = fields.at("When it came in.")
    decided_at = fields.perhaps_at("When somebody decided about it.")


class RejectionDetail(RejectionShape):
    """An event that was set aside, whole."""

    body = fields.anything("The event as it was delivered.")


class RejectionQuery(Shape):
    """Which of them."""

    state = fields.one_of(
        RejectionState.choices, "In this state.", required=False, default=RejectionState.OPEN
    )
    code = fields.one_of(RejectionCode.choices, "Set aside for this.", required=False)
    endpoint = PublicId("ep", required=False, help_text="Came in at this endpoint.")
    text = fields.text("Stands in subject, id or reason.", required=False)


class Verdict(Shape):
    """Why it is decided so."""

    reason = fields.reason()
