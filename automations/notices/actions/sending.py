"""What goes out: kept as a row in the transaction of its cause, claimed by who sends it, tried again with pauses.

At least once: a worker that dies between sending and writing it down leaves the row to the next one, so every message
carries a key by which its receiver can tell that it had it. Mails wear the partner's brand, so the portal makes them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F
from standardwebhooks import Webhook

from automations.inbox.queries import Told
from automations.notices.contract import payload
from automations.notices.enums import URGENCY, ChannelKind
from automations.notices.models import Channel, Message, Notice, Pass
from kernel import http, jobs, jsonx, secrets
from kernel.errors import PortalError
from tenants.tenancy import context
from tenants.tenancy.queries import primary_host

log = structlog.get_logger(__name__)
PAUSES: Final = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400)
"""Seconds between tries; after the last one a message is given up."""
_LEASE: Final = timedelta(minutes=2)
_SECONDS: Final = 15.0
_KEPT: Final = timedelta(days=30)
_READ_KEPT: Final = timedelta(days=90)


def owe(
    *,
    key: str,
    at: datetime,
    now: datetime,
    channel: Channel | None = None,
    user_id: UUID | None = None,
    mail: str = "",
    body: dict[str, Any] | None = None,
) -> None:
    """Keep a message that is to go out at `at`; one of the same key is there once."""
    given = {"channel": channel, "user_id": user_id, "mail": mail, "body": body or {}, "created_at": now}
    row, made = Message.objects.get_or_create(key=key, defaults={**given, "send_at": at})
    if made and at <= now:
        jobs.enqueue("notices.send", message=row.id)


def to_channels(cases: Sequence[Told], now: datetime) -> None:
    """Owe every channel that wants to know a message about cases of one cause."""
    tenant, case = context.current(), cases[-1]
    if tenant.sandbox:
        return
    for channel in Channel.objects.filter(active=True):
        if URGENCY.get(case.severity, 0) >= URGENCY.get(channel.least, 0):
            owe(
                key=f"case:{case.id}:{case.version}:{channel.id}",
                channel=channel,
                body={
                    "code": case.code,
                    "case": case.public_id,
                    "title": case.title,
                    "severity": case.severity,
                    "count": len(cases),
                    "at": now.isoformat(),
                },
                at=now,
                now=now,
            )


def claim(*, message_id: UUID, now: datetime) -> Message | None:
    """The message, for whoever sends it now; None where it is out, being sent, given up or not due."""
    rows = Message.objects.filter(
        pk=message_id, sent_at__isnull=True, given_up_at__isnull=True, send_at__lte=now
    )
    found = rows.select_related("channel").first()
    if found is None or not rows.filter(tries=found.tries).update(tries=F("tries") + 1, send_at=now + _LEASE):
        return None
    found.tries += 1
    return found


def sent(*, message: Message, now: datetime) -> None:
    """Note that it is out."""
    Message.objects.filter(pk=message.pk).update(sent_at=now, error="")
    if message.channel_id is not None:
        Channel.objects.filter(pk=message.channel_id).update(sent_at=now, failing_since=None, error="")


def failed(*, message: Message, why: str, now: datetime) -> None:
    """Note that it did not go, and when it is tried again; after the last pause it is given up."""
    why = secrets.redact(why)[:500]
    over = message.tries > len(PAUSES)
    again = now if over else now + timedelta(seconds=PAUSES[message.tries - 1])
    Message.objects.filter(pk=message.pk).update(
        error=why, send_at=again, **({"given_up_at": now} if over else {})
    )
    if message.channel is not None:
        since = message.channel.failing_since or now
        Channel.objects.filter(pk=message.channel.pk).update(failing_since=since, error=why)
    log.warning("message not sent", message=message.public_id, why=why, tries=message.tries, given_up=over)


def deliver(*, message: Message, link: str, now: datetime) -> None:
    """Send a claimed message to its channel; `link` is where its case is. How it went is written down.

    Call it outside a transaction: it waits for an answer.
    """
    channel = message.channel
    if channel is None or not channel.active:
        Message.objects.filter(pk=message.pk).update(given_up_at=now, error="the channel is off")
        return
    try:
        _post(channel, message, link, now)
    except PortalError as error:
        if not error.benign:
            raise
        failed(message=message, why=error.message, now=now)
    else:
        sent(message=message, now=now)


def _post(channel: Channel, message: Message, link: str, now: datetime) -> None:
    """Raises NoAnswer where it was not taken, EgressRefused, and SecretUnreadable."""
    body = jsonx.dumps(payload(ChannelKind(channel.kind), message.body, context.current().name, link))
    headers = {"content-type": "application/json"}
    if channel.secret:
        headers |= _signed(channel, message, body, now)
    address = secrets.opened(bytes(channel.address), row=channel.id, version=1, purpose="notice_address")
    answer = http.fetch(
        "POST",
        address.decode(),
        http.Egress(allowed=settings.EGRESS_ALLOW),
        headers=headers,
        body=body,
        seconds=_SECONDS,
    )
    if not 200 <= answer.status < 300:
        raise http.NoAnswer(f"{channel.host} answered {answer.status}")


def _signed(channel: Channel, message: Message, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; the key stays the same over every try."""
    kept = secrets.opened(bytes(channel.secret or b""), row=channel.id, version=1, purpose="notice_secret")
    secret = secrets.Secret(kept.decode())
    return {
        "webhook-id": message.public_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret.reveal()).sign(message.public_id, now, body.decode()),
    }


def host() -> str:
    """The host that links into the current tenant use."""
    tenant = context.current()
    return primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)


def collected(message: Message) -> list[Notice]:
    """What a mail tells: the lines of its reader that are unread and were in no mail yet, newest first."""
    if message.user_id is None:
        return []
    found = Notice.objects.filter(user_id=message.user_id, read_at__isnull=True, mailed_at__isnull=True)
    return list(found[:100])


def mailed(*, message: Message, notices: Sequence[Notice], now: datetime) -> None:
    """Note that a mail is out, and what it told."""
    Notice.objects.filter(pk__in=[one.pk for one in notices]).update(mailed_at=now)
    sent(message=message, now=now)


def forget_old(*, now: datetime) -> int:
    """Forget messages of a month ago, read lines of a quarter ago, and links that are over; how many rows."""
    gone = Message.objects.filter(created_at__lt=now - _KEPT, send_at__lt=now).delete()[0]
    gone += Notice.objects.filter(read_at__lt=now - _READ_KEPT).delete()[0]
    return gone + Pass.objects.filter(expires_at__lt=now).delete()[0]
