"""The figures of the fleet, from the rooms that know them: one statement each for a hundred clients."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from automations.connectors import queries as connectors
from automations.connectors.enums import ConnectionState
from automations.inbox import queries as inbox
from automations.insights.queries.fleet import FleetRuns, fleet_runs
from billing import queries as billing
from kernel import clock
from portal.ui.figures import provide
from tenants.tenancy.queries import TenantRef

_ENOUGH: Final = 5
_WELL: Final = 0.9
_DAYS: Final = 14


@provide("open_cases", "overdue_cases")
def cases(tenants: Sequence[TenantRef]) -> Mapping[UUID, tuple[Any, ...]]:
    """What waits for people, and what of it is past due."""
    found = inbox.tenant_figures(tenants)
    return {key: (one.open, one.past_due) for key, one in found.items()}


@provide("runs_today", "failed_today", "success", "last_run_at", "health")
def runs(tenants: Sequence[TenantRef]) -> Mapping[UUID, tuple[Any, ...]]:
    """How runs and connections do."""
    found = fleet_runs(tenants, clock.now())
    worst = connectors.worst(tenants)
    return {
        key: (one.today, one.failed_today, one.success, one.last_started_at, health(one, worst.get(key)))
        for key, one in found.items()
    }


def health(one: FleetRuns, worst: ConnectionState | None) -> str | None:
    """In a word: a connection is bad, or more than a tenth of five runs or more in trouble; None without workflows."""
    if worst is not None:
        return str(worst.value)
    ended = one.completed + one.troubled
    if one.success is not None and ended >= _ENOUGH and one.success < _WELL:
        return "degraded"
    if not one.workflows:
        return None
    return "healthy" if one.active else "paused"


@provide("spark")
def spark(tenants: Sequence[TenantRef]) -> Mapping[UUID, tuple[Any, ...]]:
    """Runs a day over the last two weeks, oldest first, as they are metered."""
    today = clock.now().date()
    days = [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
    counted = billing.daily_runs([tenant.id for tenant in tenants], days[0])
    return {key: ([runs.get(day, 0) for day in days],) for key, runs in counted.items()}
