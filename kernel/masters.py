"""Master keys: what wraps the data keys, kept outside the database, behind one interface.

By default they are texts in a file, the first of which wraps while the others still unwrap; the file is read again
when it changes, so that a new master key needs no restart. With `PORTAL_VAULT_ADDRESS` a Vault (or OpenBao) wraps them
with its transit engine, and the key never comes here. What one has wrapped says so in its first byte, so data keys
move from one to the other while everything runs.
"""

import base64
import hashlib
import json
import os
import re
import secrets as random
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from django.conf import settings
from yarl import URL

from kernel import http
from kernel.errors import PortalError
from kernel.secrets import SecretUnreadable, seal, unseal

_OLD, _FILE, _TRANSIT = b"\x01", b"\x02", b"\x03"
_ID: Final = 8
_VAULT_SECONDS: Final = 5.0
_KEY_BYTES: Final = 32
_WRAPPED: Final = re.compile(r"vault:v[1-9][0-9]{0,8}:[A-Za-z0-9+/=]{40,400}")


class NoRotation(PortalError):
    """This master key cannot be rotated from here."""

    code = "no_rotation"
    status = 409
    benign = True


class Master(Protocol):
    """Wraps keys. `names` say whose a key is: a wrapped key opens under the same names alone."""

    def wrap(self, key: bytes, *names: object) -> bytes:
        """`key`, wrapped by the present master key."""

    def unwrap(self, wrapped: bytes, *names: object) -> bytes:
        """What `wrap` wrapped. Raises SecretUnreadable."""

    def present(self, wrapped: bytes) -> bool:
        """Whether the present master key wrapped it."""

    def rotate(self) -> str:
        """Make a new master key the present one; its id. Raises NoRotation."""


class FileRing:
    """Master keys in a file, or in a setting: one a line."""

    def __init__(self, path: Path | None, text: str) -> None:
        """`path` is read again when it changes; without one, `text` holds the keys."""
        self._path, self._text = path, text
        self._seen = (0, 0)
        self._keys: dict[bytes, bytes] = {}
        self._lock = threading.Lock()

    def texts(self) -> list[str]:
        """The keys as they are written, the present one first."""
        self._read()
        return self._lines(self._text)

    @staticmethod
    def _lines(text: str) -> list[str]:
        return [line.strip() for line in text.splitlines() if line.strip()]

    def keys(self) -> dict[bytes, bytes]:
        """256 bit keys by their ids, the present one first."""
        self._read()
        return self._keys

    def _read(self) -> None:
        with self._lock:
            if self._path is not None:
                found = self._path.stat()
                if (found.st_mtime_ns, found.st_size) == self._seen and self._keys:
                    return
                self._text = self._path.read_text()
                self._seen = (found.st_mtime_ns, found.st_size)
            elif self._keys:
                return
            derived = [hashlib.sha256(f"kek:{line}".encode()).digest() for line in self._lines(self._text)]
            self._keys = {hashlib.sha256(b"id:" + key).digest()[:_ID]: key for key in derived}

    def wrap(self, key: bytes, *names: object) -> bytes:
        """`key` under the first key of the file."""
        number, master = next(iter(self.keys().items()))
        return _FILE + number + seal(master, key, *names)

    def unwrap(self, wrapped: bytes, *names: object) -> bytes:
        """What one of the keys of the file wrapped. Raises SecretUnreadable."""
        if wrapped[:1] == _FILE:
            master = self.keys().get(wrapped[1 : 1 + _ID])
            if master is None:
                raise SecretUnreadable("the master key that wrapped this data key is not here")
            return unseal(master, wrapped[1 + _ID :], *names)
        return self._unwrap_old(wrapped, names)

    def _unwrap_old(self, wrapped: bytes, names: tuple[object, ...]) -> bytes:
        """The form before keys had ids and installations a name; the name comes first among `names`."""
        for master in self.keys().values():
            try:
                return unseal(master, wrapped, *names[1:])
            except SecretUnreadable:
                continue
        raise SecretUnreadable("no master key that is here wrapped this data key")

    def present(self, wrapped: bytes) -> bool:
        """Whether the first key of the file wrapped it."""
        return wrapped[:1] == _FILE and wrapped[1 : 1 + _ID] == next(iter(self.keys()))

    def rotate(self) -> str:
        """Write a new key on top of the file. Raises NoRotation where there is no file to write to."""
        if self._path is None:
            raise NoRotation(
                "the master key is a setting: put a new one on a line before it, restart, and wrap anew"
            )
        self._write([random.token_urlsafe(36), *self.texts()])
        return next(iter(self.keys())).hex()

    def forget_old(self) -> int:
        """Leave the present key alone in the file; how many were taken out. Raises NoRotation."""
        if self._path is None:
            raise NoRotation("the master key is a setting: take the old ones out of it, and restart")
        texts = self.texts()
        self._write(texts[:1])
        return len(texts) - 1

    def _write(self, texts: list[str]) -> None:
        assert self._path is not None
        fresh = self._path.with_name(f".{self._path.name}.new")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as out:
                out.write("".join(f"{text}\n" for text in texts))
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise NoRotation(f"{self._path} cannot be written: {error.strerror}") from error


class Transit:
    """The transit engine of a Vault or an OpenBao; the key must be of a kind that takes associated data."""

    def __init__(self, address: str, key: str, token: str) -> None:
        """`address` is that of the server, `key` the name of the key, `token` may wrap, unwrap and rotate with it."""
        self._address, self._key, self._token = address.rstrip("/"), key, token
        where = URL(address)
        self._egress = http.Egress(allowed=frozenset({f"{where.host}:{where.port}"}))
        self._present = ""

    def wrap(self, key: bytes, *names: object) -> bytes:
        """`key`, encrypted by the server."""
        asked = {"plaintext": _base64(key), "associated_data": _names(names)}
        text = self._said("POST", f"encrypt/{self._key}", "ciphertext", asked)
        if not _WRAPPED.fullmatch(text):
            raise SecretUnreadable("the key server gave something else than a wrapped key")
        if self._unwrapped(text, asked["associated_data"]) != key:
            # what only it can open must open: a data key that it lost takes every secret along
            raise SecretUnreadable("the key server does not open what it has just wrapped")
        self._present = text.rpartition(":")[0]
        return _TRANSIT + text.encode()

    def unwrap(self, wrapped: bytes, *names: object) -> bytes:
        """What the server decrypts. Raises SecretUnreadable."""
        return self._unwrapped(wrapped[1:].decode(), _names(names))

    def _unwrapped(self, text: str, names: str) -> bytes:
        asked = {"ciphertext": text, "associated_data": names}
        try:
            key = base64.b64decode(
                self._said("POST", f"decrypt/{self._key}", "plaintext", asked), validate=True
            )
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            raise SecretUnreadable("the key server gave something else than a key")
        return key

    def present(self, wrapped: bytes) -> bool:
        """Whether the newest version of the server's key wrapped it."""
        if wrapped[:1] != _TRANSIT:
            return False
        if not self._present:
            self._present = f"vault:v{self._said('GET', f'keys/{self._key}', 'latest_version')}"
        return wrapped[1:].decode().rpartition(":")[0] == self._present

    def rotate(self) -> str:
        """Let the server make a new version of the key."""
        self._ask("POST", f"keys/{self._key}/rotate", {})
        self._present = ""
        self._present = f"vault:v{self._said('GET', f'keys/{self._key}', 'latest_version')}"
        return self._present

    def _said(self, method: str, path: str, member: str, body: Mapping[str, Any] | None = None) -> str:
        """A member of an answer. Raises SecretUnreadable where it is missing."""
        data = self._ask(method, path, body)
        found = data.get(member) if isinstance(data, dict) else None
        if not isinstance(found, str | int):
            raise SecretUnreadable(f"the key server's answer has no {member}")
        return str(found)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = http.fetch(
                method,
                f"{self._address}/v1/transit/{path}",
                self._egress,
                headers={"X-Vault-Token": self._token, "Content-Type": "application/json"},
                body=json.dumps(body).encode() if body is not None else None,
                seconds=_VAULT_SECONDS,
            )
        except (http.NoAnswer, http.EgressRefused) as error:
            raise SecretUnreadable(f"the key server did not answer: {error.message}") from error
        if answer.status not in (200, 204):
            raise SecretUnreadable(f"the key server answered {answer.status}")
        try:
            return json.loads(answer.body)["data"] if answer.body else {}
        except (ValueError, KeyError, TypeError, RecursionError):
            # nothing of the answer stands in the error: it may hold a key
            raise SecretUnreadable(
                "the key server answered with something else than JSON of its own"
            ) from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _names(names: tuple[object, ...]) -> str:
    return _base64("\x1f".join(str(name) for name in names).encode())


_made: dict[str, Any] = {}


def ring() -> FileRing:
    """The master keys that stand in a file or a setting."""
    key = f"ring:{settings.MASTER_KEY_FILE}:{settings.MASTER_KEYS}"
    found = _made.get(key) or _made.setdefault(key, FileRing(settings.MASTER_KEY_FILE, settings.MASTER_KEYS))
    assert isinstance(found, FileRing)
    return found


def master() -> Master:
    """What wraps data keys now."""
    address = settings.VAULT_ADDRESS
    if not address:
        return ring()
    found: Master = _made.get(address) or _made.setdefault(
        address, Transit(address, settings.VAULT_KEY, settings.VAULT_TOKEN)
    )
    return found


def unwrap(wrapped: bytes, *names: object) -> bytes:
    """What any of our master keys wrapped, past and present. Raises SecretUnreadable."""
    if wrapped[:1] != _TRANSIT:
        return ring().unwrap(wrapped, *names)
    if not settings.VAULT_ADDRESS:
        raise SecretUnreadable("a key server wrapped this data key, and none is set")
    return master().unwrap(wrapped, *names)
