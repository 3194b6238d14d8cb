"""The audit: who did what, when, from where, with before and after. It can be read, never changed."""

from typing import Any

from rest_framework import serializers

from kernel import ids
from kernel.errors import NotFound
from portal.api import fields
from portal.api.access import PREFIXES
from portal.api.desk import Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.audit import queries
from tenants.audit.models import AuditEvent


class AuditEntry(Shape):
    """One act of a person, a token or the portal."""

    id = PublicId("aud", help_text="Id of the entry.")
    at = fields.at("When it was done.")
    action = fields.text("What was done: `<room>.<verb>`.")
    actor_kind = fields.one_of(["user", "token", "system"], "A person, an API token, or the portal itself.")
    actor_id = serializers.SerializerMethodField(help_text="Public id of the person or token; else empty.")
    actor = fields.text("Who did it.", source="actor_label")
    object_type = fields.text("What it was done to: the prefix of its ids.")
    object_id = fields.text("Its public id.")
    object_label = fields.text("Its name at that time.", allow_blank=True)
    before = fields.anything("What differed before; null where nothing was there.")
    after = fields.anything("What differs since; null where nothing is there any more.")
    reason = fields.text("Why, in the words of whoever did it.", allow_blank=True)
    request_id = fields.text("The request in which it was done; also in the logs.", allow_blank=True)
    address = fields.text("The network address that it came from.", allow_blank=True)

    def get_actor_id(self, row: AuditEvent) -> str:
        """Public id of whoever did it."""
        prefix = PREFIXES.get(row.actor_kind)
        return ids.public_id(prefix, row.actor_id) if prefix and row.actor_id else ""


class AuditFilter(Shape):
    """Which entries."""

    text = fields.text("Stands in object, person, action, id or reason.", required=False)
    action = fields.text("Exactly this action.", required=False)
    actor = fields.text("Done by whoever has exactly this name.", required=False)
    object_id = fields.text("Done to the object with this public id.", required=False)
    since = fields.at("Done at or after this instant.", required=False)
    until = fields.at("Done before this instant.", required=False)


def _scope(call: Call) -> dict[str, Any]:
    """In a tenant its schema says whose entries these are; in a console the partner does."""
    return {} if call.tenant_id else {"partner_id": call.partner_id}


class Audit(Desk):
    """The audit."""

    rule = rule(get="audit.read")

    @operation("list_audit", query=AuditFilter, returns=AuditEntry, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """What was done here, newest first."""
        return call.paging.of(queries.trail(**call.query, **_scope(call)), by="-at")


class AuditOne(Desk):
    """One entry."""

    rule = rule(get="audit.read")

    @operation("get_audit_entry", returns=AuditEntry)
    def get(self, call: Call, entry: str) -> AuditEvent:
        """One act."""
        found: AuditEvent | None = queries.trail(**_scope(call)).filter(pk=key_of("aud", entry)).first()
        if found is None:
            raise NotFound
        return found
