"""Whole journeys by keyboard alone, and without scripts."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tenants.branding.models import Brand
from tenants.tenancy import actions
from tenants.tenancy.models import ProvisioningJob, Tenant
from tests.browser.conftest import Visit
from tests.support.cast import PASSWORD, Cast


def test_somebody_signs_in_and_finds_a_page_by_keyboard_alone(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    seen = visit(None, cast.host)
    seen.go("/people/")
    keys = seen.page.keyboard
    keys.type("owner@cast.test")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    seen.page.wait_for_url("**/people/")
    keys.press("Control+k")
    keys.type("audit")
    keys.press("Enter")  # faster than any answer: it waits for the one that was asked for
    seen.page.wait_for_url("**/audit/")
    assert seen.complaints == []


def test_a_client_is_suspended_by_keyboard_with_its_name_typed(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    seen.go(f"/clients/{Tenant.objects.get(pk=cast.tenant.id).public_id}/")
    seen.page.focus("[popovertarget=moves]")
    keys = seen.page.keyboard
    keys.press("Enter")
    seen.until("document.activeElement.closest('#moves')")
    keys.press("ArrowDown")
    keys.press("Enter")
    seen.page.wait_for_selector("#dialog[open] textarea")
    assert seen.page.is_disabled("#dialog [data-needs-typed]")
    keys.type("Not paid for three months")
    keys.press("Tab")
    keys.type("Hollis Home")
    assert seen.page.is_enabled("#dialog [data-needs-typed]")
    keys.press("Enter")
    seen.page.wait_for_selector("text=Hollis Home is now: Suspended.")
    assert Tenant.objects.get(pk=cast.tenant.id).state == "suspended"
    assert seen.complaints == []


def test_ten_cases_are_worked_by_letters_with_an_undo_and_a_refusal(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    seen = visit(cast.operator, cast.platform_host)
    seen.go("/styleguide#split")
    page, keys = seen.page, seen.page.keyboard

    def chosen() -> str:
        return str(page.inner_text(".item[aria-current=true] .t"))

    def shown() -> int:
        return page.locator(".item:not([hidden])").count()

    before = shown()
    keys.press("j")
    seen.until("location.search.includes('EX-2288')")
    first = chosen()
    for _turn in range(3):
        here = chosen()
        keys.press("a")
        seen.until(
            "(was) => document.querySelector('.item[aria-current=true] .t').innerText !== was",
            here,
        )
        page.wait_for_selector(".toast:has-text('Fix approved')")
    assert shown() == before - 3
    assert chosen() != first
    last = chosen()
    keys.press("z")
    seen.until(
        "(was) => document.querySelector('.item[aria-current=true] .t').innerText !== was",
        last,
    )
    assert shown() == before - 2
    keys.press("s")
    page.wait_for_selector(".item .why")
    assert "Colin took this case" in page.inner_text(".item .why")
    assert shown() == before - 2
    keys.press("x")
    assert page.inner_text("[data-bulk-count]") == "1"
    assert seen.complaints == []


def test_letters_are_letters_while_one_types_and_can_be_turned_off(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    seen = visit(cast.operator, cast.platform_host)
    seen.go("/styleguide#split")
    rows = seen.page.locator(".item:not([hidden])").count()
    seen.page.focus("[name=buffer]")
    seen.page.keyboard.type("ae")
    assert seen.page.locator(".item:not([hidden])").count() == rows
    seen.context.add_cookies([{"name": "keys", "value": "off", "domain": cast.platform_host, "path": "/"}])
    seen.page.reload()
    seen.page.keyboard.press("a")
    seen.page.keyboard.press("?")
    assert seen.page.locator(".item:not([hidden])").count() == rows
    assert not seen.page.is_visible("#keysheet")


def test_a_brand_is_tried_and_published(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    seen.go("/branding/")
    seen.page.fill("[name=colour]", "#ffe600")
    seen.page.wait_for_selector("#readability :text('15.1:1')")
    colour = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    seen.until(colour.format(".pv .btn.pri") + " === 'rgb(255, 230, 0)'")
    assert seen.page.evaluate(colour.format(".acts .btn.pri")) != "rgb(255, 230, 0)"
    seen.page.click(".acts .btn.pri")
    seen.page.wait_for_selector("text=Your brand is published")
    assert Brand.objects.get().colour == "#ffe600"
    assert seen.page.evaluate(colour.format(".acts .btn.pri")) == "rgb(255, 230, 0)"
    assert seen.complaints == []


@pytest.mark.timeout(180)
def test_a_new_client_is_set_up_watched_and_opened(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    page = seen.page
    seen.go("/clients/new/")
    page.fill("[name=name]", "Nova Küche")
    page.keyboard.press("Enter")
    page.wait_for_url("**/address/")
    assert page.input_value("[name=slug]") == "nova-kuche"
    page.keyboard.press("Enter") if page.evaluate("document.activeElement.name") == "slug" else page.click(
        "text=Go on"
    )
    page.wait_for_url("**/people/")
    page.fill("[name=people-0-email]", "nina@nova.test")
    page.click("[data-add-row]")
    page.fill("[name=people-1-email]", "no address")
    page.click("text=Go on")
    page.wait_for_selector("text=Enter a valid email address.")
    page.click(".one:nth-of-type(2) [data-drop-row]")
    page.click("text=Go on")
    page.wait_for_url("**/blueprint/")
    page.click("text=Go on")
    page.wait_for_url("**/review/")
    page.click("text=Set up the client")
    page.wait_for_url("**/setup/")
    page.evaluate("window.stayed = true")
    job = ProvisioningJob.objects.get(tenant__slug="nova-kuche")
    assert [one["email"] for one in job.request["people"]] == ["nina@nova.test"]
    from kernel import clock

    actions.provision(job_id=job.id, now=clock.now())
    page.wait_for_selector("text=It stands")
    assert page.evaluate("window.stayed") is True
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_500)
    assert asked == []
    page.click("text=Open portal")
    come_in(page)
    page.wait_for_url(re.compile("nova-kuche"))
    page.wait_for_selector("text=Nova Küche")
    actions.roll_back(job=job, now=clock.now())


def come_in(page: Any) -> None:
    """A client lets its partner in for a reason and for a time."""
    page.fill("[name=reason]", "Looking after it")
    page.click(".formfoot button:has-text('Go in')")


def test_everything_works_without_scripts(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host, java_script_enabled=False)
    page = seen.page
    seen.go("/people/add")
    page.fill("[name=email]", "plain@cast.test")
    page.click("main button:has-text('Add')")
    page.wait_for_url("**/people/")
    assert page.is_visible("text=plain@cast.test is in.")
    page.fill("[name=q]", "plain")
    page.click("button:has-text('Find') >> visible=true")
    assert page.locator("tbody >> nth=0").locator("tr").count() == 1
    page.click("[popovertarget=me]")
    page.click("[name=theme][value=dark]")
    seen.go("/clients/")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.set_viewport_size({"width": 390, "height": 844})
    page.click(".menu-b")
    page.wait_for_selector("#side nav >> text=Audit log")
    page.set_viewport_size({"width": 1440, "height": 900})
    seen.go("/clients/")
    page.click("[popovertarget=places]")
    page.click("#places button:has-text('Hollis Home')")
    come_in(page)
    page.wait_for_url(re.compile("hollis.*overview"))
