"""The template *Order watch* and the inbox open and close the cases that the files themselves say they must.

Real orders are rehearsed through the template; what their runs tell goes through the inbox. The other count is
`bench/olist_cases.py`, which knows neither.
"""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from automations.engine.actions.rehearse import rehearse
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.document import read
from automations.events import actions as events
from automations.events.actions import Draft
from automations.inbox.models import Case
from automations.inbox.queries import kind_counts
from automations.insights.vendors import olist
from bench import olist_cases
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import dispatch
from tests.automations.insights.conftest import OLIST

CONFIG = {"approval_hours": 24, "handover_grace_hours": 0, "delivery_grace_hours": 0}


def test_order_watch_opens_the_cases_that_the_files_say(tenant: TenantRef) -> None:
    if not OLIST.is_dir():
        pytest.skip(f"the Olist orders are not at {OLIST}")
    program = compile_document(
        read(Path("templates_lib/catalog/order-watch/workflow.yaml").read_text()), FUNCTIONS
    )
    orders: dict[str, list[Any]] = defaultdict(list)
    for event in olist.events(OLIST):
        orders[event["subject"]].append(event)
    end = olist_cases.horizon(olist_cases.read(OLIST)).replace(tzinfo=UTC)
    drafts: list[Draft] = []
    for placed, *rest in orders.values():
        seen = rehearse(
            program,
            given=[placed],
            started_at=datetime.fromisoformat(placed["time"]).timestamp(),
            until=end.timestamp(),
            events=rest,
            config=CONFIG,
        )
        drafts += [
            Draft(
                type=fact.type,
                subject=fact.subject,
                data=fact.data,
                source="/engine",
                time=datetime.fromtimestamp(fact.time, UTC),
                event_id=fact.id,
                internal=True,
            )
            for fact in seen.facts
        ]
    for start in range(0, len(drafts), 500):
        events.publish_many(drafts[start : start + 500])
    dispatch()
    assert {one.kind: [one.opened, one.closed_auto, one.still_open] for one in kind_counts()} == expected()
    assert not Case.objects.exclude(closed_how__in=("", "auto")).exists()


def expected() -> dict[str, list[int]]:
    """Opened, closed by themselves and still open by kind, counted from the files."""
    return {kind: list(counted.values()) for kind, counted in olist_cases.count(OLIST).items()}
