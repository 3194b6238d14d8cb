"""Which key opens what: a secret opens for its own installation, tenant, row, version and purpose, or not at all.

Opened data keys are remembered for half a minute, so a call through a connection asks neither database nor key server.
"""

import threading
import time
from typing import Final
from uuid import UUID

from kernel import masters, secrets
from kernel.secrets import SecretUnreadable
from tenants.tenancy import context
from tenants.tenancy.models import DataKey
from tenants.vault import queries

REMEMBER_SECONDS: Final = 30.0
_PLATFORM: Final = "platform"
_lock = threading.Lock()
_opened: dict[tuple[UUID | None, int], tuple[float, bytes]] = {}


def wrap(key: bytes, tenant_id: UUID | None, version: int) -> bytes:
    """A data key as it is kept."""
    return masters.master().wrap(key, *_names(tenant_id, version))


def unwrap(row: DataKey) -> bytes:
    """The data key of a row. Raises SecretUnreadable."""
    return masters.unwrap(bytes(row.wrapped), *_names(row.tenant_id, row.version))


def _names(tenant_id: UUID | None, version: int) -> tuple[object, ...]:
    """What a wrapped data key is bound to; the form before has no installation among its names."""
    return queries.installation(), "dek", tenant_id or _PLATFORM, version


def data_key(tenant_id: UUID | None, version: int) -> bytes:
    """A tenant's data key of that version, opened. Raises SecretUnreadable."""
    found = _opened.get((tenant_id, version))
    if found is not None and found[0] > time.monotonic():
        return found[1]
    row = queries.keys_of(tenant_id).filter(version=version).first()
    if row is None:
        raise SecretUnreadable("the data key that sealed this secret is gone")
    key = unwrap(row)
    with _lock:
        if len(_opened) > 5_000:
            _opened.clear()
        _opened[tenant_id, version] = (time.monotonic() + REMEMBER_SECONDS, key)
    return key


def forget() -> None:
    """Remember no data key."""
    _opened.clear()


class _Keeper:
    """Seals and opens for the tenant that is entered, or else for the installation."""

    def keep(self, value: bytes, *, row: object, version: int, purpose: str) -> bytes:
        tenant = context.current_or_none()
        owner = tenant.id if tenant else None
        present = queries.present_key(owner)
        if present is None:
            raise SecretUnreadable("there is no data key to seal this with")
        return self.sealed(value, owner, present.version, (row, version, purpose))

    def sealed(self, value: bytes, owner: UUID | None, number: int, names: tuple[object, int, str]) -> bytes:
        """`value` under data key `number` of `owner`, bound to `names`: row, version, purpose."""
        bound = (queries.installation(), owner or _PLATFORM, *names, number)
        return queries.HEAD + number.to_bytes(4, "big") + secrets.seal(data_key(owner, number), value, *bound)

    def opened(self, sealed: bytes, *, row: object, version: int, purpose: str) -> bytes:
        tenant = context.current_or_none()
        owner = tenant.id if tenant else None
        if sealed[:1] != queries.HEAD:  # as it was sealed before data keys had numbers
            return secrets.unseal(data_key(owner, 1), sealed, owner, row, version, purpose)
        number = queries.key_version(sealed)
        bound = (queries.installation(), owner or _PLATFORM, row, version, purpose, number)
        return secrets.unseal(data_key(owner, number), sealed[5:], *bound)


keeper: Final = _Keeper()
