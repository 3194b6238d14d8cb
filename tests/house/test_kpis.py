"""Every key figure says what it is, and its worked example comes out; behind each figure are the rows it says."""

from datetime import timedelta

import pytest

from automations.engine.models import Run
from automations.events import actions as events
from automations.events.models import Rejection
from automations.inbox.models import Case, Decision
from automations.insights.catalog import KPIS, Kpi
from automations.insights.contract import Example, RunOf
from automations.insights.queries import Scope
from kernel import jsonx
from kernel.ids import uuid7
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW

_KPIS = pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.code)


def happen(example: Example, tenant: TenantRef) -> None:
    """Let what the example tells of happen, through the real intake."""
    for number, told in enumerate(example.events):
        events.publish(
            type=told.type,
            subject=told.subject,
            data=dict(told.data),
            source="/engine" if told.type.startswith("portal.") else "/shops/example",
            time=told.time,
            event_id=f"{number}",
            internal=told.type.startswith("portal."),
        )
    while events.dispatch(tenant, now=NOW):
        pass
    assert not Rejection.objects.exists()
    for number, run in enumerate(example.runs, 1):
        _run(number, run)


def _run(number: int, told: RunOf) -> None:
    over = told.status in ("completed", "cancelled", "faulted")
    run = Run.objects.create(
        workflow_id=uuid7(),
        definition_id=uuid7(),
        status=told.status,
        business_key=f"run {number}",
        input=jsonx.pack({}),
        started_at=told.started_at,
        ended_at=told.started_at + timedelta(minutes=1) if over else None,
    )
    if told.decided:
        case = Case.objects.create(
            key=f"{run.id}:/do/0/x",
            number=number,
            kind="run_failed",
            title="x",
            of_run=True,
            run_id=run.id,
            fingerprint="x",
            seq=1,
            due_at=told.started_at,
            opened_at=told.started_at,
        )
        Decision.objects.create(
            case=case, kind="retry", actor_kind="user", actor="Rosa", at=told.started_at, fingerprint="x"
        )


@_KPIS
def test_a_key_figure_says_what_it_is(kpi: Kpi) -> None:
    for words in (kpi.title, kpi.formula, kpi.source, kpi.grain, kpi.example.words):
        assert str(words).strip()
    assert kpi.unit
    assert kpi.better
    assert str(kpi.formula).endswith(".")
    assert kpi.example.parts or kpi.example.value is not None


@_KPIS
def test_its_example_comes_out(kpi: Kpi, tenant: TenantRef) -> None:
    example = kpi.example
    happen(example, tenant)
    figure = kpi.figure(Scope(at=example.at))
    assert figure.value == pytest.approx(example.value)
    for code, value in example.parts.items():
        assert figure.part(code) == pytest.approx(value), code
    assert (
        not {part.code for part in figure.parts if part.value} - set(example.parts) or kpi.headline == "p50"
    )


@_KPIS
def test_the_figure_opens_its_rows(kpi: Kpi, tenant: TenantRef) -> None:
    example, scope = kpi.example, Scope(at=kpi.example.at)
    happen(example, tenant)
    assert example.rows
    for part, titles in example.rows.items():
        assert {row.title for row in kpi.rows(scope, part=part).items} == titles, part
    figure = kpi.figure(scope)
    counted = {part.code for part in figure.parts if part.value is not None} - {
        "p50",
        "p90",
        "p95",
        "p99",
        "mean",
    }
    for code in counted:
        assert len(kpi.rows(scope, part=code).items) == figure.part(code), code
    if not kpi.stock or kpi.headline == "":
        assert len(kpi.rows(scope).items) == figure.n


@_KPIS
def test_its_days_add_up(kpi: Kpi, tenant: TenantRef) -> None:
    if kpi.daily is None:
        pytest.skip("this figure has no days")
    happen(kpi.example, tenant)
    at = kpi.example.at
    scope = Scope(at=at, since=at - timedelta(days=7), until=at + timedelta(days=1))
    days = kpi.daily(scope)
    assert [day for day, _ in days] == scope.days()
    if kpi.unit in ("orders", "cases", "runs"):
        assert sum(value or 0 for _, value in days) == kpi.figure(scope).value
    else:
        assert any(value is not None for _, value in days)


@_KPIS
def test_nothing_gives_no_figure(kpi: Kpi, tenant: TenantRef) -> None:
    scope = Scope(at=NOW, since=NOW - timedelta(days=7), until=NOW)
    figure = kpi.figure(scope)
    assert figure.n == 0
    assert figure.value in (0, None)
    assert kpi.rows(scope).items == ()


def test_templates_name_figures_that_there_are() -> None:
    from pathlib import Path

    from automations.engine.dsl.document import read

    for manifest in Path("templates_lib/catalog").glob("*/manifest.yaml"):
        assert set(read(manifest.read_text()).get("kpis", ())) <= set(KPIS), manifest
