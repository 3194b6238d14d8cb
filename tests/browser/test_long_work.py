"""Long work in a real browser: the page looks again by itself, loses nothing that was typed, and stops when it is told."""

from collections.abc import Callable

from automations.engine.actions import redriving
from automations.engine.models import Bulk, BulkItem
from automations.engine.queries import RunFilter
from kernel import clock
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.house.world import BY
from tests.support.cast import Cast


def test_what_is_typed_stays_while_the_page_looks_again_and_the_looking_ends(
    cast: Cast, visit: Callable[..., Visit], axe: str
) -> None:
    with context.enter(cast.tenant):
        bench = Bench()
        for number in range(3):
            bench.fail(at=clock.now(), order_id=f"1004{number}", shipping_address={"postcode": None})
        bulk = redriving.start_bulk(act="retry", wanted=RunFilter(), actor=BY, now=clock.now(), rate=50.0)
    seen = visit(cast.manager, cast.host)
    page = seen.page
    asked: list[str] = []
    seen.go("/work/")
    page.click("text=Try again: 3 runs")
    page.wait_for_selector("text=0 / 3")
    page.on("request", lambda request: asked.append(request.url) if "/work/" in request.url else None)
    page.fill("#reason", "the ERP moves ho")
    page.focus("#reason")
    with context.enter(cast.tenant):
        redriving.carry_on(bulk.id, seconds=0.6)
        redriving.stop_bulk(bulk_id=bulk.id, actor=BY, now=clock.now())
        redriving.continue_bulk(bulk_id=bulk.id, actor=BY, now=clock.now())
    page.wait_for_selector("#work td :has-text('Running')")  # the answer of a later look is there
    assert page.input_value("#reason") == "the ERP moves ho"
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.type("use")
    assert page.input_value("#reason") == "the ERP moves house"
    assert seen.in_both_themes(axe) == []
    page.click("button:has-text('Call off')")
    page.wait_for_selector("text=It was called off.")
    with context.enter(cast.tenant):
        Bulk.objects.filter(pk=bulk.id).update(state="done", over_at=clock.now())
        BulkItem.objects.filter(bulk_id=bulk.id).update(state="done")
    page.wait_for_selector("#work .head :has-text('Cancelled')")
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(5_000)
    assert asked == []  # the last answer had no trigger: nobody asks any more
    page.set_viewport_size({"width": 390, "height": 900})
    assert seen.too_wide() == []
    assert seen.complaints == []
