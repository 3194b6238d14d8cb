"""Journeys of somebody without a mouse: a run goes on, a brand is published, a passkey is made, used and removed."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from automations.engine.machine.moves import Outcome
from automations.engine.models import Run
from kernel import clock
from tenants.accounts.models import Factor
from tenants.branding.models import Brand
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.browser.keyboard import tab_to
from tests.support.cast import PASSWORD, Cast

PROTECTION = re.compile(r"\d/profile/protection/$")


@pytest.mark.timeout(120)
def test_a_run_goes_on_from_its_failed_step(cast: Cast, visit: Callable[..., Visit]) -> None:
    with context.enter(cast.tenant):
        run = Bench().fail(Outcome(503, {}, {"title": "Away"}), at=clock.now())
    seen = visit(cast.manager, cast.host)
    page, keys = seen.page, seen.page.keyboard
    seen.go(f"/runs/{run.public_id}/")
    tab_to(page, "Try again")
    keys.press("Enter")
    page.wait_for_selector("#dialog[open] textarea")
    keys.type("The ERP is back")
    tab_to(page, "Try again from the failed step")
    keys.press("Enter")
    page.wait_for_selector("#dialog", state="hidden")
    page.wait_for_load_state("load")
    with context.enter(cast.tenant):
        assert Run.objects.get(pk=run.pk).status != "suspended"
    assert seen.complaints == []


@pytest.mark.timeout(120)
def test_a_brand_is_published_and_taken_back(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(cast.partner_admin, cast.partner_host)
    page, keys = seen.page, seen.page.keyboard
    seen.go("/branding/")
    for colour in ("#0b7a3e", "#7a0b3e"):
        tab_to(page, "Brand colour")
        keys.press("Control+a")
        keys.type(colour)
        keys.press("Enter")
        page.wait_for_selector("text=Your brand is published")
        page.wait_for_load_state("load")
        assert Brand.objects.get().colour == colour
    tab_to(page, "Go back to it")
    keys.press("Enter")
    page.wait_for_selector("[name=colour][value='#0b7a3e']")
    assert Brand.objects.get().colour == "#0b7a3e"
    assert seen.complaints == []


def with_authenticator(seen: Visit) -> Any:
    """The browser gets a device that keeps passkeys and says yes to everything."""
    device = seen.context.new_cdp_session(seen.page)
    device.send("WebAuthn.enable")
    kind = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    return device, made["authenticatorId"]


def sign_in(seen: Visit) -> None:
    seen.go("/sign-in?next=/profile/protection/")
    keys = seen.page.keyboard
    keys.type("owner@cast.test")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")


@pytest.mark.timeout(180)
def test_a_passkey_is_made_used_and_removed(cast: Cast, visit: Callable[..., Visit]) -> None:
    seen = visit(None, cast.host)
    device, number = with_authenticator(seen)
    page, keys = seen.page, seen.page.keyboard
    sign_in(seen)
    page.wait_for_url(PROTECTION)
    tab_to(page, "New passkey")
    keys.press("Enter")
    page.wait_for_url("**/protection/passkey")
    tab_to(page, "Name")
    keys.type("Work laptop")
    keys.press("Enter")
    page.wait_for_selector("text=Keep them now: they are shown this once.")
    kept = device.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]
    assert [one["rpId"] for one in kept] == [cast.partner_host]
    assert Factor.objects.get().name == "Work laptop"

    seen.context.clear_cookies()
    seen.go("/sign-in?next=/profile/protection/")
    tab_to(page, "Sign in with a passkey")
    keys.press("Enter")
    page.wait_for_url(PROTECTION)
    page.wait_for_selector("text=Work laptop")

    tab_to(page, "Remove")
    keys.press("Enter")
    page.wait_for_selector("#dialog[open] .btn.danger")
    tab_to(page, "Remove")
    keys.press("Enter")
    page.wait_for_selector("text=No second factor yet")
    assert not Factor.objects.exists()
    seen.context.clear_cookies()
    seen.go("/sign-in")
    tab_to(page, "Sign in with a passkey")
    keys.press("Enter")
    page.wait_for_selector(".toast")
    assert "/sign-in" in page.url
    assert seen.complaints == []
