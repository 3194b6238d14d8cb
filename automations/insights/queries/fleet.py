"""How runs do in many tenants at once, for a partner's fleet: a statement for a hundred of them, never one each."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tenants.tenancy import queries as tenancy
from tenants.tenancy.queries import TenantRef

_DAY: Final = timedelta(days=1)
_RUNS: Final = """
select counted.*,
  (select max(started_at) from {schema}.engine_run),
  (select count(*) from {schema}.engine_workflow),
  (select count(*) from {schema}.engine_workflow where state = 'active')
from (select
  count(*) filter (where started_at >= %s),
  count(*) filter (where started_at >= %s and status in ('faulted', 'suspended')),
  count(*) filter (where started_at >= %s and status = 'completed'),
  count(*) filter (where started_at >= %s and status in ('faulted', 'suspended'))
  from {schema}.engine_run where started_at >= %s and tasks = '') as counted
"""


@dataclass(frozen=True, slots=True)
class FleetRuns:
    """How a tenant's runs do, today and in the last 24 hours by its own clock, and how many workflows it has."""

    today: int
    failed_today: int
    completed: int
    troubled: int
    last_started_at: datetime | None
    workflows: int
    active: int

    @property
    def success(self) -> float | None:
        """Of the runs of the last 24 hours that ended or wait for a person: the share that completed."""
        ended = self.completed + self.troubled
        return self.completed / ended if ended else None


def fleet_runs(tenants: Sequence[TenantRef], now: datetime) -> dict[UUID, FleetRuns]:
    """The figures of several tenants, each by its own clock and zone."""
    presents = tenancy.presents(tenants, now)

    def values(tenant: TenantRef) -> list[Any]:
        present = presents[tenant.id]
        local = present.astimezone(zoneinfo.ZoneInfo(tenant.timezone))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        day = present - _DAY
        return [midnight, midnight, day, day, min(midnight, day)]

    return {key: FleetRuns(*row) for key, row in tenancy.over_tenants(tenants, _RUNS, values).items()}
