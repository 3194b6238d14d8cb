"""Help: every page leads to it, each reader sees what is theirs, cases, runbooks and figures in words."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import get_resolver

from automations.inbox import registry
from automations.inbox.models import Case
from automations.insights.catalog.kpis import KPIS
from portal.ui.help_topics import TOPICS
from templates_lib import queries
from templates_lib.actions import installing
from tests.house.test_errors import ERRORS
from tests.portal.ui.test_templates import BY, newest
from tests.support.cast import NOW, Cast

PAGES = ("", "errors/", "cases/", "runbooks/", "figures/", "keys/")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_help_opens_on_every_host(
    cast: Cast, client_for: Callable[..., Client], path: str
) -> None:
    for who, host in (
        (cast.owner, cast.host),
        (cast.staff, cast.host),
        (cast.partner_engineer, cast.partner_host),
        (cast.operator, cast.platform_host),
    ):
        assert client_for(who, host).get(f"/help/{path}").status_code == 200, host


def test_a_stranger_learns_nothing_from_the_help(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.stranger, cast.host)
    for path in PAGES:
        assert browser.get(f"/help/{path}").status_code == 404
    assert Client(HTTP_HOST=cast.host).get("/help/").status_code == 302


def test_every_page_leads_to_help_about_itself(cast: Cast, console: Client, portal: Client) -> None:
    for browser, path, words in (
        (console, "/clients/", "The page you come from: Clients"),
        (console, "/clients/new/business/", "The page you come from: New client"),
        (portal, "/people/", "The page you come from: People"),
        (portal, "/templates/", "The page you come from: Template library"),
    ):
        page = browser.get(path).content.decode()
        address = page.split('href="/help/?from=')[1].split('"')[0]
        assert words in browser.get(f"/help/?from={address}").content.decode(), path
    assert "The page you come from" not in portal.get("/help/?from=nonsense").content.decode()


def test_one_reads_about_pages_that_one_may_open(cast: Cast, client_for: Callable[..., Client]) -> None:
    owner = client_for(cast.owner, cast.host).get("/help/").content.decode()
    staff = client_for(cast.staff, cast.host).get("/help/").content.decode()
    assert "API tokens" in owner.split("<main")[1]
    assert "API tokens" not in staff.split("<main")[1]
    assert "Branding" not in owner.split("<main")[1]


def test_every_room_with_pages_has_a_topic() -> None:
    covered = {room for topic in TOPICS for room in topic.rooms} | {
        "api",
        "scim",
        "help",
        "platform",
        "admin",
    }
    for urls in ("portal.urls_partner", "portal.urls_tenant"):
        rooms = {str(name) for name in get_resolver(urls).namespace_dict}
        assert rooms <= covered, (
            f"say in portal/ui/help_topics.py what these pages are for: {rooms - covered}"
        )


def test_every_kind_of_case_is_explained_under_its_runbook_s_name(portal: Client) -> None:
    page = portal.get("/help/cases/").content.decode()
    for kind in registry.kinds():
        assert f'id="{kind.runbook}"' in page, kind.code
    assert "{" not in page.split("<main")[1].split("</main>")[0]


def test_every_error_is_explained_under_its_code(portal: Client, console: Client) -> None:
    for browser in (portal, console):
        page = browser.get("/help/errors/").content.decode()
        assert len(ERRORS) > 40
        for error in ERRORS:
            assert f'id="{error.code}"' in page, error
    assert 'href="/help/errors/#not_found"' in portal.get("/runs/run_nothing/").content.decode()
    stranger = Client(HTTP_HOST=portal.defaults["HTTP_HOST"])
    assert "/help/errors/" not in stranger.get("/nothing", follow=True).content.decode()


def test_a_case_leads_to_the_runbook_of_its_kind(portal: Client, make_case: Callable[..., Case]) -> None:
    """Alerts are cases and notices about cases: what to do stands behind each of them."""
    case = make_case()
    kind = registry.kind(case.kind)
    page = portal.get(f"/inbox/{case.public_id}/").content.decode()
    assert f'href="/help/cases/#{kind.runbook}"' in page
    assert f'id="{kind.runbook}"' in portal.get("/help/cases/").content.decode()


def test_every_figure_has_its_formula_and_example(portal: Client) -> None:
    page = portal.get("/help/figures/").content.decode()
    assert page.count('<section class="card entry"') == len(KPIS)
    assert "Orders A and B were placed by Friday" in page


def test_runbooks_are_those_of_what_is_installed(cast: Cast, portal: Client, console: Client) -> None:
    assert "No runbook yet" in portal.get("/help/runbooks/").content.decode()
    version = newest("order-watch")
    installing.install(
        version=version, tenant=cast.tenant, config=queries.defaults(version.input_schema), connections={}, actor=BY, now=NOW
    )  # fmt: skip
    page = portal.get("/help/runbooks/").content.decode()
    assert 'id="order-watch"' in page
    assert 'id="order-to-erp"' not in page
    assert 'id="order-to-erp"' in console.get("/help/runbooks/").content.decode()
