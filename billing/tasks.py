"""The jobs of the billing room."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import Max

from billing import actions
from kernel import clock, jobs
from tenants.tenancy import queries
from tenants.tenancy.models import Tenant


def _not_counted() -> Iterable[Mapping[str, object]]:
    """Tenants whose last count is more than ten minutes old."""
    stale = clock.now() - timedelta(minutes=10)
    rows = Tenant.objects.ready().annotate(counted=Max("meter_days__counted_at")).values_list("id", "counted")
    for tenant_id, counted in rows:
        if counted is None or counted < stale:
            yield {"tenant_id": tenant_id}


@jobs.job("billing.meter", queue="work", due=_not_counted)
def meter(*, tenant_id: str, **_: object) -> None:
    """Count the days of a tenant that are not fixed."""
    actions.meter_open_days(tenant=queries.tenant_ref(UUID(tenant_id)), now=clock.now())
