"""Single sign-on by OpenID Connect: ask an identity provider, check what it says, and find who that is.

Code flow with PKCE, state and nonce; an answer fits the one question that this browser was sent off with. Who somebody
is stands in issuer and subject. An address alone makes nobody anybody: it is looked at once, when a subject comes
for the first time, and then only for people who belong nowhere but to the place whose provider speaks.
"""

import base64
import hashlib
import hmac
import secrets as random
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from kernel import http, jsonx, secrets
from kernel.actor import system
from kernel.http import Egress, EgressRefused, NoAnswer
from tenants.access.actions.roles import check_role
from tenants.access.enums import Role
from tenants.access.models import Membership, User
from tenants.accounts.enums import SIGN_ON
from tenants.accounts.errors import SignOnRefused
from tenants.accounts.models import Identity, Provider
from tenants.accounts.queries import belongs_beyond, is_member
from tenants.audit.actions import record
from tenants.tenancy import context

log = structlog.get_logger(__name__)
LIVES: Final = 600
_SECONDS: Final = 10.0
_LEEWAY: Final = 60
_ALGORITHMS: Final = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
"""Signatures by a key that the provider alone has: neither `none`, nor one by a secret that we have too."""


def metadata(issuer: str) -> dict[str, Any]:
    """What a provider says about itself. Raises SignOnRefused."""
    found = _json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise SignOnRefused(fields={"issuer": ["The provider at this address calls itself something else."]})
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise SignOnRefused(fields={"issuer": [f"The provider does not say its {name}."]})
        check_address(found[name])
    return found


def check_address(url: str, *, field: str = "issuer") -> str:
    """The address of a provider, by https and not inside of this house. Raises SignOnRefused, naming `field`."""
    egress = Egress(allowed=settings.EGRESS_ALLOW)
    try:
        target = http.check_url(url, egress)
    except EgressRefused as error:
        raise SignOnRefused(fields={field: [error.message]}) from error
    if target.scheme != "https" and not egress.opened(target.raw_host or "", target.port or 0):
        raise SignOnRefused(fields={field: ["The provider must be reached by https."]})
    return url


def _json(method: str, url: str, **options: Any) -> dict[str, Any]:
    egress = Egress(allowed=settings.EGRESS_ALLOW, max_bytes=1_000_000)
    headers = {"Accept": "application/json", **options.pop("headers", {})}
    try:
        answer = http.fetch(method, check_address(url), egress, headers=headers, seconds=_SECONDS, **options)
        found = jsonx.loads(answer.body) if answer.status == 200 else None
    except (NoAnswer, EgressRefused, ValueError) as error:
        raise SignOnRefused(
            fields={"issuer": ["The provider does not answer."]}, reason=str(error)
        ) from error
    if not isinstance(found, dict):
        raise SignOnRefused(fields={"issuer": ["The provider refused."]}, status=answer.status)
    return found


def begin(*, provider: Provider, back: str, onwards: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """(address to send the browser to, what to keep in its session until it comes back)."""
    said = metadata(provider.issuer)
    kept: dict[str, Any] = {
        "provider": str(provider.id),
        "state": random.token_urlsafe(24),
        "nonce": random.token_urlsafe(24),
        "verifier": random.token_urlsafe(48),
        "next": onwards,
        "at": now.timestamp(),
    }
    challenge = hashlib.sha256(kept["verifier"].encode()).digest()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": "openid email profile",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    where = said["authorization_endpoint"]
    return f"{where}{'&' if '?' in where else '?'}{urlencode(query, quote_via=quote)}", kept


def complete(
    *, provider: Provider, kept: Mapping[str, Any], given: Mapping[str, str], back: str, now: datetime
) -> User:
    """Who came back from the provider. Raises SignOnRefused."""
    if kept.get("at", 0) < now.timestamp() - LIVES or kept.get("provider") != str(provider.id):
        raise SignOnRefused(reason="too late")
    if not hmac.compare_digest(str(kept["state"]).encode(), given.get("state", "").encode()):
        raise SignOnRefused(reason="another question was asked")
    if given.get("iss", provider.issuer) != provider.issuer or not given.get("code"):
        raise SignOnRefused(reason=given.get("error", "no code"))
    said = metadata(provider.issuer)
    token = _exchange(provider, said, given["code"], str(kept["verifier"]), back)
    claims = _claims(provider, said, token, str(kept["nonce"]), now)
    return identify(provider=provider, claims=claims, now=now)


def _exchange(provider: Provider, said: Mapping[str, Any], code: str, verifier: str, back: str) -> str:
    with context.leave():
        secret = secrets.opened(
            bytes(provider.client_secret or b""), row=provider.id, version=1, purpose=SIGN_ON
        )
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in ways:
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret.decode(), safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        body |= {"client_id": provider.client_id, "client_secret": secret.decode()}
    answer = _json("POST", said["token_endpoint"], headers=headers, body=urlencode(body).encode())
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise SignOnRefused(reason="no id_token")
    return token


def _claims(
    provider: Provider, said: Mapping[str, Any], token: str, nonce: str, now: datetime
) -> dict[str, Any]:
    """What a token says, once all of it is checked."""
    keys = [key for key in _json("GET", said["jwks_uri"]).get("keys", []) if key.get("kty") != "oct"]
    try:
        found = jwt.decode(token, KeySet.import_key_set({"keys": keys}), algorithms=_ALGORITHMS)
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": provider.issuer},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SignOnRefused(reason=str(error)) from error
    claims: dict[str, Any] = dict(found.claims)
    audience = claims.get("aud")
    several = isinstance(audience, list)
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise SignOnRefused(reason="a token for somebody else")
    if claims.get("azp", provider.client_id) != provider.client_id or (
        several and len(audience or []) > 1 and "azp" not in claims
    ):
        raise SignOnRefused(reason="a token that somebody else asked for")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise SignOnRefused(reason="no subject")
    return claims


def identify(*, provider: Provider, claims: Mapping[str, Any], now: datetime) -> User:
    """The person behind checked claims; one who comes for the first time is linked, or made. Raises SignOnRefused."""
    known = (
        Identity.objects.select_related("user")
        .filter(provider=provider, issuer=provider.issuer, subject=claims["sub"])
        .first()
    )
    if known is not None:
        if not known.user.is_active or not _belongs(known.user, provider):
            raise SignOnRefused(reason="no role here any more")
        Identity.objects.filter(pk=known.pk).update(used_at=now)
        return known.user
    email = str(claims.get("email") or "").strip().lower()
    if not email or str(claims.get("email_verified")).lower() != "true":
        raise SignOnRefused(reason="no verified address")
    if email.rpartition("@")[2] not in provider.domains:
        raise SignOnRefused(reason="an address that this provider does not speak for")
    try:
        with transaction.atomic():
            user = User.objects.filter(email__iexact=email).first()
            if user is None:
                user = _made(provider, email, str(claims.get("name") or "")[:120], now)
            elif (
                not user.is_active
                or not is_member(user, provider.partner_id, provider.tenant_id)
                or belongs_beyond(user, provider.partner_id, provider.tenant_id)
            ):
                raise SignOnRefused(reason="this address belongs to somebody who is more than this place's")
            _link(provider, user, str(claims["sub"]), now)
    except IntegrityError as error:
        raise SignOnRefused(reason="twice at once") from error
    return user


def _belongs(user: User, provider: Provider) -> bool:
    """Whether they have a role at the provider's place; a partner's provider brings its people to clients as well."""
    rows = Membership.objects.filter(user=user, partner_id=provider.partner_id)
    return (rows.filter(tenant_id=provider.tenant_id) if provider.tenant_id else rows).exists()


def _made(provider: Provider, email: str, name: str, now: datetime) -> User:
    if not provider.role:
        raise SignOnRefused(reason="nobody invited them")
    check_role(
        Role(provider.role),
        partner_id=provider.partner_id,
        tenant_id=provider.tenant_id,
        actor=system("single sign-on"),
    )
    user = User.objects.create_user(email, name=name)
    row = Membership.objects.create(
        user=user,
        partner_id=provider.partner_id,
        tenant_id=provider.tenant_id,
        role=provider.role,
        created_at=now,
    )
    record(
        actor=system("single sign-on"),
        action="access.add_member",
        obj=row,
        now=now,
        after={"email": email, "role": provider.role},
        partner_id=provider.partner_id,
    )
    return user


def _link(provider: Provider, user: User, subject: str, now: datetime) -> None:
    row = Identity.objects.create(
        provider=provider,
        user=user,
        issuer=provider.issuer,
        subject=subject,
        created_at=now,
        used_at=now,
    )
    record(
        actor=system("single sign-on"),
        action="accounts.link_identity",
        obj=row,
        now=now,
        after={"email": user.email, "provider": provider.name},
        partner_id=provider.partner_id,
    )
