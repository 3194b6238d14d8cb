"""A19: what an identity provider never said, or said to somebody else, lets nobody in."""

import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from kernel import clock
from tenants.accounts.actions import sign_on
from tenants.accounts.errors import SignOnRefused
from tenants.accounts.models import Identity, Provider
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import Cast

ISSUER: Final = "https://id.cast.test"
OURS: Final = RSAKey.generate_key(2048, {"kid": "one"})
OTHER: Final = RSAKey.generate_key(2048, {"kid": "one"})
CURVE: Final = ECKey.generate_key("P-256", {"kid": "two"})
Change = Callable[[dict[str, Any]], None]


def _set(**values: Any) -> Change:
    return lambda claims: claims.update(values)


def _drop(name: str) -> Change:
    return lambda claims: claims.pop(name)


CLAIMS: Final[dict[str, Change]] = {
    "wrong issuer": _set(iss="https://id.evil.test"),
    "issuer with a slash": _set(iss=f"{ISSUER}/"),
    "issuer of another partner": _set(iss="https://id.other.test"),
    "no issuer": _drop("iss"),
    "audience of another portal": _set(aud="other-portal"),
    "audience list without us": _set(aud=["other", "third"]),
    "audience list, asked for by another": _set(aud=["portal", "other"], azp="other"),
    "audience list, asked for by nobody": _set(aud=["portal", "other"]),
    "audience begins like us": _set(aud="portal-evil"),
    "no audience": _drop("aud"),
    "asked for by another": _set(azp="other"),
    "over": lambda claims: claims.update(exp=claims["iat"] - 3600),
    "no end": _drop("exp"),
    "end is text": _set(exp="tomorrow"),
    "from the future": lambda claims: claims.update(iat=claims["iat"] + 7200),
    "no beginning": _drop("iat"),
    "not yet": lambda claims: claims.update(nbf=claims["iat"] + 7200),
    "another nonce": _set(nonce="of another browser"),
    "empty nonce": _set(nonce=""),
    "no nonce": _drop("nonce"),
    "no subject": _drop("sub"),
    "empty subject": _set(sub=""),
    "endless subject": _set(sub="x" * 300),
    "subject is a number": _set(sub=7),
    "subject is a list": _set(sub=["sub-owner"]),
}


@pytest.fixture
def provider(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Provider:
    said = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/go",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
    }
    keys = {"keys": [OURS.as_dict(private=False), CURVE.as_dict(private=False)]}
    monkeypatch.setattr(sign_on, "metadata", lambda issuer: said)
    monkeypatch.setattr(sign_on, "_json", lambda method, url, **_: keys)
    row = Provider.objects.create(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        name="Cast ID",
        issuer=ISSUER,
        client_id="portal",
        domains=["cast.test"],
        created_at=clock.now(),
    )
    Identity.objects.create(
        provider=row, user=cast.owner, issuer=ISSUER, subject="sub-owner", created_at=clock.now()
    )
    return row


def claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "portal",
        "sub": "sub-owner",
        "nonce": "ours",
        "iat": now,
        "exp": now + 300,
        "email": "owner@cast.test",
        "email_verified": True,
    }


def come_back(monkeypatch: pytest.MonkeyPatch, provider: Provider, token: str, **given: str) -> Any:
    monkeypatch.setattr(sign_on, "_exchange", lambda *_: token)
    now = clock.now()
    kept = {
        "provider": str(provider.id),
        "state": "asked",
        "nonce": "ours",
        "verifier": "v",
        "next": "/",
        "at": now.timestamp(),
    }
    return sign_on.complete(
        provider=provider,
        kept=kept,
        given={"state": "asked", "code": "c", **given},
        back="https://x/back",
        now=now,
    )


def signed(given: dict[str, Any], key: Any = OURS, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "one", **header}, given, key, algorithms=[alg])


def test_what_it_really_said_is_believed(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come_back(monkeypatch, provider, signed(claims())) == cast.owner
    assert come_back(monkeypatch, provider, signed(claims(), CURVE, "ES256", kid="two")) == cast.owner
    assert come_back(monkeypatch, provider, signed({**claims(), "aud": ["portal"]}), iss=ISSUER) == cast.owner


@pytest.mark.parametrize("name", CLAIMS)
def test_a_token_that_says_something_else_is_refused(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given = claims()
    CLAIMS[name](given)
    with pytest.raises(SignOnRefused):
        come_back(monkeypatch, provider, signed(given))


def _none(given: dict[str, Any]) -> str:
    _, body, _ = signed(given).split(".")
    import base64
    import json

    bare = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{bare}.{body}."


def _confused(given: dict[str, Any]) -> str:
    """Signed by the public key as if it were a secret."""
    secret = OctKey.import_key(OURS.as_pem(private=False).hex())
    return signed(given, secret, "HS256")


FORGED: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "unsigned": _none,
    "the public key as a secret": _confused,
    "another key of the same name": lambda given: signed(given, OTHER),
    "another key, no name": lambda given: signed(given, OTHER, kid=""),
    "a key of its own in the header": lambda given: signed(given, OTHER, jwk=OTHER.as_dict(private=False)),
    "a key at an address of its own": lambda given: signed(given, OTHER, jku="https://evil.test/keys"),
    "signature cut off": lambda given: signed(given).rpartition(".")[0] + ".",
    "signature of something else": lambda given: (
        signed(given).rpartition(".")[0] + "." + signed({**given, "sub": "x"}).rpartition(".")[2]
    ),
    "two parts": lambda given: signed(given).rpartition(".")[0],
    "nothing": lambda given: "",
    "no token": lambda given: "not a token",
    "five parts": lambda given: f"{signed(given)}.a.b",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(SignOnRefused):
        come_back(monkeypatch, provider, FORGED[name](claims()))


@pytest.mark.parametrize(
    "given",
    [
        {"state": "of another"},
        {"state": ""},
        {"state": "askedx"},
        {"state": "äsked"},
        {"code": ""},
        {"iss": "https://id.evil.test"},
        {"code": "", "error": "access_denied"},
    ],
)
def test_an_answer_to_another_question_is_refused(
    cast: Cast, provider: Provider, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    with pytest.raises(SignOnRefused):
        come_back(monkeypatch, provider, signed(claims()), **given)
