"""The audit event: a row that is written once and never changed; the database refuses anything else."""

from django.db import models

from kernel.models import Row


class AuditEvent(Row):
    """One act of a person, a token or the portal."""

    prefix = "aud"

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
