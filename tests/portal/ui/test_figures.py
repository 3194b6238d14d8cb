"""The overview and the pages of key figures: each figure is what its rows are, on the page and in the file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automations.events import actions as events
from automations.insights.catalog import KPIS, Kpi
from kernel import clock
from portal.ui import kpi_shown, kpis
from tenants.access.models import User
from tenants.tenancy import context
from tenants.tenancy import queries as places
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.house.test_kpis import happen
from tests.portal.ui.conftest import PART
from tests.support import make
from tests.support.cast import NOW, Cast

_KPIS = pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.code)


def text_of(answer: object) -> str:
    """A page as people read it: without tags, its spaces as one."""
    page = answer.content.decode()  # type: ignore[attr-defined]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def lines_of(answer: object) -> list[dict[str, str]]:
    """The lines of a file."""
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def place_orders(tenant: TenantRef, *names: str, time: object = NOW) -> None:
    """Orders that were placed, through the intake."""
    for name in names:
        events.publish(
            type="order.placed",
            subject=name,
            data=make.order(order_id=name, number=name, placed_at=clock.rfc3339(time)),  # type: ignore[arg-type]
            source="/shops/harbour",
            time=time,  # type: ignore[arg-type]
        )
    while events.dispatch(tenant, now=NOW):
        pass


@_KPIS
def test_a_figure_says_what_it_is_and_opens_as_many_rows_as_it_counts(
    portal: Client, tenant: TenantRef, kpi: Kpi
) -> None:
    happen(kpi.example, tenant)
    with clock.hold(kpi.example.at):
        answer = portal.get(f"/figures/{kpi.code}/?period=all")
        told = text_of(answer)
        lines = lines_of(portal.get(f"/figures/{kpi.code}/rows.csv?period=all"))
    for said in (str(kpi.title), str(kpi.formula), kpi.source, str(kpi.example.words)):
        assert " ".join(said.split()) in told, said
    value, unit = kpi_shown.text(kpi, kpi.example.value)
    assert f"{value} {unit}".strip() in told
    assert f"The rows behind it {len(lines)} {kpi_shown.GRAINS[kpi.grain]}" in told
    assert answer.context["count"] == len(lines) == len(answer.context["rows"])


@_KPIS
def test_each_part_of_a_figure_opens_as_many_rows_as_it_says(
    portal: Client, tenant: TenantRef, kpi: Kpi
) -> None:
    happen(kpi.example, tenant)
    with clock.hold(kpi.example.at):
        bars = portal.get(f"/figures/{kpi.code}/?period=all").context["bars"]
        for bar in bars:
            answer = portal.get(bar.url)
            lines = lines_of(portal.get(answer.context["csv_url"]))
            assert answer.context["count"] == len(lines) == len(answer.context["rows"]), bar.code
            assert answer.context["part"] == bar.code


def test_a_file_holds_every_row_however_many_pages_they_fill(
    portal: Client, tenant: TenantRef, now: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "_CHUNK", 2)
    place_orders(tenant, "A-1", "A-2", "A-3", "A-4", "A-5")
    with context.leave():
        answer = portal.get("/figures/orders_placed/rows.csv")
        found = lines_of(answer)
    assert [line["id"] for line in found] == ["A-5", "A-4", "A-3", "A-2", "A-1"]
    assert answer["Content-Disposition"] == 'attachment; filename="orders_placed.csv"'
    assert found[0]["amount"] == "178.95"


def test_a_file_holds_no_formula(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "=1+1")
    (line,) = lines_of(portal.get("/figures/orders_placed/rows.csv"))
    assert line["id"] == "'=1+1"


def test_rows_come_in_pages(
    portal: Client, tenant: TenantRef, now: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "PAGE", 2)
    place_orders(tenant, "A-1", "A-2", "A-3")
    first = portal.get("/figures/orders_placed/?period=7").content.decode()
    assert "A-3" in first
    assert "A-1" not in first
    onward = unescape(re.findall(r'href="(\?[^"]*after=[^"]*)"', first)[0])
    assert "A-1" in portal.get(f"/figures/orders_placed/{onward}").content.decode()


@pytest.mark.parametrize(
    "query", ["part=nonsense", "sort=sideways", "after=%00", "since=yesterday", "period=7d"]
)
def test_nonsense_in_an_address_shows_the_figure_as_it_is(
    portal: Client, tenant: TenantRef, now: object, query: str
) -> None:
    place_orders(tenant, "A-1")
    answer = portal.get(f"/figures/orders_placed/?{query}")
    assert answer.status_code == 200
    assert "A-1" in answer.content.decode()


def test_two_days_of_one_s_own_are_a_period(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "EARLY", time=NOW - timedelta(days=40))
    place_orders(tenant, "LATE")
    day = (NOW - timedelta(days=40)).date().isoformat()
    page = portal.get(f"/figures/orders_placed/?since={day}&until={day}").content.decode()
    assert "EARLY" in page
    assert "LATE" not in page
    backwards = portal.get(f"/figures/orders_placed/?since={NOW.date()}&until={day}")
    assert backwards.context["rows"] == []


def test_a_figure_that_is_none_is_nowhere(portal: Client) -> None:
    assert portal.get("/figures/nonsense/").status_code == 404
    assert portal.get("/figures/nonsense/rows.csv").status_code == 404
    assert portal.get("/figures/orders_placed/rows.csv?part=x").status_code == 400


def test_every_figure_is_in_the_catalogue(portal: Client, now: object) -> None:
    told = text_of(portal.get("/figures/"))
    for kpi in KPIS.values():
        assert str(kpi.title) in told


def test_one_starts_on_the_overview_if_one_may_see_it(cast: Cast, client_for: Callable[..., Client]) -> None:
    assert client_for(cast.owner, cast.host).get("/")["Location"] == "/overview/"
    assert client_for(cast.staff, cast.host).get("/")["Location"] == "/inbox/"


def test_figures_are_for_those_who_may_see_them(cast: Cast, client_for: Callable[..., Client]) -> None:
    wanted = {"owner": 200, "reviewer": 200, "analyst": 200, "auditor": 200, "staff": 403, "stranger": 404}
    for name, status in wanted.items():
        user: User = getattr(cast, name)
        browser = client_for(user, cast.host)
        for address in (
            "/overview/",
            "/figures/",
            "/figures/open_cases/",
            "/figures/open_cases/rows.csv",
        ):
            assert browser.get(address).status_code == status, (name, address)


def test_each_figure_on_the_overview_leads_to_its_rows(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "A-1", "A-2")
    answer = portal.get("/overview/?period=7")
    page = answer.content.decode()
    assert "Orders placed" in text_of(answer)
    for one in answer.context["cards"]:
        assert f'href="{one["url"]}"'.replace("&", "&amp;") in page
        assert portal.get(one["url"]).status_code == 200
    (card,) = (one for one in answer.context["cards"] if one["id"] == "kpi-orders_placed")
    assert card["value"] == "2"
    assert portal.get(card["url"]).context["count"] == 2


def test_the_overview_moves_when_something_happens_and_is_silent_when_not(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "A-1")
    stamp = portal.get("/overview/").context["stamp"]
    assert portal.get(f"/overview/?seen={stamp}", headers=PART).status_code == 204
    place_orders(tenant, "A-2")
    moved = portal.get(f"/overview/?seen={stamp}", headers=PART)
    page = moved.content.decode()
    assert moved.status_code == 200
    assert "<html" not in page
    assert 'id="board"' in page
    assert moved.context["stamp"] != stamp


def test_an_empty_overview_says_what_to_do_first(portal: Client, now: object) -> None:
    assert "Nothing has come in yet" in text_of(portal.get("/overview/"))


def test_the_overview_asks_as_often_however_much_there_is(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            portal.get("/overview/")
        return len(queries)

    place_orders(tenant, "A-1")
    asked()
    few = asked()
    place_orders(tenant, *(f"B-{number}" for number in range(30)))
    assert asked() <= few + 2  # host and brand are remembered for a second only
    assert few < 60


def test_another_client_s_orders_are_no_part_of_it(
    cast: Cast, tenant: TenantRef, other_tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    place_orders(tenant, "OURS-1")
    browser = client_for(cast.other_owner, cast.other_host)
    with context.leave():  # a request finds its client by itself
        answer = browser.get("/figures/orders_placed/?period=all")
    assert (answer.status_code, answer.context["count"]) == (200, 0)
    assert "OURS-1" not in answer.content.decode()


def test_a_sandbox_is_looked_at_by_its_own_clock(
    cast: Cast, tenant: TenantRef, portal: Client, now: object
) -> None:
    there = NOW - timedelta(days=900)
    Tenant.objects.filter(pk=tenant.id).update(sandbox=True, virtual_now=there)
    places.forget_hosts()
    place_orders(tenant, "THEN", time=there - timedelta(days=1))
    answer = portal.get("/overview/?period=7")
    (card,) = (one for one in answer.context["cards"] if one["id"] == "kpi-orders_placed")
    assert card["value"] == "1"
    assert "Its own clock shows" in text_of(answer)
    assert "14 Sept 2023" in text_of(answer)
