"""Figures of clients for the fleet: each room registers what it knows, in one query for any number of tenants.

`@provide("open_cases")` over a function from tenant ids to a mapping of id to value. A figure that nobody provides
is shown as a dash that says so: never a made-up number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

Provider = Callable[[Sequence[UUID]], Mapping[UUID, Any]]

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

_providers: Final[dict[str, Provider]] = {}


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


def provide(name: str) -> Callable[[Provider], Provider]:
    """Register the provider of figure `name`. Raises LookupError for a name that the fleet does not show."""
    if name not in NAMES:
        raise LookupError(f"the fleet shows no figure called {name!r}")

    def register(provider: Provider) -> Provider:
        _providers[name] = provider
        return provider

    return register


def provided(name: str) -> bool:
    """Whether a room provides figure `name`."""
    return name in _providers


def of(tenant_ids: Sequence[UUID]) -> dict[UUID, Figures]:
    """The figures of each tenant: one call a provider, however many tenants there are."""
    known = {name: provider(tenant_ids) for name, provider in _providers.items()}
    return {
        key: Figures(**{name: values[key] for name, values in known.items() if key in values})
        for key in tenant_ids
    }
