"""Mails in a partner's brand: one frame for all, as text and as HTML, from the partner's name over our own address."""

import zoneinfo
from collections.abc import Mapping
from email.utils import formataddr, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from tenants.access.models import User
from tenants.branding import queries as branding
from tenants.branding.palette import palette
from tenants.tenancy.queries import PartnerRef


def base(host: str) -> str:
    """Where a host is reached from outside."""
    if settings.PORTAL_HTTPS:
        return f"https://{host}"
    port = "" if settings.PORTAL_PORT == 80 else f":{settings.PORTAL_PORT}"
    return f"http://{host}{port}"


def compose(
    template: str,
    *,
    partner: PartnerRef,
    user: User,
    language: str,
    zone: str,
    shown: Mapping[str, Any],
) -> EmailMultiAlternatives:
    """The mail of `templates/mail/<template>.txt` and `.html`; the first line of the text is its subject.

    It is written in the language and time of its reader, or else of the place (`language`, `zone`).
    """
    brand = branding.brand_of(partner)
    context = {"brand": brand, "colours": palette(brand.colour), **shown}
    with (
        translation.override(user.language or language or settings.LANGUAGE_CODE),
        timezone.override(zoneinfo.ZoneInfo(user.timezone or zone or "UTC")),
    ):
        subject, _, text = render_to_string(f"mail/{template}.txt", context).lstrip().partition("\n")
        html = css_inline.inline(render_to_string(f"mail/{template}.html", context))
    sender = formataddr((_one_line(brand.sender), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    answers = [brand.support_email] if brand.support_email else []
    made = EmailMultiAlternatives(
        _one_line(subject), text.lstrip(), sender, [user.email], reply_to=answers, headers=_HEADERS
    )
    made.attach_alternative(html, "text/html")
    return made


_HEADERS = {"Auto-Submitted": "auto-generated"}


def _one_line(text: str) -> str:
    """`text` as a header takes it: a name with a line break in it must not become a header of its own."""
    return " ".join(text.split())
