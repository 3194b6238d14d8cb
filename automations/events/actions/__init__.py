"""What can be done with events: take deliveries in, publish, dispatch; endpoints; what was set aside."""

from automations.events.actions.deliveries import Receipt, Refused, receive_webhook
from automations.events.actions.endpoints import (
    create_endpoint,
    rotate_endpoint_secret,
    set_endpoint_active,
)
from automations.events.actions.express import BYTES_MOST, Company, plain
from automations.events.actions.facts import Draft, publish, publish_batch, publish_many
from automations.events.actions.intake import dispatch
from automations.events.actions.rejections import accept_rejection, discard_rejection
from automations.events.actions.revealing import reveal_event

__all__ = [
    "BYTES_MOST",
    "Company",
    "Draft",
    "Receipt",
    "Refused",
    "accept_rejection",
    "create_endpoint",
    "discard_rejection",
    "dispatch",
    "plain",
    "publish",
    "publish_batch",
    "publish_many",
    "receive_webhook",
    "reveal_event",
    "rotate_endpoint_secret",
    "set_endpoint_active",
]
