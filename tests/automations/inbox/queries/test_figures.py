"""Figures about cases."""

from collections.abc import Callable
from datetime import UTC, date, timedelta

from automations.inbox import actions, queries
from automations.inbox.models import Case
from automations.inbox.queries import TenantFigures
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.support.cast import NOW, Cast


def test_the_fleet_is_counted_tenant_by_tenant(
    make_case: Callable[..., Case], cast: Cast, now: object
) -> None:
    make_case()
    make_case(due_at=NOW - timedelta(hours=1), severity="critical")
    with context.leave():
        found = queries.tenant_figures([cast.tenant, cast.other_tenant])
    assert found == {cast.tenant.id: TenantFigures(2, 1, 1), cast.other_tenant.id: TenantFigures(0, 0, 0)}


def test_cases_are_counted_by_kind_and_by_how_they_closed(make_case: Callable[..., Case]) -> None:
    make_case()
    make_case(state="resolved", closed_at=NOW, closed_how="auto")
    make_case(state="resolved", closed_at=NOW, closed_how="person")
    make_case(kind="run_failed", error_class="engine", state="resolved", closed_at=NOW, closed_how="run")
    late, failed = queries.kind_counts()
    assert (late.kind, late.opened, late.still_open, late.closed_auto, late.closed_person) == (
        "delivery_late",
        3,
        1,
        1,
        1,
    )
    assert (failed.kind, failed.closed_run) == ("run_failed.engine", 1)
    assert queries.counts_by_kind(since=NOW) == []
    assert dict(queries.counts_by_kind()) == {"delivery_late": 3, "run_failed.engine": 1}
    days = queries.by_day(since=NOW - timedelta(days=1), until=NOW, zone=UTC)
    assert days == [(date(2026, 3, 2), "delivery_late", 3), (date(2026, 3, 2), "run_failed", 1)]


def test_runs_that_people_helped_are_known(bench: Bench, cast: Cast) -> None:
    helped, left = bench.fail(), bench.fail(order_id="2")
    case = Case.objects.get(run_id=helped.id)
    actions.decide_case(case_id=case.id, decision="retry", actor=cast.actor(cast.reviewer), now=NOW)
    assert queries.decided_runs() == {helped.id}
    assert queries.decided_runs(since=NOW + timedelta(seconds=1)) == set()
    assert left.id not in queries.decided_runs()
