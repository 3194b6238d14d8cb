"""Where sealed secrets stand: rooms register their columns, so that another data key reaches every one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """What people are told of a secret, which is everything but the secret.

    `hosts`: where it may be sent; empty where it is never sent. `uses`: what works with it.
    """

    name: str
    public_id: str
    hosts: str = ""
    set_at: datetime | None = None
    used_at: datetime | None = None
    expires_at: datetime | None = None
    uses: tuple[str, ...] = ()


def _by_name(rows: Sequence[Any]) -> list[Told]:
    return [Told(name=str(row), public_id=row.public_id) for row in rows]


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed secrets: `version` reads from a row the version it was sealed as; `title` is for people.

    `tenants`: whether schemas of tenants have it; `public`: whether the public one has. `told`: what a list says;
    `listed`: whether people gave it as a secret, so that they find it in their list.
    """

    model: Any
    column: str
    purpose: str
    title: str
    version: Callable[[Any], int] = field(default=lambda _: 1)
    public: bool = False
    tenants: bool = True
    told: Callable[[Sequence[Any]], list[Told]] = _by_name
    listed: bool = True

    def stands(self, *, public: bool) -> bool:
        """Whether it is in the public schema, or else in those of tenants."""
        return self.public if public else self.tenants

    def rows(self) -> Any:
        """Rows that hold a secret."""
        return self.model.objects.exclude(**{f"{self.column}__isnull": True}).order_by("pk")


_columns: list[SealedColumn] = []


def sealed_column(column: SealedColumn) -> SealedColumn:
    """Register a column of tenants' schemas (`public`: also of the public one)."""
    _columns.append(column)
    return column


def columns() -> list[SealedColumn]:
    """Every column with sealed secrets."""
    return list(_columns)
