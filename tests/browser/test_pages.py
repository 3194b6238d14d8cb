"""Every page: nothing that axe objects to, no word on the console, no request elsewhere, nothing wider than a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from kernel import clock
from kernel.actor import system
from tenants.branding.actions import set_brand
from tenants.tenancy.models import Partner, Tenant
from tests.browser import views, work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

CONSOLE = (
    "/clients/", "/clients/?show=problems", "/clients/new/business/", "/clients/new/address/", "/clients/new/people/",
    "/clients/new/blueprint/", "/people/", "/people/add", "/tokens/", "/tokens/new", "/audit/", "/branding/", "/branding/domains/", "/profile",
    "/retention/", "/search/?q=a", "/nothing-here",
)  # fmt: skip
TOLD = (
    "/notifications/", "/notifications/rules", "/notifications/channels/", "/notifications/channels/new/", "/tasks/",
)  # fmt: skip
VARIANTS = [(1440, ""), (390, "#ffe600"), (390, ""), (1440, "#ffe600")]


def paths(cast: Cast) -> list[tuple[str, Any, str]]:
    """(host, who, path) of every page."""
    client = f"/clients/{Tenant.objects.get(pk=cast.tenant.id).public_id}/"
    of_client = [
        f"{client}{tail}"
        for tail in ("", "?tab=people", "?tab=domains", "?tab=log", "setup/", "state/suspended")
    ]
    console = [(cast.partner_host, cast.partner_admin, path) for path in (*CONSOLE, *of_client)]
    tenant = [(cast.host, cast.owner, path) for path in ("/people/", "/tokens/", "/audit/", "/profile")]
    tenant += [(cast.host, cast.owner, path) for path in (*work.pages(cast), *views.pages(cast), *TOLD)]
    operator = [(cast.platform_host, cast.operator, path) for path in ("/", "/styleguide")]
    return [
        (cast.partner_host, None, "/sign-in"),
        (cast.host, cast.stranger, "/"),
        *console,
        *tenant,
        *operator,
    ]


@pytest.mark.sweep
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("width", "colour"), VARIANTS)
def test_axe_the_console_and_the_network_have_nothing_to_say(
    cast: Cast, visit: Callable[..., Visit], axe: str, width: int, colour: str
) -> None:
    if colour:
        set_brand(
            partner=Partner.objects.get(pk=cast.partner.id),
            name="Lumina", colour=colour, sidebar="dark", support_email="", support_url="",
            actor=system("test"), now=clock.now(),
        )  # fmt: skip
    wrong: dict[str, Any] = {}
    at: dict[tuple[str, Any], Visit] = {}
    for host, who, path in paths(cast):
        seen = at[host, who] = at.get((host, who)) or visit(who, host, width=width)
        seen.complaints.clear()
        seen.go(path)
        said = [*seen.in_both_themes(axe), *seen.complaints, *seen.foreign]
        said += seen.too_wide()
        if said:
            wrong[f"{host}{path}"] = said
    assert wrong == {}


def test_dialogs_and_menus_pass_as_well(cast: Cast, visit: Callable[..., Visit], axe: str) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    seen.go("/people/")
    seen.page.click("text=Add a person")
    seen.page.wait_for_selector("#dialog[open] form")
    assert seen.violations(axe) == []
    seen.page.keyboard.press("Escape")
    seen.page.click("[popovertarget=me]")
    assert seen.violations(axe) == []
    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("Control+k")
    seen.page.wait_for_selector("#cmd [role=option]")
    assert seen.violations(axe) == []
    seen.page.keyboard.press("Escape")
    seen.page.keyboard.press("?")
    seen.page.wait_for_selector("#keysheet[open]")
    assert seen.violations(axe) == []
    assert seen.complaints == []


def test_a_first_page_asks_for_ten_things_at_most(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.go("/clients/")
    seen.page.wait_for_load_state("networkidle")
    assert len(asked) <= 10, asked
