"""Where sealed secrets stand: rooms register their columns, so that another data key reaches every one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed secrets: `version` reads from a row the version it was sealed as; `title` is for people.

    `tenants`: whether schemas of tenants have it; `public`: whether the public one has.
    """

    model: Any
    column: str
    purpose: str
    title: str
    version: Callable[[Any], int] = field(default=lambda _: 1)
    public: bool = False
    tenants: bool = True

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
