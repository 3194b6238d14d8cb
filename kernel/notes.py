"""Signing checkpoints of the audit: an Ed25519 key in a file outside the database, and C2SP's signed notes.

The file holds one text a line, as the other keys do; each line is a key, the first one signs, the others are still
known. Whoever verifies needs the public halves alone (`verifying_keys`), and `kernel/proof.py`.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kernel.errors import PortalError
from kernel.proof import Checkpoint, Key

_INFO: Final = b"audit checkpoint 1"


class NoAuditKey(PortalError):
    """The key that signs checkpoints of the audit is not there."""

    code = "no_audit_key"


def sign(point: Checkpoint, *, file: Path, name: str) -> str:
    """`point` as a note signed under `name` by the first key of `file`. Raises NoAuditKey."""
    return sign_text(point.body().decode(), file=file, name=name)


def sign_text(text: str, *, file: Path, name: str) -> str:
    """`text`, which ends with a line and has no empty one, as a signed note. Raises NoAuditKey."""
    private = _keys(file)[0]
    key = Key.of(name, _public(private))
    signature = base64.b64encode(key.id + private.sign(text.encode())).decode()
    return f"{text}\n\u2014 {name} {signature}\n"


def verifying_keys(*, file: Path, name: str) -> list[Key]:
    """The public halves of the keys in `file`, the one that signs first. Raises NoAuditKey."""
    return [Key.of(name, _public(private)) for private in _keys(file)]


def make_key(file: Path) -> bool:
    """Make the key's file, readable by its owner alone; False if there is one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_urlsafe(36) + "\n")
    return True


def _keys(file: Path) -> list[Ed25519PrivateKey]:
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except OSError as error:
        raise NoAuditKey(f"{file} cannot be read: {error.strerror}") from error
    found = [_derived(line) for line in lines if len(line) >= 32]
    if not found:
        raise NoAuditKey(f"{file} holds no key of at least 32 characters")
    return found


def _derived(text: str) -> Ed25519PrivateKey:
    seed = HKDF(hashes.SHA256(), 32, salt=None, info=_INFO).derive(text.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
