"""Runs as people see them: the list, the cause first, every step, and what may be done about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.engine.machine.moves import Outcome
from automations.engine.models import Run, Segment
from automations.inbox.models import Case
from kernel import ids, jsonx
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.portal.ui.conftest import PART
from tests.support.cast import NOW, Cast


@pytest.fixture
def manager(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The operations manager in Hollis."""
    return client_for(cast.manager, cast.host)


@pytest.fixture
def failed(bench: Bench, now: Any) -> Run:
    """A run that the ERP refused for want of a postcode."""
    return bench.fail(shipping_address={"postcode": None})


def at(run: Run, tail: str = "") -> str:
    return f"/runs/{run.public_id}/{tail}"


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_says_what_ran_about_what_and_how_it_stands(manager: Client, bench: Bench, now: Any) -> None:
    bench.fail(Outcome(201, {}, {"reference": "SO-1"}), order_id="10046", total_minor=2_000)
    bench.fail()
    page = words(manager.get("/runs/"))
    for said in ("Order to ERP", "10045", "10046", "£178.95", "£20.00", "Needs review", "Succeeded", "422"):
        assert said in page, said


def test_an_empty_list_says_why(manager: Client, tenant: TenantRef, now: Any) -> None:
    assert "Nothing has run yet" in words(manager.get("/runs/"))
    assert "No run fits" in words(manager.get("/runs/?q=nothing-like-it"))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"10045", "10046"}),
        ("status=suspended", {"10045"}),
        ("status=completed", {"10046"}),
        ("status=running,waiting", set()),
        ("order=10046", {"10046"}),
        ("q=1004", {"10045", "10046"}),
        ("since=2026-03-02", {"10045", "10046"}),
        ("since=2026-03-03", set()),
        ("until=2026-03-01", set()),
        ("status=nonsense&since=never&after=zzz", {"10045", "10046"}),
    ],
)
def test_filters_stand_in_the_address(
    manager: Client, bench: Bench, now: Any, query: str, shown: set[str]
) -> None:
    bench.fail(Outcome(201, {}, {"reference": "SO-1"}), order_id="10046")
    bench.fail()
    page = manager.get(f"/runs/?{query}").content.decode()
    assert {
        key for key in ("10045", "10046") if f">{key}<" in page.replace("<td>", ">").replace("</td>", "<")
    } == shown


def test_a_long_list_goes_on_by_cursor(manager: Client, bench: Bench, now: Any) -> None:
    sample = bench.fail()
    Run.objects.bulk_create(
        Run(
            id=ids.uuid7(), workflow_id=sample.workflow_id, definition_id=sample.definition_id, status="completed",
            business_key=f"N-{number:03d}", input=sample.input, started_at=NOW - timedelta(minutes=number + 1),
        )
        for number in range(60)
    )  # fmt: skip
    first = manager.get("/runs/?status=completed")
    second = manager.get(f"/runs/?status=completed&after={first.context['slice'].after}")
    keys = [row["key"] for answer in (first, second) for row in answer.context["rows"]]
    assert keys == [f"N-{number:03d}" for number in range(60)]
    assert second.context["slice"].after == ""


def test_the_list_and_a_run_cost_a_fixed_number_of_queries(
    manager: Client, bench: Bench, now: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        bench.fail(order_id=f"9{number}")
    run = bench.fail()
    with django_assert_max_num_queries(18):
        manager.get("/runs/")
    with django_assert_max_num_queries(30):
        manager.get(at(run))


def test_a_failed_run_opens_with_its_cause_its_case_and_the_step_that_failed(
    manager: Client, failed: Run
) -> None:
    page = words(manager.get(at(failed)))
    case = Case.objects.get()
    for said in (
        "A postcode is required for United Kingdom.", case.title, case.code, "Book the order", "Needs review",
        "Steps before it are done and are not repeated", "POST https://erp.example.com/orders", "Idempotency key",
        "Event history", "Prepare succeeded", "Book the order failed: 422",
    ):  # fmt: skip
        assert said in page, said
    assert f'href="/inbox/{case.public_id}/correct"' in page


def test_each_step_can_be_looked_at_with_what_went_in_and_what_came_out(manager: Client, failed: Run) -> None:
    prepare = words(manager.get(at(failed, "?step=/do/0/prepare&tab=output")))
    assert "&quot;order_id&quot;: &quot;10045&quot;" in prepare
    book = words(manager.get(at(failed, "?step=/do/1/book&tab=input")))
    assert "&quot;postcode&quot;: null" in book
    tell = words(manager.get(at(failed, "?step=/do/2/tell")))
    assert "Not reached" in tell
    assert "Choose a step in the graph." in words(manager.get(at(failed, "?step=/do/9/none&tab=odd")))


def test_a_run_that_came_through_shows_what_came_out_and_no_buttons(
    manager: Client, bench: Bench, now: Any
) -> None:
    run = bench.fail(Outcome(201, {}, {"reference": "SO-1"}))
    page = words(manager.get(at(run, "?step=/do/2/tell&tab=output")))
    assert "3 of 3 steps reached" in page
    assert "&quot;reference&quot;: &quot;SO-1&quot;" in page
    assert "Cancel run" not in page
    assert "hx-trigger" not in page.split('id="run"')[1].split(">")[0]


def test_a_moving_run_looks_again_and_the_answer_is_the_run_alone(manager: Client, failed: Run) -> None:
    Run.objects.filter(pk=failed.pk).update(status="running")
    answer = manager.get(at(failed), headers=PART)
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_run_of_ten_thousand_steps_is_paged(
    manager: Client, failed: Run, django_assert_max_num_queries: Any
) -> None:
    Segment.objects.filter(run_id=failed.pk).delete()
    for start in range(0, 10_000, 500):
        lines = [
            {"n": start + one, "r": "/do/0/prepare", "s": "retrying" if (start + one) % 100 == 0 else "completed",
             "b": NOW.timestamp() + one, "e": NOW.timestamp() + one, "o": {"n": start + one}, "a": 1, "w": 1.0}
            for one in range(500)
        ]  # fmt: skip
        Segment.objects.create(run_id=failed.pk, seq=start, steps=jsonx.pack(lines))
    with django_assert_max_num_queries(30):
        first = manager.get(at(failed))
    assert first.context["history"]["chips"][0][2] == 10_000
    assert [one["number"] for one in first.context["history"]["lines"]] == list(range(9_999, 9_959, -1))
    second = manager.get(at(failed, "?before=9960"))
    assert [one["number"] for one in second.context["history"]["lines"]][:2] == [9_959, 9_958]
    problems = manager.get(at(failed, "?show=problems"))
    assert [one["number"] for one in problems.context["history"]["lines"]] == list(range(9_900, 5_900, -100))
    last = manager.get(at(failed, "?show=problems&before=5910"))
    assert last.context["history"]["lines"][-1]["number"] == 2_000
    assert manager.get(at(failed, "?before=-1")).status_code == 200


def test_a_run_of_another_client_or_of_nobody_is_not_there(
    cast: Cast, manager: Client, other_tenant: TenantRef
) -> None:
    with context.enter(other_tenant):
        foreign = Bench().fail()
    for run in (foreign.public_id, ids.public_id("run", ids.uuid7()), "nonsense"):
        assert manager.get(f"/runs/{run}/").status_code == 404, run
        for tail in ("cancel", "retry"):
            assert manager.get(f"/runs/{run}/{tail}").status_code == 404, (run, tail)
            assert manager.post(f"/runs/{run}/{tail}", {"reason": "x"}).status_code == 404, (run, tail)
    with context.enter(other_tenant):
        assert Run.objects.get(pk=foreign.pk).status == "suspended"


def test_a_run_is_tried_again_once_confirmed(cast: Cast, manager: Client, failed: Run) -> None:
    asked = manager.get(at(failed, "retry"), headers=PART)
    assert "Steps before it are not repeated." in words(asked)
    assert Run.objects.get(pk=failed.pk).status == "suspended"
    done = manager.post(at(failed, "retry"), {"reason": "The ERP is back"})
    assert (done.status_code, done["Location"]) == (302, at(failed))
    assert Run.objects.get(pk=failed.pk).status == "running"
    row = AuditEvent.objects.get(action="engine.operate")
    assert (row.actor_label, row.reason, row.after["mode"]) == ("Malik Manager", "The ERP is back", "retry")
    again = manager.post(at(failed, "retry"), {"reason": "And again"})
    assert again.status_code == 409
    assert "This run does not wait for a person." in words(again)
    assert "And again" in words(again)


def test_a_run_is_cancelled_with_a_reason(manager: Client, failed: Run) -> None:
    assert manager.post(at(failed, "cancel"), {"reason": ""}).status_code == 422
    assert Run.objects.get(pk=failed.pk).status == "suspended"
    assert manager.post(at(failed, "cancel"), {"reason": "Ordered twice"}).status_code == 302
    assert Run.objects.get(pk=failed.pk).status == "cancelled"
    assert AuditEvent.objects.get(action="engine.operate").reason == "Ordered twice"
    page = words(manager.get(at(failed)))
    assert "This run was cancelled" in page
    assert "Malik Manager cancelled the run" in page
    assert manager.post(at(failed, "cancel"), {"reason": "Again"}).status_code == 409


@pytest.mark.parametrize("who", ["analyst", "auditor"])
def test_who_may_only_read_finds_no_buttons_and_changes_nothing(
    cast: Cast, client_for: Callable[..., Client], failed: Run, who: str
) -> None:
    browser = client_for(getattr(cast, who), cast.host)
    page = words(browser.get(at(failed)))
    assert "A postcode is required" in page
    for button in ("Cancel run", "Try again</a>", "/correct"):
        assert button not in page, button
    for tail in ("cancel", "retry"):
        assert browser.post(at(failed, tail), {"reason": "x"}).status_code == 403, tail
    assert Run.objects.get(pk=failed.pk).status == "suspended"


def test_store_staff_do_not_see_runs(cast: Cast, client_for: Callable[..., Client], failed: Run) -> None:
    browser = client_for(cast.staff, cast.host)
    for address in ("/runs/", at(failed)):
        assert browser.get(address).status_code == 403, address
    assert client_for(cast.stranger, cast.host).get(at(failed, "cancel")).status_code == 404


def test_a_pasted_id_or_order_leads_to_the_run(manager: Client, failed: Run) -> None:
    for text in (failed.public_id, "10045"):
        assert f'href="{at(failed)}"' in manager.get(f"/search/?q={text}").content.decode(), text
