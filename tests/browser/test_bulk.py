"""Many runs sent on in a real browser: counted, begun, followed while it moves, stopped and gone on with."""

from collections.abc import Callable

from automations.engine.actions import redriving
from automations.engine.models import Bulk, BulkItem
from kernel import clock
from tenants.tenancy import context
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit
from tests.support.cast import Cast


def test_many_runs_are_sent_on_and_the_page_follows(
    cast: Cast, visit: Callable[..., Visit], axe: str
) -> None:
    with context.enter(cast.tenant):
        bench = Bench()
        for number in range(4):
            bench.fail(at=clock.now(), order_id=f"1004{number}", shipping_address={"postcode": None})
    seen = visit(cast.manager, cast.host)
    page = seen.page
    seen.go("/runs/?status=suspended")
    page.click("text=Act on many")
    page.wait_for_url("**/runs/bulk/start**")
    page.wait_for_selector("text=All 4 matching runs")
    page.fill("#id_rate", "50")
    page.fill("#id_reason", "The ERP takes it again.")
    page.click("text=Try again: 4 runs")
    page.wait_for_selector("text=0 / 4")
    assert seen.in_both_themes(axe) == []
    with context.enter(cast.tenant):
        bulk = Bulk.objects.get()
        redriving.carry_on(bulk.id, seconds=0.6)
        assert BulkItem.objects.filter(state="sent").count() == 4
    page.wait_for_selector("#results td .status:has-text('Under way'), #results td :has-text('Under way')")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("button:has-text('Continue')")
    page.click("button:has-text('Continue')")
    page.wait_for_selector("button:has-text('Stop')")
    with context.enter(cast.tenant):
        assert Bulk.objects.get().state == "running"
    page.set_viewport_size({"width": 390, "height": 900})
    assert seen.too_wide() == []
    assert seen.complaints == []
