"""Channels: systems that are told, each with an address that is kept sealed; a webhook also with a secret."""

import secrets as random
from base64 import b64encode
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from automations.notices.actions import sending
from automations.notices.enums import URGENCY, ChannelKind
from automations.notices.models import Channel
from kernel import http, ids, secrets
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.audit.actions import record

ADDRESS, SECRET = "notice_address", "notice_secret"
_MOST = 20


def create_channel(
    *, name: str, kind: str, address: str, least: str = "high", actor: Actor, now: datetime
) -> tuple[Channel, str]:
    """A new channel, and the secret that signs what a webhook gets, which is shown this once.

    Raises Invalid, naming the field, and Conflict where there are too many.
    """
    actor.require("settings.edit")
    _check(name, kind, address, least)
    if Channel.objects.count() >= _MOST:
        raise Conflict(f"there are {_MOST} channels already")
    row = Channel(
        name=name.strip(), kind=kind, least=least, created_at=now, host=urlsplit(address).hostname or ""
    )
    secret = f"whsec_{b64encode(random.token_bytes(32)).decode()}" if kind == ChannelKind.WEBHOOK else ""
    row.address = secrets.keep(address.encode(), row=row.id, version=1, purpose=ADDRESS)
    if secret:
        row.secret = secrets.keep(secret.encode(), row=row.id, version=1, purpose=SECRET)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            after = {"name": row.name, "kind": kind, "host": row.host, "least": least}
            record(actor=actor, action="notices.create_channel", obj=row, now=now, after=after)
    except IntegrityError as error:
        raise Invalid(fields={"name": [f"{name} is taken."]}) from error
    return row, secret


def _check(name: str, kind: str, address: str, least: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not name.strip() or len(name) > 120:
        wrong["name"] = ["Give the channel a name of at most 120 characters."]
    if kind not in ChannelKind.values:
        wrong["kind"] = ["Choose one of those on offer."]
    if least not in URGENCY:
        wrong["least"] = ["Choose one of those on offer."]
    try:
        http.check_url(address, http.Egress(allowed=settings.EGRESS_ALLOW))
    except http.EgressRefused as error:
        wrong["address"] = [error.message]
    if len(address) > 2_000:
        wrong["address"] = ["Use at most 2000 characters."]
    if wrong:
        raise Invalid(fields=wrong)


def set_channel_active(*, channel: Channel, active: bool, actor: Actor, now: datetime) -> Channel:
    """Tell a channel nothing for a while, or again."""
    actor.require("settings.edit")
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        if row.active != active:
            row.active, row.failing_since, row.error = active, None, ""
            row.save(update_fields=["active", "failing_since", "error"])
            record(
                actor=actor,
                action="notices.set_channel_active",
                obj=row,
                now=now,
                before={"active": not active},
                after={"active": active},
            )
    return row


def delete_channel(*, channel: Channel, actor: Actor, now: datetime) -> None:
    """Forget a channel with its address and its secret; what has not gone out does not go."""
    actor.require("settings.edit")
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        before = {"name": row.name, "kind": row.kind, "host": row.host}
        record(actor=actor, action="notices.delete_channel", obj=row, now=now, before=before)
        row.delete()


def try_channel(*, channel: Channel, actor: Actor, now: datetime) -> None:
    """Send a channel a message that says it is a trial; how it went stands on its page."""
    actor.require("settings.edit")
    with transaction.atomic():
        sending.owe(
            key=f"trial:{channel.id}:{ids.uuid7()}",
            channel=channel,
            body={"trial": True, "at": now.isoformat()},
            at=now,
            now=now,
        )
        record(actor=actor, action="notices.try_channel", obj=channel, now=now, after={"name": channel.name})
