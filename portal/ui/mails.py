"""Mails of the portal to one person, in the partner's brand and the person's language: as text and as HTML."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise

from tenants.access.models import User
from tenants.branding import queries as branding
from tenants.branding.palette import palette
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import partner_ref

_NO_ZONE: Final = "UTC"


@dataclass(frozen=True)
class Letter:
    """A mail to be made: `name` is its template under `mail/`, `path` where its button leads on `host`."""

    name: str
    user: User
    partner: Partner | None
    tenant: Tenant | None
    host: str
    path: str
    subject: str | Promise
    more: Mapping[str, Any] = field(default_factory=dict)


def made(letter: Letter) -> EmailMultiAlternatives:
    """The mail."""
    import css_inline  # not with the module: a worker that sends no mail does without it

    user, tenant = letter.user, letter.tenant
    brand = branding.brand_of(partner_ref(letter.partner)) if letter.partner else branding.neutral()
    language = user.language or (tenant.language if tenant else "") or settings.LANGUAGE_CODE
    shown: dict[str, Any] = {
        "brand": brand,
        "colours": palette(brand.colour),
        "place": tenant.name if tenant else brand.name,
        "name": user.name,
        "link": f"{base(letter.host)}{letter.path}",
        **letter.more,
    }
    zone = zoneinfo.ZoneInfo(user.timezone or (tenant.timezone if tenant else _NO_ZONE))
    with translation.override(language), timezone.override(zone):
        subject = str(letter.subject) % {"place": shown["place"]}
        text = render_to_string(f"mail/{letter.name}.txt", shown)
        html = css_inline.inline(render_to_string(f"mail/{letter.name}.html", shown))
    sender = formataddr((brand.sender, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    answers = [brand.support_email] if brand.support_email else []
    mail = EmailMultiAlternatives(
        subject, text, sender, [user.email], reply_to=answers, headers={"Auto-Submitted": "auto-generated"}
    )
    mail.attach_alternative(html, "text/html")
    return mail


def base(host: str) -> str:
    """Where a host is reached from outside."""
    if settings.PORTAL_HTTPS:
        return f"https://{host}"
    port = "" if settings.PORTAL_PORT == 80 else f":{settings.PORTAL_PORT}"
    return f"http://{host}{port}"
