"""Secrets: a type that does not print itself, and envelope encryption that binds a ciphertext to its row.

A master key (KEK, outside the database) wraps a data key per tenant (DEK); the data key seals each secret with
AES-256-GCM. The additional data names installation, tenant, secret, version and purpose, so that a ciphertext
moved to another row does not open (trust.md, section 5).
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import urllib.parse
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NoReturn, Protocol, overload

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel import apikeys
from kernel.errors import PortalError

_VERSION: Final = b"\x01"
_NONCE: Final = 12
_DOTS: Final = "•••"
_SHORTEST: Final = 6
"""Shorter secrets would blank ordinary words."""


class SecretUnreadable(PortalError):
    """A stored secret cannot be opened with the keys at hand."""

    code = "secret_unreadable"


class Secret:
    """A value that must not leak: no text form, no JSON form, no equality that tells by time."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; from here on `redact` knows it."""
        _revealed.remember(self._value)
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret has no text form; reveal() it where it is sent")

    __format__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        raise TypeError("a Secret is no key")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not stored this way")


def _forms(value: str) -> tuple[str, ...]:
    """How a secret may come back: plain, in base64, in a URL, in JSON; the longest first."""
    raw = value.encode()
    forms = {
        value,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        urllib.parse.quote(value, safe=""),
        json.dumps(value)[1:-1],
    }
    return tuple(sorted(forms, key=len, reverse=True))


@overload
def scrub(text: str, values: Iterable[str]) -> str: ...
@overload
def scrub(text: bytes, values: Iterable[str]) -> bytes: ...
def scrub(text: str | bytes, values: Iterable[str]) -> str | bytes:
    """`text` without these secrets, in whatever form."""
    for value in values:
        if len(value) < _SHORTEST:
            continue
        for form in _forms(value):
            if isinstance(text, bytes):
                text = text.replace(form.encode(), _DOTS.encode())
            else:
                text = text.replace(form, _DOTS)
    return text


class _Revealed:
    """The secret values that this process has used lately, in every form in which they could come back."""

    def __init__(self, size: int = 500) -> None:
        self._size = size
        self._forms: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, value: str) -> None:
        if len(value) < _SHORTEST or value in self._forms:
            return
        with self._lock:
            self._forms[value] = _forms(value)
            while len(self._forms) > self._size:
                self._forms.popitem(last=False)

    def redact(self, text: str) -> str:
        for forms in list(self._forms.values()):
            for form in forms:
                if form in text:
                    text = text.replace(form, _DOTS)
        return text


_revealed = _Revealed()


class Keeper(Protocol):
    """How secrets are sealed for rest, for the tenant that is entered or else for the installation itself.

    `row` and `version` say where the sealed secret stands, `purpose` what it is for: it opens there and nowhere else.
    """

    def keep(self, value: bytes, *, row: object, version: int, purpose: str) -> bytes: ...
    def opened(self, sealed: bytes, *, row: object, version: int, purpose: str) -> bytes: ...


_keeper: list[Keeper] = []


def use_keeper(keeper: Keeper) -> None:
    """Tell the kernel who keeps secrets; called once, when the vault room is ready."""
    _keeper[:] = [keeper]


def keep(value: bytes, *, row: object, version: int, purpose: str) -> bytes:
    """`value`, sealed for the present tenant under its data key; see Keeper."""
    return _keeper[0].keep(value, row=row, version=version, purpose=purpose)


def opened(sealed: bytes, *, row: object, version: int, purpose: str) -> bytes:
    """What `keep` sealed. Raises SecretUnreadable."""
    return _keeper[0].opened(bytes(sealed), row=row, version=version, purpose=purpose)


def redact(text: str) -> str:
    """`text` without API tokens, and without any secret value that this process has revealed (in its usual forms)."""
    return apikeys.hidden(_revealed.redact(text))


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(32)


def seal(key: bytes, plaintext: bytes, *aad: object) -> bytes:
    """`plaintext` under AES-256-GCM with a random nonce; `aad` are the names it is bound to."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, _bound(aad))


def unseal(key: bytes, sealed: bytes, *aad: object) -> bytes:
    """What `seal` sealed under the same key and names. Raises SecretUnreadable, never returns the input."""
    sealed = bytes(sealed)
    if sealed[:1] != _VERSION:
        raise SecretUnreadable
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _bound(aad))
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable from error


def _bound(names: tuple[object, ...]) -> bytes:
    """The names, each behind its length, so that no two lists of names read alike."""
    parts = [str(name).encode() for name in ("v1", *names)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def sign(key: bytes, purpose: str, message: bytes) -> str:
    """A URL-safe HMAC-SHA256 of `message` for one purpose."""
    mac = hmac.new(key, purpose.encode() + b"\x00" + message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def verify(key: bytes, purpose: str, message: bytes, signature: str) -> bool:
    """Whether `signature` is `sign`'s; takes the same time either way."""
    return hmac.compare_digest(sign(key, purpose, message), signature)
