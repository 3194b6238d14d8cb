"""The fleet's figures are the clients' own: counted where they live, each with what it opens."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.connectors.enums import ConnectionState
from automations.connectors.models import Connection
from automations.inbox import queries as inbox
from automations.insights.queries.fleet import FleetRuns, fleet_runs
from billing.models import MeterDay
from kernel import clock
from portal.ui import figures
from portal.ui import fleet_figures as fleet
from templates_lib import queries as templates
from templates_lib.actions import installing
from tenants.access.models import Membership
from tenants.tenancy import context, queries
from tenants.tenancy.models import Tenant
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.support import make
from tests.support.cast import NOW, Cast


def figures_of(cast: Cast) -> figures.Figures:
    return figures.of([queries.ref_of(Tenant.objects.get(pk=cast.tenant.id))])[cast.tenant.id]


def test_what_stands_in_the_fleet_is_what_the_client_has(cast: Cast, console: Client, now: Any) -> None:
    world.of_tenant(cast.tenant, "here", times=3)
    world.of_tenant(cast.other_tenant, "there", times=1)
    found = figures_of(cast)
    with context.enter(cast.tenant):
        assert found.open_cases == inbox.tenant_figures([cast.tenant])[cast.tenant.id].open
    assert (found.open_cases or 0) >= 3
    assert found.runs_today == found.failed_today
    assert (found.success, found.last_run_at) == (0.0, NOW)
    page = console.get("/clients/").content.decode()
    row = page.split("Hollis Home</a>")[1].split("</tr>")[0]
    assert f">{found.open_cases}<" in row
    assert 'name="next" value="/inbox/"' in row
    assert 'name="next" value="/runs/"' in row
    part = console.get("/clients/", headers=PART).content.decode()
    assert 'hx-trigger="every 15s"' in part


def test_no_figure_of_one_client_is_in_another_s(cast: Cast, now: Any) -> None:
    world.of_tenant(cast.other_tenant, "there", times=2)
    both = fleet_runs([cast.tenant, cast.other_tenant], NOW)
    assert both[cast.tenant.id].today == 0
    assert both[cast.other_tenant.id].today > 0
    cases = inbox.tenant_figures([cast.tenant, cast.other_tenant])
    assert cases[cast.tenant.id].open == 0
    assert cases[cast.other_tenant.id].open > 0


def test_a_day_begins_at_the_client_s_midnight_and_its_own_clock_counts(cast: Cast, now: Any) -> None:
    world.of_tenant(cast.tenant, "here")
    assert fleet_runs([cast.tenant], NOW)[cast.tenant.id].today > 0
    tomorrow = NOW + timedelta(days=1)
    assert fleet_runs([cast.tenant], tomorrow)[cast.tenant.id].today == 0
    Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True, virtual_now=NOW)
    own = queries.ref_of(Tenant.objects.get(pk=cast.tenant.id))
    assert fleet_runs([own], tomorrow)[cast.tenant.id].today > 0
    assert inbox.tenant_figures([own], tomorrow + timedelta(days=99))[own.id].past_due == 0


def test_a_tenant_that_is_not_ready_has_no_figures_and_breaks_nothing(cast: Cast) -> None:
    Tenant.objects.filter(pk=cast.tenant.id).update(ready_at=None)
    assert figures_of(cast) == figures.Figures()


@pytest.mark.parametrize(
    ("completed", "troubled", "workflows", "active", "worst", "word"),
    [
        (0, 0, 0, 0, None, None),
        (0, 0, 1, 0, None, "paused"),
        (0, 0, 2, 1, None, "healthy"),
        (9, 1, 1, 1, None, "healthy"),
        (8, 2, 1, 1, None, "degraded"),
        (1, 3, 1, 1, None, "healthy"),
        (9, 0, 1, 1, ConnectionState.DEGRADED, "degraded"),
        (9, 0, 1, 1, ConnectionState.DISCONNECTED, "disconnected"),
    ],
)
def test_health_in_a_word(
    completed: int, troubled: int, workflows: int, active: int, worst: Any, word: str | None
) -> None:
    assert fleet.health(FleetRuns(0, 0, completed, troubled, None, workflows, active), worst) == word


def test_a_bad_connection_puts_a_client_first(cast: Cast, console: Client) -> None:
    with context.enter(cast.tenant):
        row = make.connection()
        Connection.objects.filter(pk=row.pk).update(state="disconnected")
    assert figures_of(cast).health == "disconnected"
    assert "A workflow or connection fails" in console.get("/clients/?show=problems").content.decode()


def test_the_course_of_two_weeks_is_what_was_metered(cast: Cast) -> None:
    today = clock.now().date()
    for back, runs in ((0, 5), (13, 9), (14, 77)):
        MeterDay.objects.create(
            tenant_id=cast.tenant.id, day_date=today - timedelta(days=back), runs=runs, events=0, cases=0, counted_at=clock.now()
        )  # fmt: skip
    spark = list(figures_of(cast).spark or ())
    assert (len(spark), spark[0], spark[-1], sum(spark)) == (14, 9, 5, 14)


def test_the_client_s_page_lists_what_is_installed(cast: Cast, console: Client) -> None:
    path = f"/clients/{Tenant.objects.get(pk=cast.tenant.id).public_id}/"
    assert "Nothing is installed yet" in console.get(f"{path}?tab=templates").content.decode()
    assert "Install a template<span" in console.get(path).content.decode()
    version = templates.versions_of("order-watch").first()
    assert version is not None
    one = installing.install(
        version=version, tenant=cast.tenant, config=templates.defaults(version.input_schema), connections={}, actor=world.BY, now=NOW
    )  # fmt: skip
    page = console.get(f"{path}?tab=templates").content.decode()
    assert one.public_id in page
    assert "Active" in page


def test_a_portal_is_opened_at_the_page_that_was_asked_for_and_nowhere_else(
    cast: Cast, console: Client
) -> None:
    tenant = Tenant.objects.get(pk=cast.tenant.id)
    public = tenant.public_id
    Membership.objects.create(
        user=cast.partner_admin, partner=tenant.partner, tenant=tenant, role="tenant_admin", created_at=NOW
    )
    page = console.post(f"/go/{public}", {"next": "/inbox/?status=open"}).content.decode()
    address = page.split('content="0;url=')[1].split('"')[0].replace("&amp;", "&")
    answer = Client(HTTP_HOST=cast.host, HTTP_SEC_FETCH_SITE="same-site").get(
        address[address.index("/enter") :]
    )
    assert answer["Location"] == "/inbox/?status=open"
    for strange in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        page = console.post(f"/go/{public}", {"next": strange}).content.decode()
        address = page.split('content="0;url=')[1].split('"')[0].replace("&amp;", "&")
        assert "next" not in address
        browser = Client(HTTP_HOST=cast.host, HTTP_SEC_FETCH_SITE="same-site")
        answer = browser.get(f"{address[address.index('/enter') :]}&next={strange}")
        assert answer["Location"] == "/"
