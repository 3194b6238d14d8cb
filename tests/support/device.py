"""A device with passkeys, in software: answers what a browser is asked, with keys of its own (WebAuthn, ES256)."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Device:
    """Keeps one key a credential; `verified` says whether it asked for a finger or a PIN."""

    origin: str
    verified: bool = True
    counter: int = 0
    keys: dict[str, tuple[str, ec.EllipticCurvePrivateKey]] = field(default_factory=dict)

    def make(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A new passkey for whoever asks."""
        key, identifier = ec.generate_private_key(ec.SECP256R1()), os.urandom(32)
        self.keys[websafe_encode(identifier)] = (asked["rp"]["id"], key)
        public = cbor.encode(dict(ES256.from_cryptography_key(key.public_key())))
        attested = bytes(16) + len(identifier).to_bytes(2, "big") + identifier + public
        data = self._data(asked["rp"]["id"], _ATTESTED) + attested
        return self._answer(
            identifier,
            {
                "clientDataJSON": websafe_encode(self._client("webauthn.create", asked["challenge"])),
                "attestationObject": websafe_encode(
                    cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
                ),
            },
        )

    def show(self, asked: dict[str, Any], name: str = "") -> dict[str, Any]:
        """Sign what is asked with the passkey called `name`, or the only one."""
        name = name or next(iter(self.keys))
        _, key = self.keys[name]
        self.counter += 1
        client = self._client("webauthn.get", asked["challenge"])
        data = self._data(asked["rpId"], 0)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            websafe_decode(name),
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
            },
        )

    def _data(self, rp_id: str, more: int) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.verified else 0) | more
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    @staticmethod
    def _answer(identifier: bytes, response: dict[str, str]) -> dict[str, Any]:
        name = websafe_encode(identifier)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
