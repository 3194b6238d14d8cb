"""The frame of every page: headers, errors, profile, search, and what each role is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.events import actions as events
from automations.inbox.models import Case
from automations.insights.models import OrderLineFact
from tenants.access.models import User
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.support.cast import NOW, PASSWORD, Cast

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "manifest-src 'self'", "worker-src 'self'", "base-uri 'none'",
    "frame-ancestors 'none'",
}  # fmt: skip


def test_every_page_carries_the_strict_policy(portal: Client) -> None:
    for address in ("/sign-in", "/people/", "/nothing-here"):
        answer = portal.get(address)
        assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} == POLICY, address


def test_an_unknown_host_gets_a_neutral_page(cast: Cast) -> None:
    answer = Client(HTTP_HOST="nobody.localhost").get("/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "No portal lives here" in page
    assert "Meridian" not in page
    assert "/brand/" not in page


def test_an_error_page_wears_the_brand_and_names_the_request(cast: Cast, portal: Client) -> None:
    answer = portal.get("/nothing-here")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Meridian Retail Systems" in page
    assert answer["X-Request-Id"] in page


def test_an_error_in_a_part_of_a_page_is_a_fragment(portal: Client) -> None:
    answer = portal.get("/people/nonsense/role", headers=PART)
    assert answer.status_code == 404
    assert "<html" not in answer.content.decode()


def test_an_error_speaks_the_reader_s_language(cast: Cast) -> None:
    page = Client(HTTP_HOST="nobody.localhost").get("/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="de"' in page


def test_the_sidebar_shows_what_one_may_see(cast: Cast, client_for: Callable[..., Client]) -> None:
    owner = client_for(cast.owner, cast.host).get("/profile").content.decode()
    reviewer = client_for(cast.reviewer, cast.host).get("/profile").content.decode()
    assert 'href="/people/"' in owner
    assert 'href="/people/"' not in reviewer
    assert 'href="/branding/"' not in owner


def test_a_profile_is_kept_and_holds_at_once(cast: Cast, portal: Client) -> None:
    given = {
        "name": "Orla O.",
        "language": "de",
        "timezone": "Asia/Tokyo",
        "theme": "dark",
        "density": "compact",
    }
    assert portal.post("/profile", given).status_code == 302
    page = portal.get("/profile").content.decode()
    for said in ('lang="de"', 'data-theme="dark"', 'data-density="compact"', 'data-keys="off"', "Orla O."):
        assert said in page, said
    assert User.objects.get(pk=cast.owner.pk).timezone == "Asia/Tokyo"


def test_a_zone_that_is_none_is_refused(portal: Client) -> None:
    given = {"name": "O", "language": "en", "timezone": "Mars/Olympus", "theme": "auto", "density": "compact"}
    assert portal.post("/profile", given).status_code == 422


def test_a_password_is_changed_by_whoever_knows_it_and_this_session_stays(cast: Cast, portal: Client) -> None:
    assert (
        portal.post("/profile/password", {"old": "wrong", "new": "another long pass phrase"}).status_code
        == 422
    )
    assert portal.post("/profile/password", {"old": PASSWORD, "new": "short"}).status_code == 422
    done = portal.post("/profile/password", {"old": PASSWORD, "new": "another long pass phrase"})
    assert done.status_code == 302
    assert portal.get("/people/").status_code == 200
    assert User.objects.get(pk=cast.owner.pk).check_password("another long pass phrase")


def test_the_lighting_is_one_click(cast: Cast, portal: Client) -> None:
    assert portal.post("/profile/theme", {"theme": "dark"}, headers=PART).status_code == 204
    assert User.objects.get(pk=cast.owner.pk).theme == "dark"
    assert portal.post("/profile/theme", {"theme": "pink"}).status_code == 400


def test_the_search_finds_pages_actions_and_clients_of_this_partner(cast: Cast, console: Client) -> None:
    assert "Hollis Home" in console.get("/search/?q=hollis", headers=PART).content.decode()
    assert "Set up a new client" in console.get("/search/?q=new+client").content.decode()
    assert "Arbor" not in console.get("/search/?q=arbor", headers=PART).content.decode().replace(
        "q=arbor", ""
    )


def test_the_palette_finds_whatever_business_id_is_pasted(
    cast: Cast, client_for: Callable[..., Client], tenant: Any, now: Any
) -> None:
    with context.leave():
        made = world.of_tenant(cast.tenant, "Zephyr")
    OrderLineFact.objects.create(order_id=made.ids["order"], line_no=97, sku="MUG-77-BLUE", quantity=1)
    handed = events.publish(
        type="order.handed_over",
        subject=made.ids["order"],
        data={"order_id": made.ids["order"], "carrier": "Parcel Line", "tracking_number": "PL880021345"},
        source="/carriers/x",
        time=NOW,
    )
    owner = client_for(cast.owner, cast.host)
    case = Case.objects.get(pk=made.keys["case"])
    for text, address in (
        (made.ids["order"], f"/orders/{made.ids['order']}/"),
        ("MUG-77-BLUE", f"/orders/{made.ids['order']}/"),
        (made.ids["run"], f"/runs/{made.ids['run']}/"),
        (case.public_id, f"/inbox/{case.public_id}/"),
        (case.code, f"/inbox/{case.public_id}/"),
        ("PL880021345", f"/events/{handed.public_id}/"),
    ):
        page = owner.get("/search/", {"q": text}, headers=PART).content.decode()
        assert f'href="{address}"' in page, text
    nothing = owner.get("/search/", {"q": "PL880021346"}, headers=PART).content.decode()
    assert "/events/evt_" not in nothing


def test_the_switcher_finds_one_of_five_hundred_clients(
    cast: Cast, client_for: Callable[..., Client], django_assert_max_num_queries: Any
) -> None:
    partner = Partner.objects.get(slug="meridian")
    Tenant.objects.bulk_create(
        Tenant(
            schema_name=f"t_many_{number}", partner=partner, slug=f"many-{number}", name=f"Many {number:03}",
            state="active", ready_at=NOW, created_at=NOW,
        )
        for number in range(500)
    )  # fmt: skip
    browser = client_for(cast.partner_admin, cast.partner_host)
    with django_assert_max_num_queries(16):
        page = browser.get("/places/?q=many 437", headers=PART).content.decode()
    assert "Many 437" in page
    assert "Many 436" not in page


def test_the_search_of_a_reviewer_offers_no_page_that_is_closed_to_them(
    cast: Cast, client_for: Callable[..., Client]
) -> None:
    page = client_for(cast.reviewer, cast.host).get("/search/?q=", headers=PART).content.decode()
    assert "/people/" not in page
    assert "/tokens/" not in page


def test_the_style_guide_is_for_operators(cast: Cast, client_for: Callable[..., Client]) -> None:
    assert client_for(cast.operator, cast.platform_host).get("/styleguide").status_code == 200
    assert client_for(cast.owner, cast.platform_host).get("/styleguide").status_code == 404
    assert client_for(cast.owner, cast.host).get("/styleguide").status_code == 404


def test_operators_start_on_their_own_page(cast: Cast, client_for: Callable[..., Client]) -> None:
    page = client_for(cast.operator, cast.platform_host).get("/").content.decode()
    assert "meridian" in page
    assert "lumen" in page


@pytest.mark.parametrize("address", ["/sign-in", "/enter?pass=x", "/brand/meridian.0.svg"])
def test_public_addresses_ask_for_no_login(cast: Cast, address: str) -> None:
    assert Client(HTTP_HOST=cast.host).get(address).status_code in (200, 401)
