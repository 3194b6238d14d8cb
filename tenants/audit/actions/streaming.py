"""Sending the log on: each sealed event to each stream, in order, at least once, without a gap.

`public.audit_owed` says which streams of which logs have something to send, and when. A stream that fails is tried
again, in the end once an hour, for as long as it takes: the log keeps everything, so nothing is lost meanwhile. What
a receiver gets are the lines of an export, so it can prove them, and the newest checkpoint, so it is a witness.
"""

import secrets as random
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from standardwebhooks import Webhook

from kernel import http, secrets, syslog
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.audit import contract, store
from tenants.audit.actions.recording import record
from tenants.audit.enums import StreamKind
from tenants.audit.models import AuditLeaf, AuditStream

log = structlog.get_logger(__name__)
AT_ONCE: Final = 200
PURPOSE: Final = "audit_stream"
_SECONDS: Final = 15.0
_LEASE: Final = 60.0
_SLOWEST: Final = 3_600
_TURNS: Final = 20
_MOST: Final = 20


def create_stream(
    *,
    name: str,
    kind: str,
    address: str,
    from_start: bool = False,
    partner_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[AuditStream, str]:
    """A new stream, and the secret that signs what a webhook gets, which is shown this once.

    It begins with what is sealed next, or with the first event there is. Raises Invalid and Conflict.
    """
    actor.require("audit.stream")
    _check(name, kind, address)
    secret = f"whsec_{b64encode(random.token_bytes(32)).decode()}" if kind == StreamKind.WEBHOOK else ""
    stream = AuditStream(
        name=name.strip(),
        kind=kind,
        address=address,
        partner_id=partner_id,
        position=0 if from_start else store.size(),
        created_at=now,
    )
    if AuditStream.objects.filter(partner_id=partner_id).count() >= _MOST:
        raise Conflict(f"there are {_MOST} streams already")
    try:
        with transaction.atomic():
            if secret:
                stream.secret = secrets.keep(secret.encode(), row=stream.id, version=1, purpose=PURPOSE)
            stream.save(force_insert=True)
            store.owe([stream.id])
            record(
                actor=actor,
                action="audit.create_stream",
                obj=stream,
                now=now,
                after={"name": stream.name, "kind": kind, "address": address, "from": stream.position},
                partner_id=partner_id,
            )
    except IntegrityError as error:
        raise Invalid(fields={"name": [f"{name} is taken."]}) from error
    return stream, secret


def _check(name: str, kind: str, address: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 120:
        wrong["name"] = ["Give the stream a name of at most 120 characters."]
    if kind not in StreamKind.values:
        wrong["kind"] = ["Choose webhook or syslog."]
    try:
        if kind == StreamKind.SYSLOG:
            syslog.check_address(address, egress())
        else:
            http.check_url(address, egress())
    except http.EgressRefused as error:
        wrong["address"] = [error.message]
    if len(address) > 500:
        wrong["address"] = ["Use at most 500 characters."]
    if wrong:
        raise Invalid(fields=wrong)


def egress() -> http.Egress:
    """What streams may reach: public addresses, and what operators opened."""
    return http.Egress(allowed=settings.EGRESS_ALLOW)


def set_stream_active(*, stream: AuditStream, active: bool, actor: Actor, now: datetime) -> AuditStream:
    """Stop a stream, or let it go on where it stopped: what was sealed meanwhile is owed."""
    actor.require("audit.stream")
    with transaction.atomic():
        row = AuditStream.objects.select_for_update().get(pk=stream.pk)
        if row.active != active:
            row.active, row.attempts, row.next_try_at = active, 0, None
            row.save(update_fields=["active", "attempts", "next_try_at"])
            store.owe([row.id])
            store.owe_later(row.id, 0)
            record(
                actor=actor,
                action="audit.set_stream_active",
                obj=row,
                now=now,
                before={"active": not active},
                after={"active": active},
                partner_id=row.partner_id,
            )
    return row


def delete_stream(*, stream: AuditStream, actor: Actor, now: datetime) -> None:
    """Send nothing there any more, and forget its secret."""
    actor.require("audit.stream")
    with transaction.atomic():
        row = AuditStream.objects.select_for_update().get(pk=stream.pk)
        record(
            actor=actor,
            action="audit.delete_stream",
            obj=row,
            now=now,
            before={"name": row.name, "kind": row.kind, "address": row.address, "sent": row.sent},
            partner_id=row.partner_id,
        )
        store.owe_nothing(row.id)
        row.delete()


def deliver(*, stream_id: UUID, now: datetime) -> int:
    """Send a stream what it is owed, some batches of it; how many events. Whoever comes second does nothing.

    Call it outside a transaction: it waits for answers.
    """
    asked = store.claim_owed(stream_id, seconds=_LEASE)
    if asked is None:
        return 0
    count = 0
    for _ in range(_TURNS):
        stream = AuditStream.objects.filter(pk=stream_id, active=True).first()
        batch = _next_batch(stream) if stream else None
        if stream is None or batch is None:
            store.owe_nothing(stream_id, asked)
            return count
        end, lines = batch
        try:
            if lines:
                _send(stream, lines, now)
        except (http.NoAnswer, http.EgressRefused, secrets.SecretUnreadable) as error:
            _failed(stream, secrets.redact(error.message), now)
            return count
        if not _sent(stream, end, bool(lines), now):
            return count
        count += len(lines)
    store.owe_later(stream_id, 0)
    return count


def _next_batch(stream: AuditStream) -> tuple[int, list[bytes]] | None:
    """(number of the event behind the batch, lines) of what comes next; None where nothing does."""
    point = store.last_checkpoint()
    leaves = AuditLeaf.objects.filter(seq__gte=stream.position, seq__lt=point.size if point else 0)
    rows = store.sealed_rows(leaves.order_by("seq")[:AT_ONCE])
    if not rows:
        return None
    mine = [row for row in rows if stream.partner_id in (None, row.event and row.event.partner_id)]
    return rows[-1].leaf.seq + 1, [contract.line(row.event, row.leaf) for row in mine if row.event]


def _send(stream: AuditStream, lines: list[bytes], now: datetime) -> None:
    """Raises NoAnswer where it was not taken, or EgressRefused."""
    if stream.kind == StreamKind.SYSLOG:
        syslog.send(stream.address, list(_messages(lines, now)), egress())
        return
    point = store.last_checkpoint()
    note = contract.other_line(previous=stream.sent, checkpoint=point.note if point else "")
    body = note[:-2] + b',"events":[' + b",".join(line.rstrip(b"\n") for line in lines) + b"]}"
    key = f"{stream.public_id}-{stream.position}"
    secret = secrets.Secret(
        secrets.opened(bytes(stream.secret or b""), row=stream.id, version=1, purpose=PURPOSE).decode()
    )
    answer = http.fetch(
        "POST",
        stream.address,
        egress(),
        headers={
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret.reveal()).sign(key, now, body.decode()),
        },
        body=body,
        seconds=_SECONDS,
    )
    if not 200 <= answer.status < 300:
        raise http.NoAnswer(f"it answered {answer.status}")


def _messages(lines: list[bytes], now: datetime) -> Iterator[bytes]:
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for line in lines:
        yield syslog.message(
            line.decode().rstrip("\n"), at=at, host=settings.BASE_DOMAIN, app="portal", kind="audit"
        )


def _sent(stream: AuditStream, end: int, some: bool, now: datetime) -> bool:
    """Keep how far it came; False where somebody else has been here meanwhile."""
    given: dict[str, Any] = {
        "position": end,
        "attempts": 0,
        "failing_since": None,
        "next_try_at": None,
        "error": "",
    }
    if some:
        given |= {"sent": end - 1, "sent_at": now}
    here = AuditStream.objects.filter(pk=stream.pk, position=stream.position, active=True)
    return here.update(**given) == 1


def _failed(stream: AuditStream, why: str, now: datetime) -> None:
    wait = min(5 * 4 ** min(stream.attempts, 8), _SLOWEST)
    AuditStream.objects.filter(pk=stream.pk).update(
        attempts=stream.attempts + 1,
        failing_since=stream.failing_since or now,
        next_try_at=now + timedelta(seconds=wait),
        error=why[:500],
    )
    store.owe_later(stream.id, wait)
    log.warning("audit stream failed", stream=stream.public_id, why=why, attempts=stream.attempts + 1)
