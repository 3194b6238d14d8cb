"""The library, the install wizard, what is installed, and help: clean for axe, narrow, dark, and by keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest

from kernel import clock
from templates_lib import queries
from templates_lib.actions import installing
from templates_lib.models import Installation
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.browser.conftest import Visit
from tests.house import world
from tests.support import make
from tests.support.cast import Cast

SIZES = [1440, 390]
HELP = (
    "/help/",
    "/help/?from=templates:library",
    "/help/cases/",
    "/help/runbooks/",
    "/help/figures/",
    "/help/keys/",
)


def furnish(cast: Cast) -> Installation:
    """Something to look at: events, cases, runs, connections, and a template that is installed."""
    world.of_tenant(cast.tenant, "here", now=clock.now())
    with context.enter(cast.tenant):
        erp = make.connection(name="ERP of the house", secret="a long secret")
    version = queries.versions_of("order-to-erp").first()
    assert version is not None
    return installing.install(
        version=version,
        tenant=cast.tenant,
        config=queries.defaults(version.input_schema),
        connections={"erp": str(erp.id)},
        actor=world.BY,
        now=clock.now(),
    )


def addresses(cast: Cast, one: Installation) -> list[tuple[str, Any, str]]:
    client = Tenant.objects.get(pk=cast.tenant.id).public_id
    ours = f"/templates/installed/{client}/{one.public_id}/"
    console = [
        "/templates/", "/templates/?q=nothing+like+it", "/templates/installed/", "/templates/installed/?show=behind",
        *(f"/templates/order-to-erp/?tab={tab}" for tab in ("overview", "settings", "tests", "runbook", "versions")),
        "/templates/order-watch/?step=/do/1/approval", "/templates/order-watch/install/", f"/clients/{client}/?tab=templates",
        ours, f"{ours}settings/", f"{ours}uninstall", f"{ours}state/paused", *HELP,
    ]  # fmt: skip
    portal = [
        "/templates/",
        "/templates/library/",
        "/templates/library/order-to-erp/",
        f"/templates/{one.public_id}/",
        *HELP,
    ]
    return [(cast.partner_host, cast.partner_admin, path) for path in console] + [
        (cast.host, cast.owner, path) for path in portal
    ]


def faults(seen: Visit, axe: str) -> list[str]:
    """Whatever somebody could object to on the page as it stands."""
    said = [*seen.in_both_themes(axe), *seen.complaints, *seen.foreign]
    said += seen.too_wide()
    seen.complaints.clear()
    return said


@pytest.mark.sweep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", SIZES)
def test_no_page_leaves_anything_to_object_to(
    cast: Cast, visit: Callable[..., Visit], axe: str, width: int
) -> None:
    at: dict[str, Visit] = {}
    wrong = {}
    for host, who, path in addresses(cast, furnish(cast)):
        seen = at[host] = at.get(host) or visit(who, host, width=width)
        assert seen.go(path).status == 200, path
        if said := faults(seen, axe):
            wrong[f"{host}{path}"] = said
    assert wrong == {}


@pytest.mark.sweep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", SIZES)
def test_no_step_of_the_wizard_leaves_anything_to_object_to(
    cast: Cast, visit: Callable[..., Visit], axe: str, width: int
) -> None:
    world.of_tenant(cast.tenant, "here", now=clock.now())
    seen = visit(cast.owner, cast.host, width=width)
    page, wrong = seen.page, {}

    def looked(step: str) -> None:
        if said := faults(seen, axe):
            wrong[step] = said

    onwards = "main button:has-text('Go on')"
    seen.go("/templates/library/order-to-erp/install/")
    looked("settings")
    page.fill("[name=hold_above]", "0")
    page.click(onwards)
    page.wait_for_selector("#id_hold_above_error")
    looked("settings, refused")
    page.fill("[name=hold_above]", "")
    page.click(onwards)
    page.wait_for_url("**/connections/")
    looked("connections")
    seen.go("/templates/library/order-to-erp/install/connections/?add=erp")
    looked("connections, adding")
    page.check("[name=use-erp] >> nth=0")
    page.click(onwards)
    page.wait_for_url("**/try/")
    looked("try")
    page.click(onwards)
    page.wait_for_url("**/review/")
    looked("review")
    page.click("main button:has-text('Install')")
    page.wait_for_selector("text=Order to ERP works at Hollis Home.")
    looked("installed")
    assert wrong == {}


def test_a_template_is_installed_by_keyboard_alone(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    page, keys = seen.page, seen.page.keyboard
    seen.go("/templates/order-watch/")
    page.focus(".acts a:has-text('Install')")
    keys.press("Enter")
    page.wait_for_url("**/install/")
    page.focus("a:has-text('Choose Hollis Home')")
    keys.press("Enter")
    page.wait_for_url("**/settings/")
    page.focus("[name=approval_hours]")
    keys.press("Control+a")
    keys.type("48")
    keys.press("Enter")
    page.wait_for_url("**/try/")
    for step in ("review", "installed"):
        page.focus("main .btn.pri")
        keys.press("Enter")
        page.wait_for_url(f"**/{step}/**")
    page.wait_for_selector("text=Order watch works at Hollis Home.")
    assert Installation.objects.get(tenant_id=cast.tenant.id).config["approval_hours"] == 48
    assert seen.complaints == []


def test_a_dialog_pauses_and_the_question_mark_leads_to_help(
    cast: Cast, visit: Callable[..., Visit], axe: str
) -> None:
    one = furnish(cast)
    seen = visit(cast.owner, cast.host)
    page = seen.page
    seen.go(f"/templates/{one.public_id}/")
    page.click(".acts a:has-text('Pause')")
    page.wait_for_selector("#dialog[open] textarea")
    assert seen.violations(axe) == []
    page.click("#dialog button:has-text('Pause')")
    page.wait_for_selector("#dialog .error")
    page.fill("#dialog textarea", "Stocktaking")
    page.click("#dialog button:has-text('Pause')")
    page.wait_for_selector("text=Order to ERP is paused.")
    page.click("a[aria-label='Help on this page']")
    page.wait_for_selector("text=The page you come from: Template library")
    assert seen.complaints == []
