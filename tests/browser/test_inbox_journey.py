"""A reviewer's morning by keyboard alone: ten cases, one decision taken back, a run that goes on, a second person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from automations.engine.machine.moves import Outcome
from automations.engine.models import Run
from automations.inbox import actions
from automations.inbox.actions import pending
from automations.inbox.models import Case, Intent
from kernel import clock, ids
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.support.cast import Cast

AWAY = Outcome(503, {}, {"title": "Away"})


def ten_cases() -> None:
    """Four orders that the ERP was away for, and six that are late, each due a little later than the one before."""
    now = clock.now()
    bench = Bench()
    for number in range(4):
        run = bench.fail(AWAY, order_id=f"2000{number}", at=now)
        Case.objects.filter(run_id=run.pk).update(due_at=now + timedelta(minutes=number))
    for number in range(6):
        Case.objects.create(
            key=f"late:{number}",
            number=3_000 + number,
            kind="delivery_late",
            title=f"Order 3000{number} is late",
            fingerprint=ids.uuid7().hex,
            seq=1,
            due_at=now + timedelta(hours=1 + number),
            opened_at=now,
        )


@pytest.mark.timeout(180)
def test_ten_cases_are_worked_off_by_letters_and_what_was_taken_back_is_not_done(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    with context.enter(cast.tenant):
        ten_cases()
    seen = visit(cast.reviewer, cast.host)
    seen.go("/inbox/")
    page, keys = seen.page, seen.page.keyboard

    def rows() -> int:
        return int(page.locator(".item:not([hidden])").count())

    assert rows() == 10
    keys.press("j")
    keys.press("k")
    for number in range(10):
        page.wait_for_selector(".item:not([hidden])[aria-current=true]")
        meant = page.get_attribute(".item[aria-current=true]", "id").removeprefix("item-")
        keys.press("a" if number < 4 else "e")
        seen.until("(left) => document.querySelectorAll('.item:not([hidden])').length === left", 9 - number)
        if number == 3:
            page.wait_for_selector(".toast button")
            keys.press("z")
            seen.until("() => document.querySelectorAll('.item:not([hidden])').length === 7")
            page.wait_for_selector(f"#detail [data-shows={meant}]")
            keys.press("a")
            seen.until("() => document.querySelectorAll('.item:not([hidden])').length === 6")
    page.wait_for_load_state("networkidle")
    with context.enter(cast.tenant):
        assert Case.objects.filter(kind="delivery_late", closed_at__isnull=True).count() == 0
        assert sorted(Intent.objects.values_list("state", flat=True)) == ["undone", *["waiting"] * 4]
        assert set(Run.objects.values_list("status", flat=True)) == {"suspended"}
        Intent.objects.update(carry_at=Now() - timedelta(seconds=1))
        for intent in Intent.objects.filter(state="waiting"):
            pending.carry_out(intent.pk, now=clock.now())
        assert set(Run.objects.values_list("status", flat=True)) == {"running"}
    assert seen.complaints == []


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
