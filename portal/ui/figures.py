"""Figures of clients for the fleet: each provider gives one or more of them, in one go for any number of clients.

`@provide("open_cases", "overdue_cases")` over a function from tenants to a mapping of tenant id to a tuple of values. A
figure that nobody provides is shown as a dash that says so: never a made-up number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tenants.tenancy.queries import TenantRef

Provider = Callable[[Sequence[TenantRef]], Mapping[UUID, tuple[Any, ...]]]

NAMES: Final = (
    "health",
    "open_cases",
    "overdue_cases",
    "runs_today",
    "failed_today",
    "success",
    "last_run_at",
    "spark",
)
"""health: a word of the status vocabulary; success: a share of one; spark: runs of the last 14 days, oldest first."""

_providers: Final[dict[tuple[str, ...], Provider]] = {}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one tenant; None where no room has said."""

    health: str | None = None
    open_cases: int | None = None
    overdue_cases: int | None = None
    runs_today: int | None = None
    failed_today: int | None = None
    success: float | None = None
    last_run_at: datetime | None = None
    spark: Sequence[float] | None = None


def provide(*names: str) -> Callable[[Provider], Provider]:
    """Register the provider of these figures. Raises LookupError for a name that the fleet does not show."""
    for name in names:
        if name not in NAMES:
            raise LookupError(f"the fleet shows no figure called {name!r}")

    def register(provider: Provider) -> Provider:
        _providers[names] = provider
        return provider

    return register


def provided(name: str) -> bool:
    """Whether a room provides figure `name`."""
    return any(name in names for names in _providers)


def of(tenants: Sequence[TenantRef]) -> dict[UUID, Figures]:
    """The figures of each tenant: one call a provider, however many tenants there are."""
    known: dict[UUID, dict[str, Any]] = {tenant.id: {} for tenant in tenants}
    for names, provider in _providers.items():
        for key, values in provider(tenants).items():
            known[key] |= dict(zip(names, values, strict=True))
    return {key: Figures(**values) for key, values in known.items()}
