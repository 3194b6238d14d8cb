"""Endpoint (where webhooks come in), Event (what came in or happened), Rejection (what was refused or quarantined)."""

from django.db import models

from automations.events.enums import EndpointKind, RejectionState
from kernel.models import Row


class Endpoint(Row):
    """A place where one system delivers webhooks: an unguessable path, a shared secret, the way it signs."""

    prefix = "ep"

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=24, choices=EndpointKind)
    token = models.CharField(max_length=64, unique=True, help_text="The last part of its path, 256 bits.")
    secret = models.BinaryField(help_text="Sealed; the key that signs.")
    previous_secret = models.BinaryField(
        null=True, help_text="Sealed; still taken while the sender changes over."
    )
    source = models.CharField(max_length=200, help_text="CloudEvents source of what comes in here.")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Event(Row):
    """A CloudEvent: something that happened outside (delivered) or inside (`internal`, written by a room)."""

    prefix = "evt"

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
    body_digest = models.BinaryField(
        null=True, help_text="SHA-256 of what was delivered, to tell replay from forgery."
    )
    endpoint_id = models.UUIDField(null=True)
    internal = models.BooleanField(default=False)

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            # the same event delivered again is not a second event
            models.UniqueConstraint(fields=["source", "event_id"], name="event_once"),
        ]
        indexes = [
            models.Index(
                fields=["subject", "time"], condition=~models.Q(subject=""), name="event_by_subject"
            ),
            models.Index(fields=["-received_at", "-id"], name="event_newest"),
            models.Index(fields=["type", "-received_at"], name="event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"

    def envelope(self) -> dict[str, object]:
        """The event in CloudEvents' JSON form."""
        found: dict[str, object] = {
            "specversion": "1.0",
            "id": self.event_id,
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat().replace("+00:00", "Z"),
            "data": self.data,
            **self.extensions,
        }
        if self.subject:
            found["subject"] = self.subject
        return found


class Rejection(Row):
    """A delivery that was not taken, or an event that breaks its contract, with the reason; can be taken after all."""

    prefix = "rej"

    endpoint = models.ForeignKey(Endpoint, on_delete=models.SET_NULL, null=True, related_name="rejections")
    state = models.CharField(max_length=16, choices=RejectionState, default=RejectionState.OPEN)
    code = models.CharField(max_length=40)
    reason = models.TextField()
    type = models.CharField(max_length=120, blank=True)
    body = models.JSONField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["state", "-received_at"], name="rejection_by_state")]

    def __str__(self) -> str:
        return f"{self.code} {self.type}"
