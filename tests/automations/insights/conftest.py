"""Order events, folded as the dispatcher would; and the real orders where they are at hand."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from automations.events.models import Event
from automations.insights import actions
from automations.insights.vendors import olist
from kernel import clock
from tenants.tenancy.queries import TenantRef
from tests.support.owner import as_owner

OLIST = Path("/work/shared/data/olist10k")


def event(type_: str, subject: str, time: str | datetime, data: Any = None, key: str = "") -> Event:
    """An event as a handler gets it."""
    at = clock.parse_rfc3339(time) if isinstance(time, str) else time
    return Event(
        source="/shops/test",
        event_id=key or f"{subject}-{type_}-{at}",
        type=type_,
        subject=subject,
        time=at,
        received_at=at,
        data={"order_id": subject} if data is None else data,
    )


@pytest.fixture
def fold(tenant: TenantRef) -> Callable[[Iterable[Event]], None]:
    """Fold events into facts."""
    return lambda events: actions.fold_orders(list(events))


@pytest.fixture(scope="session")
def olist_events() -> list[Event]:
    """The events of 10,000 real orders."""
    if not OLIST.is_dir():
        pytest.skip(f"the Olist orders are not at {OLIST}")
    return [
        event(one["type"], one["subject"], one["time"], one["data"], one["id"]) for one in olist.events(OLIST)
    ]


@pytest.fixture
def olist_tenant(tenant: TenantRef, olist_events: list[Event]) -> TenantRef:
    """A tenant with the real orders, folded in batches as large as the dispatcher's."""
    for start in range(0, len(olist_events), 500):
        actions.fold_orders(olist_events[start : start + 500])
    # nobody else sees these rows, so nobody else can count them for the planner
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("analyze insights_orderfact, insights_orderline")
    return tenant
