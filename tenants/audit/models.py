"""The audit event and the proof over it: rows that are written once; the database refuses to change or delete them.

One change is let through: personal data are emptied, all of them at once, and nothing else. See `erase_event`.
"""

from typing import Final

from django.db import models

from kernel.models import Row
from kernel.privacy import classes
from tenants.audit.enums import StreamKind

PRIVATE: Final = ("actor_label", "object_label", "before", "after", "reason", "address")
"""What may hold personal data: it stands in the leaf as a salted commitment only, so that it can be erased."""


class AuditEvent(Row):
    """One act of a person, a token or the portal."""

    prefix = "aud"
    holds = classes(
        proof="actor_label object_label before after reason address",
        code="actor_kind action object_type object_id request_id",
    )

    at = models.DateTimeField(db_index=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=80, help_text="`<room>.<verb>`, the permission that allowed it.")
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    object_label = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    partner_id = models.UUIDField(null=True, help_text="Whose console shows it, in the public schema.")
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_by_object"),
            models.Index(fields=["partner_id", "-at"], name="audit_by_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"


class AuditLeaf(models.Model):
    """An event's place in the sealed log, and its leaf hash; an empty salt says that its personal data are erased."""

    holds = classes(code="salt committed hash")

    seq = models.BigIntegerField(primary_key=True, help_text="Counted from 0, without gaps.")
    event_id = models.UUIDField(unique=True)
    salt = models.BinaryField()
    committed = models.BinaryField(help_text="SHA-256 over the salt and the personal data.")
    hash = models.BinaryField()

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return str(self.seq)


class AuditNode(models.Model):
    """The root of a complete subtree of 256, 65,536, … leaves; nodes between are worked out from these."""

    holds = classes(code="hash")

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class AuditCheckpoint(models.Model):
    """A signed note over the first `size` events."""

    holds = classes(code="root note")

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    note = models.TextField(help_text="As C2SP writes signed notes.")

    class Meta:
        ordering = ["size"]

    def __str__(self) -> str:
        return f"{self.size} events at {self.at}"


class AuditCheck(Row):
    """A verification of the log as it stands in the database, and what it found."""

    prefix = "chk"
    holds = classes(code="findings", person="asked_by")

    at = models.DateTimeField()
    size = models.BigIntegerField()
    ok = models.BooleanField()
    first_bad = models.BigIntegerField(null=True)
    findings = models.JSONField(default=list)
    seconds = models.FloatField(default=0)
    asked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.size} events at {self.at}"


class AuditStream(Row):
    """A place outside that gets every event, at least once and in order: a webhook or a syslog server.

    `position` is the number of the next event; nothing before it is owed. In the public schema `partner_id` says
    whose events they are; without one all of them.
    """

    prefix = "ast"
    holds = classes(setting="name address", sealed="secret", code="kind error")

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=StreamKind)
    address = models.CharField(max_length=500, help_text="A URL, or host:port of a syslog server.")
    secret = models.BinaryField(null=True, help_text="Sealed; signs what a webhook gets.")
    partner_id = models.UUIDField(null=True)
    active = models.BooleanField(default=True)
    position = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(
        default=-1, help_text="Number of the last event that was taken; -1 for none."
    )
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Failures since the last success.")
    failing_since = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "partner_id"], nulls_distinct=False, name="audit_stream_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
