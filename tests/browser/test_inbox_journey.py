"""A large amount at two keyboards: one asks, another agrees."""

from collections.abc import Callable

import pytest

from automations.engine.machine.moves import Outcome
from automations.inbox import actions
from automations.inbox.models import Case, Intent
from kernel import clock
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.support.cast import Cast

AWAY = Outcome(503, {}, {"title": "Away"})


@pytest.mark.timeout(120)
def test_a_large_amount_takes_two_people_at_two_keyboards(cast: Cast, visit: Callable[..., Visit]) -> None:
    with context.enter(cast.tenant):
        run = Bench().fail(AWAY)
        case = Case.objects.get(run_id=run.pk)
        actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=clock.now())
    first = visit(cast.reviewer, cast.host)
    first.go(f"/inbox/{case.public_id}/")
    first.page.click("a:has-text('Skip this step')")
    first.page.wait_for_selector("#dialog[open] textarea")
    first.page.keyboard.type("Booked by phone")
    first.page.click("#dialog .btn.pri")
    first.page.wait_for_selector("text=You asked for it, so somebody else agrees.")
    second = visit(cast.colleague, cast.host)
    second.go(f"/inbox/{case.public_id}/")
    second.page.wait_for_selector("text=Booked by phone")
    second.page.keyboard.press("a")
    second.page.wait_for_selector("text=It is carried out a few seconds after it was decided")
    assert second.complaints == first.complaints == []
    with context.enter(cast.tenant):
        assert Intent.objects.get().second == "Colin Colleague"
