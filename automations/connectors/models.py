"""Connection: how to reach one system of the client, with credentials that can be written and used, never read."""

from django.db import models

from automations.connectors.enums import AuthKind, ConnectionState
from kernel.models import Row
from kernel.privacy import classes


class Connection(Row):
    """One account in one system. `secret` is sealed under the tenant's data key, bound to this row and its version."""

    prefix = "con"
    holds = classes(
        setting="name settings",
        code="connector auth state",
        sealed="secret secret_hint",
        content="state_detail",
    )

    name = models.CharField(max_length=120, unique=True)
    connector = models.CharField(max_length=40, help_text="Name in the connector registry.")
    auth = models.CharField(max_length=32, choices=AuthKind, default=AuthKind.NONE)
    settings = models.JSONField(default=dict, help_text="What is no secret: base URL, account, options.")
    secret = models.BinaryField(null=True)
    secret_version = models.PositiveIntegerField(default=0)
    secret_hint = models.CharField(max_length=8, blank=True, help_text="Its last four characters.")
    secret_set_at = models.DateTimeField(null=True)
    secret_expires_at = models.DateTimeField(null=True, help_text="As its system says; nothing is shut then.")
    state = models.CharField(max_length=16, choices=ConnectionState, default=ConnectionState.NEW)
    state_detail = models.TextField(blank=True)
    calls_at_once = models.PositiveSmallIntegerField(
        null=True, help_text="Calls at a time, of all workflows; empty: as many as there are."
    )
    last_used_at = models.DateTimeField(null=True)
    last_checked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        permissions = [("edit_connection", "Change this connection")]

    def __str__(self) -> str:
        return self.name
