"""Targets of key figures: who sets them, where they stand, and what they are compared with."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from automations.insights import actions
from automations.insights.catalog import KPIS, kpi, tile
from automations.insights.models import KpiTarget
from automations.insights.queries import Scope, targets
from kernel.errors import Forbidden, Invalid
from tenants.audit.models import AuditEvent
from tenants.tenancy.queries import TenantRef
from tests.portal.ui.test_figures import place_orders, text_of
from tests.support.cast import NOW, Cast


def test_a_target_stands_beside_the_figure_in_its_lines_and_in_the_trace(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "A-1", "A-2", time=NOW - timedelta(hours=1))
    assert "Target" not in text_of(portal.get("/overview/?period=7"))
    assert portal.post("/figures/orders_placed/target", {"target": "2"}).status_code == 302
    page = portal.get("/overview/?period=7")
    assert "Target: at least 14 · missed" in text_of(page)  # two a day, and seven days of which one had two
    assert 'class="goal"' in page.content.decode()
    assert portal.post("/figures/orders_placed/target", {"target": "0.25"}).status_code == 302
    assert "Target: at least 1.75 · met" in text_of(portal.get("/figures/orders_placed/?period=7"))
    assert "Target: at least 0.25 a day" in text_of(portal.get("/figures/orders_placed/?period=all"))
    told = AuditEvent.objects.filter(action="insights.set_target").order_by("-id").first()
    assert told is not None
    assert (told.before, told.after, told.object_id) == ({"target": 2.0}, {"target": 0.25}, "orders_placed")
    assert portal.post("/figures/orders_placed/target", {"target": ""}).status_code == 302
    assert targets() == {}
    assert "Target:" not in text_of(portal.get("/overview/?period=7"))


def test_a_share_is_said_in_per_cent_and_kept_as_a_fraction(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    assert portal.post("/figures/late_delivery_rate/target", {"target": "4.5"}).status_code == 302
    assert targets() == {"late_delivery_rate": 0.045}
    page = portal.get("/figures/late_delivery_rate/").content.decode()
    assert 'value="4.5"' in page
    assert "Target: at most 4.5 %" in text_of(portal.get("/figures/late_delivery_rate/"))
    refused = portal.post("/figures/late_delivery_rate/target", {"target": "140"})
    assert refused.status_code == 422
    assert "This figure can never have that value." in text_of(refused)
    assert 'value="140"' in refused.content.decode()
    assert targets() == {"late_delivery_rate": 0.045}


def test_who_may_set_it_is_asked_and_others_see_it(
    cast: Cast, client_for: Callable[..., Client], now: object
) -> None:
    analyst = client_for(cast.analyst, cast.host)
    assert analyst.post("/figures/approval_lag/target", {"target": "2"}).status_code == 403
    manager = client_for(cast.manager, cast.host)
    assert manager.post("/figures/approval_lag/target", {"target": "2"}).status_code == 302
    page = analyst.get("/figures/approval_lag/")
    assert "Target: at most 2 h" in text_of(page)
    assert "/target" not in page.content.decode()
    with pytest.raises(Forbidden):
        actions.set_target(code="approval_lag", value=1.0, actor=cast.actor(cast.analyst), now=NOW)
    assert manager.post("/figures/no_such/target", {"target": "2"}).status_code == 404


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 1e15])
def test_what_no_figure_can_be_is_no_target(cast: Cast, tenant: TenantRef, value: float) -> None:
    with pytest.raises(Invalid):
        actions.set_target(code="approval_lag", value=value, actor=cast.actor(cast.owner), now=NOW)
    assert not KpiTarget.objects.exists()


def test_a_figure_without_a_better_way_has_no_target(cast: Cast, portal: Client, now: object) -> None:
    none = [one for one in KPIS.values() if not one.aimed]
    assert none
    for one in none:
        assert "/target" not in portal.get(f"/figures/{one.code}/").content.decode()
        assert portal.post(f"/figures/{one.code}/target", {"target": "2"}).status_code == 422, one.code


def test_every_other_figure_says_how_it_stands_to_its_target(tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1", time=NOW - timedelta(hours=1))
    scope = Scope(NOW, NOW - timedelta(days=10))
    for one in KPIS.values():
        if not one.aimed:
            continue
        found = tile(one, scope, {one.code: 0.5})
        assert found.aim == pytest.approx(0.5 * len(scope.days()) if one.by_day else 0.5)
        assert (found.met is None) == (found.figure.value is None), one.code
    assert kpi("approval_lag").meets(2.0, 2.0)
    assert not kpi("approval_lag").meets(2.1, 2.0)
    assert kpi("orders_placed").meets(2.0, 2.0)
    assert not kpi("orders_placed").meets(1.9, 2.0)


def test_the_api_sets_and_tells_it(cast: Cast, portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1", time=NOW - timedelta(hours=1))
    assert portal.get("/api/v1/kpis/orders_placed/target").json() == {"target": None}
    answer = portal.put("/api/v1/kpis/orders_placed/target", {"target": 3}, content_type="application/json")
    assert answer.json() == {"target": 3.0}, answer.content
    told = portal.get("/api/v1/kpis/orders_placed?since=2026-01-01T00:00:00Z").json()
    assert (told["target"], told["met"]) == (3.0, False)
    wrong = portal.put("/api/v1/kpis/orders_by_status/target", {"target": 3}, content_type="application/json")
    assert wrong.status_code in (400, 422)
    assert "target" in wrong.content.decode()
