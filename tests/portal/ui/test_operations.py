"""Operations on runs as people do them: many at once, back to an earlier step, to another version, and on trial."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine import queries
from automations.engine.actions import redriving, workflows
from automations.engine.dsl.document import read
from automations.engine.machine.moves import Outcome
from automations.engine.models import Bulk, BulkItem, Run, Workflow
from automations.events.models import Event
from automations.inbox.models import Case
from kernel import jsonx
from tenants.audit.models import AuditEvent
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.support.cast import NOW, Cast


@pytest.fixture
def manager(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The operations manager in Hollis."""
    return client_for(cast.manager, cast.host)


@pytest.fixture
def three(tenant: TenantRef, now: Any) -> list[Run]:
    """Three runs of one workflow that wait for review, two of them about one order."""
    runs = [world.failing_run("Checks", key)[0] for key in ("10045", "10046", "10045")]
    return list(Run.objects.filter(pk__in=[run.pk for run in runs]).order_by("started_at", "id"))


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def begun(manager: Client, query: str = "", **more: Any) -> Bulk:
    answer = manager.post(f"/runs/bulk/start{query}", {"rate": "5", "expected": "3", **more})
    assert answer.status_code == 302, words(answer)
    return Bulk.objects.latest("id")


def test_what_fits_is_counted_with_its_causes_before_anything_moves(
    manager: Client, three: list[Run]
) -> None:
    page = words(manager.get("/runs/bulk/start"))
    for said in ("All 3 matching runs", "of 2 orders", "Checks", "422 validation", "Try again: 3 runs"):
        assert said in page, said
    assert "1 run fits" in words(manager.get("/runs/bulk/start?order=10046"))
    for nothing in ("order=none", "step=/do/9/x", "code=503", "error=communication", "since=2026-03-03"):
        assert "No run fits" in words(manager.get(f"/runs/bulk/start?{nothing}")), nothing
    assert Bulk.objects.count() == 0


def test_many_are_sent_on_followed_stopped_and_gone_on_with(manager: Client, three: list[Run]) -> None:
    bulk = begun(manager, reason="mended")
    at = f"/runs/bulk/{bulk.public_id}/"
    page = words(manager.get(at))
    for said in ("Try again: 3 runs", "0 / 3", "mended", 'hx-trigger="every 1s"', "Stop"):
        assert said in page, said
    assert manager.post(f"{at}stop").status_code == 302
    assert Bulk.objects.get().state == "stopped"
    assert "Continue" in words(manager.get(at))
    assert manager.post(f"{at}continue").status_code == 302
    redriving.carry_on(bulk.id, seconds=0.6)
    part = words(manager.get(at, headers=PART))
    assert part.startswith('<div id="bulk"')
    assert {item.state for item in BulkItem.objects.filter(run_id__in=[three[0].id, three[1].id])} == {"sent"}
    assert BulkItem.objects.get(run_id=three[2].id).state == "waiting"  # the order's first is under way
    assert "Under way" in part
    everything = words(manager.get("/runs/bulk/"))
    assert "mended" in everything
    assert "There is none of these." in words(manager.get(f"{at}?show=failed"))
    table = b"".join(manager.get(f"{at}results.csv").streaming_content).decode()
    assert len(table.strip().splitlines()) == 4
    assert three[1].public_id in table


def test_whoever_saw_another_number_looks_again(manager: Client, three: list[Run]) -> None:
    answer = manager.post("/runs/bulk/start", {"rate": "5", "expected": "2"})
    assert (answer.status_code, Bulk.objects.count()) == (422, 0)
    page = words(answer)
    assert "By now 3 runs fit" in page
    assert 'name="expected" value="3"' in page


@pytest.mark.parametrize(
    ("query", "sent", "said"),
    [
        ("?act=cancel", {"rate": "5", "expected": "3"}, "required"),
        ("", {"rate": "0", "expected": "3"}, "0.01"),
        ("", {"rate": "fast", "expected": "3"}, "number"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_begins(
    manager: Client, three: list[Run], query: str, sent: dict[str, str], said: str
) -> None:
    answer = manager.post(f"/runs/bulk/start{query}", sent)
    assert (answer.status_code, Bulk.objects.count()) == (422, 0)
    assert said in words(answer)


def test_who_may_only_look_sees_no_button_and_cannot_begin(
    cast: Cast, client_for: Callable[..., Client], three: list[Run], manager: Client
) -> None:
    auditor = client_for(cast.auditor, cast.host)
    page = words(auditor.get("/runs/bulk/start"))
    assert "Your role may look" in page
    assert auditor.post("/runs/bulk/start", {"rate": "5", "expected": "3"}).status_code == 403
    bulk = begun(manager)
    assert "Stop" not in words(auditor.get(f"/runs/bulk/{bulk.public_id}/")).replace("Stopped", "")
    assert auditor.post(f"/runs/bulk/{bulk.public_id}/stop").status_code == 403
    assert Bulk.objects.get().state == "running"


def test_the_list_of_acts_is_empty_at_first(manager: Client, tenant: TenantRef, now: Any) -> None:
    assert "Nothing was done to many runs yet" in words(manager.get("/runs/bulk/"))
    assert manager.get("/runs/bulk/blk_00000000000000000000000000/").status_code == 404


def test_a_run_knows_how_many_stand_where_it_does(manager: Client, three: list[Run]) -> None:
    run = Run.objects.get(pk=three[0].pk)
    Run.objects.filter(pk__in=[one.pk for one in three]).update(step="/do/0/check")
    page = words(manager.get(f"/runs/{run.public_id}/"))
    assert "All 3 alike" in page
    href = page.split("All 3 alike")[0].rpartition('href="/runs')[2].split('"')[0].replace("&amp;", "&")
    assert "All 3 matching runs" in words(manager.get(f"/runs{href}"))


def test_the_runs_of_one_cause_are_meant_by_the_fingerprint_of_their_cases(
    manager: Client, bench: Bench, now: Any
) -> None:
    first = bench.fail(shipping_address={"postcode": None})
    bench.fail(order_id="10046", shipping_address={"postcode": None})
    bench.fail(Outcome(503, {}, None), order_id="10047")
    case = Case.objects.get(run_id=first.pk)
    page = words(manager.get(f"/inbox/{case.public_id}/"))
    at = f"/runs/bulk/start?alike={case.fingerprint}"
    assert f'href="{at}"' in page
    assert "All 2 matching runs" in words(manager.get(at))
    assert manager.post(at, {"rate": "5", "expected": "2"}).status_code == 302
    bulk = Bulk.objects.get()
    assert (bulk.total, bulk.wanted) == (2, {"alike": case.fingerprint})
    assert "as one exception" in words(manager.get(f"/runs/bulk/{bulk.public_id}/"))
    assert "No run fits" in words(manager.get("/runs/bulk/start?alike=unknown"))


# back to an earlier step


def test_a_run_goes_back_once_it_is_said_what_is_done_again(manager: Client, bench: Bench, now: Any) -> None:
    run = bench.fail(shipping_address={"postcode": None})
    page = words(manager.get(f"/runs/{run.public_id}/"))
    assert f"/runs/{run.public_id}/from/0" in page
    asked = manager.get(f"/runs/{run.public_id}/from/0")
    said = words(asked)
    assert "1 call will be made again" in said
    assert "The data in front of the step" in said
    refused = manager.post(f"/runs/{run.public_id}/from/0", {"whole": ""})
    assert refused.status_code == 422  # without a reason nothing goes back
    assert Run.objects.get(pk=run.pk).status == "suspended"
    data = {name: str(value or "") for name, value in asked.context["form"].initial.items()}
    fields = {field.html_name: field.value() for field in asked.context["form"]}
    sent = {name: "" if value is None else value for name, value in {**fields, **data}.items()}
    answer = manager.post(f"/runs/{run.public_id}/from/0", {**sent, "reason": "the ERP lost it"})
    assert answer.status_code == 302, words(answer)
    assert Run.objects.get(pk=run.pk).status == "running"
    trail = AuditEvent.objects.get(action="engine.rewind")
    assert (trail.reason, trail.after["role"]) == ("the ERP lost it", "operations_manager")
    assert "everything from there again" in words(manager.get(f"/runs/{run.public_id}/"))
    assert "moving right now" in words(manager.get(f"/runs/{run.public_id}/from/0"))


def test_a_line_that_there_is_not_is_not_found(manager: Client, bench: Bench, now: Any) -> None:
    run = bench.fail(shipping_address={"postcode": None})
    assert manager.get(f"/runs/{run.public_id}/from/99").status_code == 404


# over the failed step


@pytest.mark.parametrize("verb", ["skip", "complete"])
def test_a_step_is_passed_over_with_a_reason_and_auditors_find_it(
    manager: Client, cast: Cast, client_for: Callable[..., Client], bench: Bench, now: Any, verb: str
) -> None:
    run = bench.fail(shipping_address={"postcode": None})
    at, value = (
        f"/runs/{run.public_id}/{verb}",
        {"value": '{"reference": "SO-1"}'} if verb == "complete" else {},
    )
    assert "see to it there" in words(manager.get(at, headers=PART))
    assert manager.post(at, value).status_code == 422
    assert Run.objects.get(pk=run.pk).status == "suspended"
    assert manager.post(at, {**value, "reason": "booked by phone"}).status_code == 302
    assert Run.objects.get(pk=run.pk).status == "running"
    page = words(client_for(cast.auditor, cast.host).get("/audit/?overrides=1"))
    assert run.public_id in page or "Sent a run on" in page
    row = AuditEvent.objects.get(action="engine.operate")
    assert (row.after["mode"], row.after["role"], row.reason) == (
        verb,
        "operations_manager",
        "booked by phone",
    )


def test_a_retry_is_no_override(
    manager: Client, cast: Cast, client_for: Callable[..., Client], bench: Bench, now: Any
) -> None:
    run = bench.fail(shipping_address={"postcode": None})
    manager.post(f"/runs/{run.public_id}/retry", {})
    assert AuditEvent.objects.filter(action="engine.operate").count() == 1
    auditor = client_for(cast.auditor, cast.host)
    assert "Nothing fits these filters" in words(auditor.get("/audit/?overrides=1"))
    assert "Overrides" in words(auditor.get("/audit/"))


# to another version


def test_runs_move_to_the_present_version_and_those_that_cannot_say_why(
    manager: Client, three: list[Run]
) -> None:
    flow = Run.objects.get(pk=three[0].pk)
    text = world.FLOW.replace("version: 1.0.0", "version: 2.0.0").replace("- check:", "- look:")
    newer = workflows.publish(document=read(text), actor=world.BY, now=NOW)
    workflow = workflows.deploy(
        name="checks", title="Checks", definition=newer, config={}, connections={}, actor=world.BY, now=NOW
    )
    assert workflow.id == flow.workflow_id
    home = words(manager.get(f"/workflows/{workflow.public_id}/"))
    assert "3 runs stand on older versions" in home
    page = words(manager.get(f"/workflows/{workflow.public_id}/move"))
    for said in ("Move runs to 2.0.0", "0 runs can move", "3 runs cannot", "no step “check”", "disabled"):
        assert said in page, said
    answer = manager.post(f"/workflows/{workflow.public_id}/move", {"rate": "50", "expected": "3"})
    assert answer.status_code == 302
    bulk = Bulk.objects.get()
    redriving.carry_on(bulk.id, seconds=1.0)
    assert "no step “check”" in words(manager.get(f"/runs/bulk/{bulk.public_id}/?show=trouble"))


def test_where_nothing_stands_elsewhere_there_is_nothing_to_move(manager: Client, three: list[Run]) -> None:
    key = Run.objects.get(pk=three[0].pk).workflow_id
    page = words(manager.get(f"/workflows/{Workflow.objects.get(pk=key).public_id}/move"))
    assert "Nothing has to be moved" in page


# on trial


def test_a_dry_run_tells_the_calls_and_keeps_nothing(manager: Client, bench: Bench, now: Any) -> None:
    run = bench.fail(shipping_address={"postcode": None})
    workflow = Workflow.objects.get(pk=run.workflow_id)
    at = f"/workflows/{workflow.public_id}/dry-run"
    before = (Run.objects.count(), Event.objects.count(), AuditEvent.objects.count())
    assert "Nothing tried yet" in words(manager.get(at))
    assert "Choose an event, or give an input" in words(manager.post(at, {"event": "", "given": ""}))
    assert "cannot be read as JSON" in words(manager.post(at, {"event": "", "given": "{"}))
    given = jsonx.text(queries.run_view(run.id).input)
    page = words(manager.post(at, {"event": "", "given": given}))
    assert "1 call would be made" in page
    assert "POST " in page
    assert (Run.objects.count(), Event.objects.count(), AuditEvent.objects.count()) == before
