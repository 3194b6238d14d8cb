"""Links to sign in by: sent by mail, good for one person on one host, once, for ten minutes."""

import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from kernel import jobs
from kernel.ids import parse_public_id
from kernel.secrets import sign
from tenants.access.models import User
from tenants.accounts.errors import LinkSpent
from tenants.accounts.models import MailLink
from tenants.accounts.queries import place_of, rules_at
from tenants.tenancy.queries import HostRef

LIVES: Final = timedelta(minutes=10)
JOB: Final = "accounts.link"


def ask(*, email: str, host: HostRef, now: datetime) -> None:
    """Have a link sent to whoever has this address; nothing tells whether there is such a person."""
    partner_id, tenant_id = place_of(host)
    rules = rules_at(partner_id, tenant_id)
    if partner_id is None or rules.sign_on_only or not rules.mail_links:
        return
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        return
    with transaction.atomic():
        # a newer link makes the ones before worthless
        MailLink.objects.filter(user=user, host=host.host, used_at__isnull=True).update(expires_at=now)
        made = MailLink.objects.create(
            user=user,
            host=host.host,
            partner_id=partner_id,
            tenant_id=tenant_id,
            created_at=now,
            expires_at=now + LIVES,
        )
        jobs.enqueue(JOB, link=made.id)


def text_of(row: MailLink) -> str:
    """What stands in the link: its id, and a signature that only this installation can make."""
    return f"{row.public_id}.{_signature(row)}"


def _signature(row: MailLink) -> str:
    return sign(settings.JOB_KEY, "sign-in link", f"{row.id}:{row.user_id}:{row.host}".encode())


def claim(*, link_id: UUID, now: datetime) -> MailLink | None:
    """The link, for whoever sends it now; None where it is sent, or too old to be sent."""
    rows = MailLink.objects.filter(pk=link_id, sent_at__isnull=True, expires_at__gt=now)
    if not rows.update(sent_at=now):
        return None
    return MailLink.objects.select_related("user", "partner", "tenant").get(pk=link_id)


def not_sent(*, link: MailLink) -> None:
    """The mail did not go out: it may be tried again while the link lives."""
    MailLink.objects.filter(pk=link.pk).update(sent_at=None)


def redeem(*, text: str, host: HostRef, now: datetime) -> User:
    """The person behind a link, on its host; works once. Raises LinkSpent, the same for every reason."""
    public_id, _dot, signature = text.partition(".")
    try:
        key = parse_public_id(MailLink.prefix, public_id)
    except ValueError as error:
        raise LinkSpent from error
    row = MailLink.objects.select_related("user").filter(pk=key).first()
    if row is None or not hmac.compare_digest(signature, _signature(row)):
        raise LinkSpent
    rules = rules_at(*place_of(host))
    if row.host != host.host or rules.sign_on_only or not rules.mail_links or not row.user.is_active:
        raise LinkSpent
    if not MailLink.objects.filter(pk=key, used_at__isnull=True, expires_at__gt=now).update(used_at=now):
        raise LinkSpent
    return row.user
