"""Passkeys (WebAuthn): making one, and signing in or confirming by one.

What a browser is asked and what it answers are JSON; what was asked is kept in the session between the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kernel.actor import Actor
from tenants.access.models import User
from tenants.accounts.actions import factors
from tenants.accounts.enums import FactorKind
from tenants.accounts.errors import WrongPasskey
from tenants.accounts.models import Factor
from tenants.audit.actions import record

MOST: Final = 20
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Site:
    """Whom a passkey is for: the name of the place, its relying party id, and the one origin that may ask."""

    name: str
    rp_id: str
    origin: str

    @property
    def server(self) -> Fido2Server:
        """The library's other half of the conversation."""
        rp = PublicKeyCredentialRpEntity(name=self.name, id=self.rp_id)
        return Fido2Server(rp, verify_origin=lambda origin: origin == self.origin)


def _described(rows: Any) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY, id=websafe_decode(row.credential_id)
        )
        for row in rows
    ]


def ask_new(*, user: User, site: Site) -> tuple[dict[str, Any], Any]:
    """(what the browser is asked, what to keep) to make a passkey."""
    options, state = site.server.register_begin(
        PublicKeyCredentialUserEntity(
            name=user.email, id=user.id.bytes, display_name=user.name or user.email
        ),
        credentials=_described(Factor.objects.filter(user=user, kind=FactorKind.PASSKEY)),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=_VERIFIED,
    )
    return dict(options), state


def add(
    *,
    user: User,
    site: Site,
    asked: Any,
    answer: Mapping[str, Any],
    name: str,
    actor: Actor,
    now: datetime,
) -> factors.Enrolled:
    """Keep a new passkey. Raises WrongPasskey."""
    try:
        made = site.server.register_complete(asked, answer)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongPasskey(reason=str(error)) from error
    credential = made.credential_data
    assert credential is not None
    key = websafe_encode(credential.credential_id)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if (
            Factor.objects.filter(credential_id=key).exists()
            or Factor.objects.filter(user=user).count() >= MOST
        ):
            raise WrongPasskey
        row = Factor.objects.create(
            user=user,
            kind=FactorKind.PASSKEY,
            name=name.strip()[:80] or "Passkey",
            credential=bytes(credential),
            credential_id=key,
            rp_id=site.rp_id,
            sign_count=made.counter,
            created_at=now,
        )
        record(actor=actor, action="accounts.add_factor", obj=row, now=now, after={"kind": row.kind})
        return factors.Enrolled(row, factors.first_codes(user, now))


def ask(*, user: User | None, site: Site) -> tuple[dict[str, Any], Any]:
    """(what the browser is asked, what to keep) to show a passkey: one of `user`, or where nobody is known any."""
    known = None
    if user is not None:
        known = _described(Factor.objects.filter(user=user, kind=FactorKind.PASSKEY, rp_id=site.rp_id))
    options, state = site.server.authenticate_begin(known, user_verification=_VERIFIED)
    return dict(options), state


def show(*, user: User | None, site: Site, asked: Any, answer: Mapping[str, Any], now: datetime) -> User:
    """The person whose passkey answered; it has to be `user`'s where one is known. Raises WrongPasskey."""
    try:
        key = websafe_encode(AuthenticationResponse.from_dict(answer).raw_id)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongPasskey(reason=str(error)) from error
    with transaction.atomic():
        row = (
            Factor.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(credential_id=key, kind=FactorKind.PASSKEY, rp_id=site.rp_id, user__is_active=True)
            .first()
        )
        if row is None or row.credential is None or (user is not None and row.user_id != user.pk):
            raise WrongPasskey
        try:
            site.server.authenticate_complete(asked, [AttestedCredentialData(bytes(row.credential))], answer)
        except (ValueError, KeyError, TypeError) as error:
            raise WrongPasskey(reason=str(error)) from error
        counter = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
        if counter and counter <= row.sign_count:
            raise WrongPasskey(reason="the counter went back: this passkey was copied")
        row.sign_count, row.used_at = counter, now
        row.save(update_fields=["sign_count", "used_at"])
    return row.user
