"""Orders: the list with its filters, and one order on one line of time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from automations.events import actions as events
from kernel import clock
from portal.ui import orders
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_figures import place_orders, text_of
from tests.support import make
from tests.support.cast import NOW, Cast


def tell(tenant: TenantRef, kind: str, order_id: str, **data: object) -> None:
    """Something that happened to an order."""
    events.publish(
        type=kind,
        subject=order_id,
        data={"order_id": order_id, **data},
        source="/shops/harbour",
        time=NOW,
    )
    while events.dispatch(tenant, now=NOW):
        pass


def test_the_list_is_narrowed_by_number_status_and_time(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "A-1", "B-2")
    place_orders(tenant, "OLD-3", time=NOW - timedelta(days=40))
    tell(tenant, "order.delivered", "B-2")

    def shown(query: str) -> list[str]:
        return [row.order.order_id for row in portal.get(f"/orders/?{query}").context["rows"]]

    assert shown("") == ["B-2", "A-1", "OLD-3"]
    assert shown("q=A-") == ["A-1"]
    assert shown("q=%25") == []
    assert shown("status=delivered") == ["B-2"]
    assert shown(f"until={(NOW - timedelta(days=30)).date()}") == ["OLD-3"]
    assert shown("status=nonsense&q=A%00-") == []


def test_an_order_past_its_promise_is_told(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1")
    events.publish(
        type="order.placed",
        subject="LATE",
        data=make.order(
            order_id="LATE",
            number="LATE",
            estimated_delivery_at=clock.rfc3339(NOW - timedelta(days=1)),
        ),
        source="/shops/harbour",
        time=NOW - timedelta(days=3),
    )
    while events.dispatch(tenant, now=NOW):
        pass
    late = portal.get("/orders/?late=1").context["rows"]
    assert [(row.order.order_id, row.late) for row in late] == [("LATE", True)]


def test_an_order_of_which_only_the_end_is_known_has_a_list_of_its_own(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    tell(tenant, "order.delivered", "HALF")
    assert portal.get("/orders/").context["rows"] == []
    assert [row.order.order_id for row in portal.get("/orders/?partial=1").context["rows"]] == ["HALF"]
    assert "Delivered" in text_of(portal.get("/orders/HALF/"))


@pytest.mark.parametrize("partial", ["", "&partial=1"])
def test_the_list_comes_in_pages_without_a_gap(
    portal: Client, tenant: TenantRef, now: object, monkeypatch: pytest.MonkeyPatch, partial: str
) -> None:
    monkeypatch.setattr(orders, "PAGE", 2)
    names = [f"N-{number}" for number in range(5)]
    if partial:
        for name in names:
            tell(tenant, "order.delivered", name)
    else:
        place_orders(tenant, *names)
    found, after = [], ""
    for _turn in range(4):
        context = portal.get(f"/orders/?after={after}{partial}").context
        found += [row.order.order_id for row in context["rows"]]
        after = context["after"]
        if not after:
            break
    assert found == sorted(names, reverse=True)


def test_a_place_that_is_none_starts_anew(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1")
    for after in ("nonsense", "W10", "WyJ4IiwieSJd", "%00"):
        assert len(portal.get(f"/orders/?after={after}").context["rows"]) == 1


def test_typing_answers_with_the_rows_alone(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1")
    page = portal.get("/orders/?q=A", headers=PART).content.decode()
    assert "<html" not in page
    assert "A-1" in page


def test_an_order_s_line_of_time_tells_all_of_it_in_order_and_leads_on(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    made = world.of_tenant(tenant, "Quay")
    answer = portal.get(f"/orders/{made.ids['order']}/")
    entries = answer.context["entries"]
    kinds = [str(one.entry.kind) for one in entries]
    assert {"event", "run", "step", "case"} <= set(kinds)
    assert kinds[0] == "event"
    assert [one.entry.at for one in entries] == sorted(one.entry.at for one in entries)
    for one in entries:
        assert one.url
        assert portal.get(one.url).status_code == 200, one.url
    shown = portal.get(f"/orders/{made.ids['order']}/?show=cases").context["entries"]
    assert {str(one.entry.kind) for one in shown} <= {"case", "decision", "audit"}
    assert shown


def test_what_was_told_by_the_number_is_part_of_it_and_the_number_leads_there(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    events.publish(
        type="order.placed",
        subject="54001",
        data=make.order(order_id="54001", number="#1001"),
        source="/shops/harbour",
        time=NOW,
    )
    events.publish(type="order.booked", subject="#1001", data={}, source="/erp", time=NOW)
    while events.dispatch(tenant, now=NOW):
        pass
    assert portal.get("/orders/%231001/")["Location"] == "/orders/54001/"
    page = text_of(portal.get("/orders/54001/"))
    assert "Order #1001" in page
    assert "order.booked" in page


def test_one_who_may_not_see_runs_gets_no_link_to_them(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    made = world.of_tenant(tenant, "Quay")
    page = client_for(cast.auditor, cast.host).get(f"/orders/{made.ids['order']}/")
    assert page.status_code == 200
    assert all(one.url for one in page.context["entries"])  # an auditor sees runs, cases and events
    assert client_for(cast.staff, cast.host).get(f"/orders/{made.ids['order']}/").status_code == 403


def test_an_order_of_another_client_is_nowhere(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    place_orders(tenant, "OURS-1")
    browser = client_for(cast.other_owner, cast.other_host)
    assert browser.get("/orders/OURS-1/").status_code == 404
    assert "OURS-1" not in browser.get("/orders/").content.decode()
    assert browser.get("/orders/%00/").status_code == 404


def test_the_search_finds_an_order_by_how_its_number_begins(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "HB-10045")
    page = portal.get("/search/?q=HB-10", headers=PART).content.decode()
    assert 'href="/orders/HB-10045/"' in page


def test_an_order_with_a_slash_in_its_key_has_a_page(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "2026/17 ü")
    (row,) = portal.get("/orders/").context["rows"]
    assert portal.get(row.url).status_code == 200
