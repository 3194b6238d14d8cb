"""Reads of the vault room: keys, what is sealed under which, and how far a change of keys has come."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from kernel.secrets import SecretUnreadable
from tenants.tenancy.models import DataKey
from tenants.vault.models import Installation
from tenants.vault.registry import SealedColumn, Told, columns

HEAD = b"\x02"
"""The first byte of what is sealed under a numbered data key; what has another is of the first one."""
SOON: Final = timedelta(days=30)
"""So long before the end of a secret people are warned."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_installation: dict[str, str] = {}


def installation() -> str:
    """The name of this installation, drawn when its database was made."""
    if "id" not in _installation:
        found = Installation.objects.values_list("id", flat=True).first()
        if found is None:
            raise SecretUnreadable("this database does not say which installation it is")
        _installation["id"] = str(found)
    return _installation["id"]


def key_version(sealed: bytes) -> int:
    """The number of the data key under which a secret is sealed."""
    return int.from_bytes(sealed[1:5], "big") if sealed[:1] == HEAD else 1


def keys_of(tenant_id: UUID | None) -> Any:
    """The data keys of a tenant, or of the installation."""
    return DataKey.objects.filter(Q(tenant_id=tenant_id) if tenant_id else Q(tenant__isnull=True))


def present_key(tenant_id: UUID | None) -> DataKey | None:
    """The newest data key of a tenant, or of the installation."""
    found: DataKey | None = keys_of(tenant_id).order_by("-version").first()
    return found


def old_keys(tenant_id: UUID | None) -> Any:
    """A tenant's data keys but the newest, oldest first."""
    newest = present_key(tenant_id)
    return keys_of(tenant_id).filter(version__lt=newest.version if newest else 0).order_by("version")


def owners_of_old_keys() -> list[UUID | None]:
    """Tenants (None: the installation) that have more than one data key."""
    counted = DataKey.objects.order_by().values("tenant_id").annotate(n=Count("id")).filter(n__gt=1)
    return list(counted.values_list("tenant_id", flat=True))


def sealed_under(*, public: bool) -> Counter[int]:
    """How many secrets of the present schema are sealed under the data key of each version."""
    found: Counter[int] = Counter()
    for column in columns():
        if not column.stands(public=public):
            continue
        for value in column.rows().values_list(column.column, flat=True).iterator():
            found[key_version(bytes(value))] += 1
    return found


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret in a list: what it is of, what is told of it, and the data key it is sealed under."""

    title: str
    told: Told
    key: int
    state: str


def secrets_here(now: datetime) -> list[SecretRow]:
    """Every secret of the entered tenant that people gave, what ends first on top; never a value."""
    found = [
        _row(column, row, told, now)
        for column in columns()
        if column.tenants and column.listed
        for row, told in _told(column)
    ]
    return sorted(found, key=lambda one: (one.told.expires_at or _NEVER, one.title, one.told.name))


def _told(column: SealedColumn) -> list[tuple[Any, Told]]:
    rows = list(column.rows())
    return list(zip(rows, column.told(rows), strict=True))


def _row(column: SealedColumn, row: Any, said: Told, now: datetime) -> SecretRow:
    key = key_version(bytes(getattr(row, column.column)))
    return SecretRow(column.title, said, key, _state(said.expires_at, now))


def _state(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None or expires_at > now + SOON:
        return "active"
    return "expiring" if expires_at > now else "expired"
