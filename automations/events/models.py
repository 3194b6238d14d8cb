"""Endpoint (where webhooks come in), Event (what came in or happened), Rejection (what was refused or quarantined)."""

from typing import Final

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from automations.events.enums import RejectionCode, RejectionState
from kernel.clock import rfc3339
from kernel.models import Row
from kernel.privacy import classes


class Endpoint(Row):
    """A place where one system delivers webhooks: an unguessable path, a shared secret, the way it signs.

    Both secrets are sealed under the tenant's data key and bound to this row and to the version they were set as.
    """

    prefix = "ep"
    holds = classes(setting="name source", code="kind", sealed="token secret previous_secret")

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40, help_text="`cloudevents`, or a connector that takes webhooks.")
    token = models.CharField(max_length=64, unique=True, help_text="The last part of its path, 256 bits.")
    secret = models.BinaryField(help_text="Sealed; the key that signs.")
    secret_version = models.PositiveIntegerField(default=1)
    previous_secret = models.BinaryField(
        null=True, help_text="Sealed as the version before; still taken while the sender changes over."
    )
    previous_until = models.DateTimeField(null=True)
    source = models.CharField(
        max_length=200, help_text="CloudEvents source of what comes in, where the sender names none."
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


CARRIED: Final = ("order.handed_over", "shipment.updated")
"""Events that tell of a parcel by its tracking number."""


class Event(Row):
    """A CloudEvent: something that happened outside (delivered) or inside (`internal`, written by a room)."""

    prefix = "evt"
    holds = classes(
        key="source event_id subject",
        code="type body_digest fingerprint",
        content="data extensions",
    )

    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200, help_text="CloudEvents id: unique within its source.")
    type = models.CharField(max_length=120)
    subject = models.CharField(
        max_length=200, blank=True, help_text="The business key: an order, RMA, PO or SKU."
    )
    time = models.DateTimeField(help_text="When it happened, says the source.")
    received_at = models.DateTimeField(help_text="When it came in, by the tenant's clock.")
    data = models.JSONField(null=True)
    extensions = models.JSONField(default=dict)
    contract = models.SmallIntegerField(
        null=True, help_text="Version of the contract that it meets; null where none was checked."
    )
    body_digest = models.BinaryField(
        null=True, help_text="SHA-256 of what was delivered, to tell replay from forgery."
    )
    fingerprint = models.BinaryField(
        null=True, help_text="SHA-256 of type and signed body, where the sender does not sign its id."
    )
    endpoint_id = models.UUIDField(null=True)
    internal = models.BooleanField(default=False)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            # the same event delivered again is not a second event
            models.UniqueConstraint(fields=["source", "event_id"], name="event_once"),
            # nor is the same signed body under an id that nobody signed
            models.UniqueConstraint(
                fields=["endpoint_id", "fingerprint"],
                condition=Q(fingerprint__isnull=False),
                name="event_once_by_body",
            ),
        ]
        indexes = [
            # ascending, so that a new row goes to the right edge; the newest are read backwards
            models.Index(fields=["received_at", "id"], name="event_by_arrival"),
            models.Index(fields=["type", "received_at"], name="event_by_type"),
            models.Index(fields=["subject", "time"], condition=~Q(subject=""), name="event_by_subject"),
            models.Index(
                fields=["endpoint_id", "received_at"],
                condition=Q(endpoint_id__isnull=False),
                name="event_by_endpoint",
            ),
            # a parcel by its number, among what carriers say and nothing else
            models.Index(
                KeyTransform("tracking_number", "data"),
                condition=Q(type__in=CARRIED),
                name="event_by_tracking",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}".rstrip()

    def envelope(self) -> dict[str, object]:
        """The event in CloudEvents' JSON form."""
        found: dict[str, object] = {
            "specversion": "1.0",
            "id": self.event_id,
            "source": self.source,
            "type": self.type,
            "time": rfc3339(self.time),
            **self.extensions,
        }
        if self.subject:
            found["subject"] = self.subject
        if "data_base64" not in found:
            found["data"] = self.data
        return found


class Rejection(Row):
    """An event that was set aside, with the reason; a person takes it after all or discards it."""

    prefix = "rej"
    holds = classes(
        key="source event_id subject",
        code="state code type body_digest",
        content="reason findings body",
    )

    endpoint = models.ForeignKey(Endpoint, on_delete=models.SET_NULL, null=True, related_name="rejections")
    event = models.UUIDField(
        null=True, help_text="The stored event, where it was set aside after it came in."
    )
    state = models.CharField(max_length=16, choices=RejectionState, default=RejectionState.OPEN)
    code = models.CharField(max_length=40, choices=RejectionCode)
    reason = models.TextField()
    findings = models.JSONField(default=list, help_text="What breaks the contract: pointer and message.")
    source = models.CharField(max_length=200, blank=True)
    event_id = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    body = models.JSONField(null=True, help_text="The event as it was delivered.")
    body_digest = models.BinaryField(null=True)
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            # what is delivered again is set aside once
            models.UniqueConstraint(
                fields=["endpoint", "body_digest"],
                condition=Q(body_digest__isnull=False),
                name="rejection_once",
            ),
        ]
        indexes = [models.Index(fields=["state", "received_at"], name="rejection_by_state")]

    def __str__(self) -> str:
        return f"{self.code} {self.type}".rstrip()
