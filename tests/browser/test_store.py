"""A store's tasks with the network cut: the pages stay, the answer waits, and is sent once when the network is back."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from automations.inbox.models import Case, Decision
from tenants.tenancy import context
from tests.browser.conftest import Visit
from tests.support.cast import NOW, Cast


@pytest.fixture
def tasks(committed: object, cast: Cast) -> list[Case]:
    with context.enter(cast.tenant):
        return [
            Case.objects.create(
                key=f"task-{number}",
                number=5_000 + number,
                kind="store_count",
                title=f"Count shelf {number}",
                fingerprint="f" * 32,
                seq=1,
                opened_at=NOW,
                due_at=NOW + timedelta(hours=number),
            )
            for number in (1, 2)
        ]


@pytest.mark.timeout(240)
def test_an_answer_waits_for_the_network_and_is_sent_once(
    cast: Cast, tasks: list[Case], visit: Callable[..., Visit]
) -> None:
    seen = visit(cast.staff, cast.host, width=390, service_workers="allow")
    page = seen.page
    seen.go("/tasks/")
    seen.until(
        "navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready.then(() => true)"
    )
    for task in tasks:
        seen.until(
            "(path) => caches.match(path, { ignoreVary: true }).then((found) => Boolean(found))",
            f"/tasks/{task.public_id}/",
        )
    seen.context.set_offline(True)
    seen.go(f"/tasks/{tasks[0].public_id}/")
    assert page.is_visible("text=Count shelf 1")
    page.click(".btn.big")
    page.wait_for_selector("text=Kept on this phone")
    assert page.is_visible("text=answers wait for a network")
    seen.go("/tasks/")
    page.wait_for_selector("[data-outbox]:not([hidden])")
    with context.enter(cast.tenant):
        assert not Case.objects.filter(closed_at__isnull=False).exists()
    seen.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector("[data-outbox]", state="hidden")
    rows = page.locator("[data-task]").all_inner_texts()
    assert len(rows) == 1
    assert "Count shelf 2" in rows[0]
    with context.enter(cast.tenant):
        assert Decision.objects.filter(case=tasks[0], kind="resolve").count() == 1


def test_tasks_fit_a_phone_and_have_large_targets(
    cast: Cast, tasks: list[Case], visit: Callable[..., Visit], axe: str
) -> None:
    seen = visit(cast.staff, cast.host, width=390)
    for path in ("/tasks/", f"/tasks/{tasks[0].public_id}/"):
        seen.go(path)
        assert seen.too_wide() == []
        assert seen.in_both_themes(axe) == []
    assert seen.page.locator(".btn.big").bounding_box()["height"] >= 44
    assert seen.foreign == []
