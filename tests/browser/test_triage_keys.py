"""Letters that are typed faster than the server answers: each is done, in its order, to the case that it meant."""

from collections.abc import Callable

import pytest

from automations.engine.machine.moves import Outcome
from automations.inbox.enums import IntentState
from automations.inbox.models import Case, Intent
from kernel import clock
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.support.cast import PASSWORD, Cast

AWAY = Outcome(503, {}, {"title": "Away"})
SLOW = {"offline": False, "latency": 250, "downloadThroughput": -1, "uploadThroughput": -1}


def furnish(cast: Cast, times: int) -> None:
    with context.enter(cast.tenant):
        bench = Bench()
        for number in range(times):
            bench.fail(AWAY, order_id=f"300{number:02}", at=clock.now())


def slowed(seen: Visit) -> None:
    """Each request takes a quarter of a second, so that letters overtake answers."""
    cdp = seen.context.new_cdp_session(seen.page)
    cdp.send("Network.enable")
    cdp.send("Network.emulateNetworkConditions", SLOW)


def shown(seen: Visit) -> list[str]:
    """Cases of the list, from top to bottom, as the page orders them."""
    found: list[str] = seen.page.evaluate(
        "[...document.querySelectorAll('.item:not([hidden])')].map((row) => row.id.replace('item-', ''))"
    )
    return found


def idle(seen: Visit) -> None:
    """Until nothing is under way: what stands beside the list is what is marked in it."""
    seen.page.wait_for_load_state("networkidle")
    seen.until(
        "document.querySelector('#detail [data-shows]')?.dataset.shows"
        " === document.querySelector('.item[aria-current=true]')?.id.replace('item-', '')"
    )


def decided(cast: Cast) -> dict[str, list[str]]:
    """What became of each case that was decided: the states of its decisions, the first one first."""
    with context.enter(cast.tenant):
        codes = {one.pk: one.public_id for one in Case.objects.all()}
        found: dict[str, list[str]] = {}
        for one in Intent.objects.order_by("at"):
            found.setdefault(codes[one.case_id], []).append(one.state)
    return found


def until_decided(seen: Visit, cast: Cast, times: int) -> dict[str, list[str]]:
    """What became of the cases, once so often was decided."""
    for _turn in range(60):
        found = decided(cast)
        if sum(map(len, found.values())) >= times:
            return found
        seen.page.wait_for_timeout(250)
    return decided(cast)


@pytest.mark.timeout(180)
def test_what_is_typed_right_after_an_undo_is_done_to_the_case_that_came_back(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    furnish(cast, 3)
    seen = visit(cast.reviewer, cast.host)
    seen.go("/inbox/?each=1")
    first, second, third = shown(seen)
    slowed(seen)
    keys = seen.page.keyboard
    keys.press("a")
    seen.page.wait_for_selector(".toast:has-text('is tried again')")
    keys.press("z")
    keys.press("a")
    found = until_decided(seen, cast, 2)
    idle(seen)
    assert found == {first: [IntentState.UNDONE, IntentState.WAITING]}
    assert shown(seen) == [second, third]
    assert seen.complaints == []


@pytest.mark.timeout(180)
def test_an_undo_that_comes_before_the_answer_takes_back_what_was_typed_before_it(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    furnish(cast, 4)
    seen = visit(cast.reviewer, cast.host)
    seen.go("/inbox/?each=1")
    first, second, third, fourth = shown(seen)
    slowed(seen)
    for letter in "aaz":  # the second one is taken back, though the toast of the first one stands
        seen.page.keyboard.press(letter)
    seen.page.wait_for_selector(".toast:has-text('Undone')")
    idle(seen)
    assert decided(cast) == {first: [IntentState.WAITING], second: [IntentState.UNDONE]}
    assert shown(seen) == [second, third, fourth]
    assert seen.page.locator(".item[aria-current=true]").get_attribute("id") == f"item-{second}"


@pytest.mark.timeout(240)
def test_somebody_signs_in_and_works_off_ten_cases_without_a_mouse_or_a_pause(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    furnish(cast, 12)
    seen = visit(None, cast.host)
    seen.go("/inbox/?each=1")
    keys = seen.page.keyboard
    keys.type("owner@cast.test")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    seen.page.wait_for_url("**/inbox/?each=1")
    seen.page.wait_for_selector(".item")
    listed = shown(seen)
    assert len(listed) == 12
    slowed(seen)
    for letter in "aaa" + "z" + "a" * 8:
        keys.press(letter)
    found = until_decided(seen, cast, 11)
    idle(seen)
    once, undone = [IntentState.WAITING], [IntentState.UNDONE, IntentState.WAITING]
    assert found == {case: undone if place == 2 else once for place, case in enumerate(listed[:10])}
    assert shown(seen) == listed[10:]
    assert seen.complaints == []


@pytest.mark.timeout(180)
def test_a_case_that_another_one_decided_comes_back_with_the_reason_and_no_other(
    cast: Cast, visit: Callable[..., Visit]
) -> None:
    furnish(cast, 3)
    seen, other = visit(cast.reviewer, cast.host), visit(cast.colleague, cast.host)
    for one in (seen, other):
        one.go("/inbox/?each=1")
    first, second, third = shown(seen)
    other.page.keyboard.press("a")
    until_decided(other, cast, 1)
    slowed(seen)
    for letter in "aa":
        seen.page.keyboard.press(letter)
    seen.page.wait_for_selector(f"#item-{first} .why")
    idle(seen)
    found = decided(cast)
    assert found.pop(first) == [IntentState.WAITING]
    assert set(found) <= {second}, "the second letter meant the second case, if it was not dropped"
    assert set(shown(seen)) == {first, second, third} - set(found)


@pytest.mark.timeout(120)
def test_a_network_that_is_gone_brings_the_row_back(cast: Cast, visit: Callable[..., Visit]) -> None:
    furnish(cast, 2)
    seen = visit(cast.reviewer, cast.host)
    seen.go("/inbox/?each=1")
    before = shown(seen)
    seen.context.set_offline(True)
    seen.page.keyboard.press("a")
    seen.page.wait_for_selector(".toast.bad")
    seen.until("document.querySelectorAll('.item:not([hidden])').length === 2")
    assert shown(seen) == before
    seen.context.set_offline(False)
    assert decided(cast) == {}
