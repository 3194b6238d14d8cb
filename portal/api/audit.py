"""The audit: who did what, when, from where, with before and after. It can be read, never changed."""

from typing import Any

from rest_framework import serializers

from kernel import clock, ids
from kernel.errors import Invalid, NotFound
from portal.api import fields
from portal.api.access import PREFIXES
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.audit import actions, queries
from tenants.audit.enums import StreamKind
from tenants.audit.models import AuditEvent, AuditStream


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
    overrides = fields.yes_or_no(
        "Only what people did against the course of a run, as skipping a step or sending it back.",
        required=False,
        default=False,
    )
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


class Proof(Shape):
    """How the log is proved."""

    sealed = fields.number("How many entries are sealed; they are counted from 0, without gaps.")
    waiting = fields.number("How many wait for their seal, some seconds.")
    checkpoint = fields.text(
        "The newest signed checkpoint (C2SP signed note); empty before the first.", allow_blank=True
    )
    keys = serializers.ListField(
        child=serializers.CharField(), help_text="Public keys that sign checkpoints, the present one first."
    )
    verified_at = fields.perhaps_at("When the log was last verified here.")
    verified = fields.yes_or_no("Whether it was as it was signed.", allow_null=True)
    first_bad = serializers.IntegerField(
        allow_null=True, help_text="Number of the first entry that was not; null where all were."
    )


class AuditProof(Desk):
    """The proof over the audit."""

    rule = rule(get="audit.read")

    @operation("get_audit_proof", returns=Proof)
    def get(self, call: Call) -> dict[str, Any]:
        """How far the log is sealed and with which result it was verified last."""
        state = queries.proof_state()
        check = state.check
        return {
            "sealed": state.sealed,
            "waiting": state.waiting,
            "checkpoint": state.point.note if state.point else "",
            "keys": [str(key) for key in actions.keys_here()],
            "verified_at": check.at if check else None,
            "verified": check.ok if check else None,
            "first_bad": check.first_bad if check else None,
        }


class ProofLine(Shape):
    """A line of an export of the whole log."""

    seq = fields.number("Number of the entry.")
    line = fields.text(
        "The line: the entry, its personal data, salt and leaf hash. Its bytes are what is proved."
    )


class AuditLines(Desk):
    """The sealed log as lines that verify offline."""

    rule = rule(get="audit.read")

    @operation("list_audit_lines", returns=ProofLine, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """The sealed entries in their order, as `verify.py` takes them between a header and a checkpoint."""
        start = call.paging.cursor or "0"
        if not start.isdigit() or len(start) > 18:
            raise Invalid(fields={"cursor": ["This is no cursor of this list."]})
        rows = actions.lines_from(int(start), call.paging.limit)
        more = int(start) + len(rows) if len(rows) == call.paging.limit else 0
        return Listing([{"seq": seq, "line": line} for seq, line in rows], next=str(more) if more else "")


class Stream(Shape):
    """A system that every entry is sent on to."""

    id = PublicId("ast", help_text="Id of the stream.")
    name = fields.text("Its name.")
    kind = fields.one_of(StreamKind.values, "How it is sent.")
    address = fields.text("Where to.")
    active = fields.yes_or_no("Whether it is sent to.")
    sent = fields.number("Number of the last entry that was taken; -1 for none.")
    sent_at = fields.perhaps_at("When that was.")
    failing_since = fields.perhaps_at("Since when nothing is taken; null where all is well.")
    error = fields.text("What went wrong last.", allow_blank=True)
    created_at = fields.at("When it was made.")


class StreamMade(Stream):
    """A stream with its secret, which is in this answer alone."""

    secret = fields.text("Signs what a webhook gets (Standard Webhooks); empty for syslog.", allow_blank=True)


class NewStream(Shape):
    """A stream to be made."""

    name = fields.text("Its name.", max_length=120)
    kind = fields.one_of(StreamKind.values, "How it is sent.")
    address = fields.text("`https://…`, or `tls://host:6514` of a syslog server.", max_length=500)
    from_start = fields.yes_or_no("Whether it begins with the first entry there is.", default=False)


class StreamChange(Shape):
    """What changes of a stream."""

    active = fields.yes_or_no("Whether it is sent to; what was missed is sent then.")


class Streams(Desk):
    """Systems that the log is sent on to."""

    rule = rule(get="audit.stream", post="audit.stream")

    @operation("list_audit_streams", returns=Stream, many=True)
    def get(self, call: Call) -> Listing:
        """Every stream of this place."""
        return Listing(list(queries.streams(**_scope(call))))

    @operation(
        "create_audit_stream",
        takes=NewStream,
        returns=StreamMade,
        status=CREATED,
        once=True,
        example={"name": "SIEM", "kind": "webhook", "address": "https://siem.example.com/audit"},
    )
    def post(self, call: Call) -> AuditStream:
        """Make a stream; the secret of a webhook is in this answer alone."""
        made, secret = actions.create_stream(**call.body, **_scope(call), actor=call.actor, now=clock.now())
        vars(made)["secret"] = secret
        return made


class OneStream(Desk):
    """One of them."""

    rule = rule(get="audit.stream", patch="audit.stream", delete="audit.stream")

    @operation("get_audit_stream", returns=Stream)
    def get(self, call: Call, stream: str) -> AuditStream:
        """One stream and how far it has come."""
        return _stream(call, stream)

    @operation("update_audit_stream", takes=StreamChange, returns=Stream, example={"active": False})
    def patch(self, call: Call, stream: str) -> AuditStream:
        """Stop it, or let it go on where it stopped."""
        return actions.set_stream_active(
            stream=_stream(call, stream), actor=call.actor, now=clock.now(), **call.body
        )

    @operation("delete_audit_stream", status=NO_CONTENT)
    def delete(self, call: Call, stream: str) -> None:
        """Send nothing there any more."""
        actions.delete_stream(stream=_stream(call, stream), actor=call.actor, now=clock.now())


def _stream(call: Call, stream: str) -> AuditStream:
    found: AuditStream | None = queries.streams(**_scope(call)).filter(pk=key_of("ast", stream)).first()
    if found is None:
        raise NotFound
    return found
