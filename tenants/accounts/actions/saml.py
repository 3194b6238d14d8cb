"""Single sign-on by SAML 2.0: ask, take the answer in, and find who came back.

An answer comes by a form of the provider's page, so the browser brings no cookie of ours along. It is checked and kept
for a minute; the browser is sent on to us once more, now with its session, and counts only where that session asked the
very question that was answered. What nobody asked for is refused: no sign-on begins at the provider.
"""

import hmac
import secrets as random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from kernel import saml as words
from kernel.saml import NotBelieved, Trusted
from tenants.access.models import User
from tenants.access.queries import digest
from tenants.accounts.actions.sign_on import LIVES, identify
from tenants.accounts.enums import ProviderKind
from tenants.accounts.errors import SignOnRefused
from tenants.accounts.models import Provider, SamlAnswer
from tenants.accounts.queries import providers_at
from tenants.tenancy.queries import HostRef

_WAITS: Final = timedelta(minutes=1)


def trusted_by(text: str) -> Trusted:
    """The identity provider that a metadata document describes. Raises SignOnRefused, naming the field."""
    try:
        return words.metadata(text.strip().encode())
    except NotBelieved as error:
        told = str(error) if str(error).startswith("The ") else "This is no metadata of an identity provider."
        raise SignOnRefused(fields={"metadata": [told]}, reason=str(error)) from error


def begin(
    *, provider: Provider, ours: str, back: str, onwards: str, now: datetime
) -> tuple[str, dict[str, Any]]:
    """(address to send the browser to, what to keep in its session until it comes back)."""
    address, asked = words.question(sso_url=provider.sso_url, ours=ours, back=back, now=now)
    return address, {"provider": str(provider.id), "asked": asked, "next": onwards, "at": now.timestamp()}


def take(*, portal: HostRef, response: str, ours: str, back: str, now: datetime) -> str:
    """Check an answer and keep it for a minute: the pass that the browser comes back with. Raises SignOnRefused."""
    try:
        root = words.parsed(words.unpacked(response))
        provider = _speaker(portal, words.issuer_of(root))
        said = words.read(root, trusted=_trusted(provider), ours=ours, back=back, now=now)
    except NotBelieved as error:
        raise SignOnRefused(reason=str(error)) from error
    text = random.token_urlsafe(32)
    try:
        with transaction.atomic():
            SamlAnswer.objects.create(
                provider=provider,
                assertion_id=said.assertion_id[:255],
                in_response_to=said.in_response_to[:255],
                claims={"sub": said.subject, "email": said.email, "name": said.name},
                digest=digest(text),
                taken_at=now,
                waits_until=now + _WAITS,
                counts_until=said.until + words.LEEWAY,
            )
    except IntegrityError as error:
        raise SignOnRefused(reason="an answer that was given before") from error
    return text


def _speaker(portal: HostRef, issuer: str) -> Provider:
    place = (portal.partner.id if portal.partner else None, portal.tenant.id if portal.tenant else None)
    found = providers_at(*place).filter(kind=ProviderKind.SAML, issuer=issuer).first()
    if found is None:
        raise SignOnRefused(reason="a provider that is not trusted here")
    return found


def _trusted(provider: Provider) -> Trusted:
    return Trusted(provider.issuer, provider.sso_url, list(provider.certificates))


def complete(*, provider: Provider, kept: Mapping[str, Any], text: str, now: datetime) -> User:
    """Who came back with a pass, in the browser that was sent off. Raises SignOnRefused."""
    if kept.get("at", 0) < now.timestamp() - LIVES or kept.get("provider") != str(provider.id):
        raise SignOnRefused(reason="too late")
    with transaction.atomic():
        row = (
            SamlAnswer.objects.select_for_update(of=("self",))
            .filter(digest=digest(text), provider=provider, used_at__isnull=True, waits_until__gt=now)
            .first()
        )
        if row is None or not hmac.compare_digest(row.in_response_to.encode(), str(kept["asked"]).encode()):
            raise SignOnRefused(reason="another question was asked")
        claims = {**row.claims, "email_verified": bool(row.claims["email"])}
        row.used_at, row.claims = now, {}  # what it said of a person is needed no longer
        row.save(update_fields=["used_at", "claims"])
        return identify(provider=provider, claims=claims, now=now)
