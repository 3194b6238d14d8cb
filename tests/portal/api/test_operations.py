"""Operations on runs by the API: many at once, back to a step, to another version, and on trial."""

from typing import Any

from automations.engine.actions import redriving
from automations.engine.models import Bulk, Run
from automations.inbox.models import Case
from tenants.tenancy import context
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, Cast


def test_many_are_counted_sent_on_stopped_and_listed(cast: Cast, api: Machine, hollis: World) -> None:
    seen = api.get("bulks/preview?error=validation").json()
    assert (seen["runs"], [one["code"] for one in seen["causes"]]) == (1, [422])
    assert api.get("bulks/preview?error=timeout").json()["runs"] == 0
    with context.enter(cast.tenant):
        cause = Case.objects.get(pk=hollis.keys["case"]).fingerprint
    assert api.get(f"bulks/preview?fingerprint={cause}").json()["runs"] == 1
    assert api.get("bulks/preview?fingerprint=none").json()["runs"] == 0
    wrong = api.post("bulks", {"act": "retry", "expected": 7})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "others_match")
    none = api.post("bulks", {"act": "retry", "step": "/do/9"})
    assert (none.status_code, none.json()["code"]) == (400, "nothing_matches")
    made = api.post(
        "bulks", {"act": "retry", "expected": 1, "rate": 50, "reason": "mended"}, Idempotency_Key="k"
    )
    assert (made.status_code, made.json()["total"], made.json()["counts"]["waiting"]) == (201, 1, 1)
    again = api.post(
        "bulks", {"act": "retry", "expected": 1, "rate": 50, "reason": "mended"}, Idempotency_Key="k"
    )
    assert again.json()["id"] == made.json()["id"]
    at = f"bulks/{made.json()['id']}"
    assert api.post(f"{at}/stop", {}).json()["state"] == "stopped"
    assert api.post(f"{at}/continue", {}).json()["state"] == "running"
    with context.enter(cast.tenant):
        redriving.carry_on(Bulk.objects.latest("id").id, seconds=0.3)
        assert Run.objects.get(pk=hollis.keys["run"].pk).status == "running"
    assert api.get(at).json()["counts"]["sent"] == 1
    (item,) = api.get(f"{at}/items?state=sent").json()["items"]
    assert item["run"] == hollis.ids["run"]
    assert api.get(f"{at}/items?state=failed,held").json()["items"] == []
    assert api.get("bulks").json()["items"][0]["id"] == made.json()["id"]


def test_a_run_goes_back_to_a_line_with_other_data(api: Machine, hollis: World) -> None:
    at = f"runs/{hollis.ids['run']}"
    seen = api.get(f"{at}/outlook?line=0").json()
    assert (seen["ref"], seen["data"], seen["calls"]) == (
        "/do/0/check",
        {"order_id": hollis.ids["order"]},
        [],
    )
    missing = api.post(f"{at}/rewind", {"line": 9})
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_step")
    gone = api.post(f"{at}/rewind", {"line": 0, "data": {"order_id": "other"}, "reason": "typo"}).json()
    assert gone["status"] == "running"
    moving = api.post(f"{at}/rewind", {"line": 0})
    assert (moving.status_code, moving.json()["code"]) == (409, "run_moves")


def test_a_run_that_is_at_the_present_version_has_nowhere_to_move(api: Machine, hollis: World) -> None:
    refused = api.post(f"runs/{hollis.ids['run']}/migrate", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_migrate")
    at = f"workflows/{hollis.ids['workflow']}/migration"
    seen = api.get(at).json()
    assert (seen["can"], seen["cannot"]) == (0, {})
    assert api.post(at, {}).json()["code"] == "nothing_matches"


def test_a_workflow_is_tried_on_an_input_or_an_event_that_starts_it(
    api: Machine, hollis: World, now: Any
) -> None:
    at = f"workflows/{hollis.ids['workflow']}/dry-run"
    seen = api.post(at, {"input": {"order_id": "1"}}).json()
    assert (seen["status"], seen["calls"], seen["error"]["status"]) == ("suspended", [], 422)
    assert [step["status"] for step in seen["steps"]] == ["faulted"]
    for wrong in ({}, {"input": {}, "event": hollis.ids["event"]}, {"event": hollis.ids["event"]}):
        answer = api.post(at, wrong)
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {"event"}), wrong
    assert now == NOW


def test_overrides_are_listed_apart(api: Machine, hollis: World) -> None:
    assert api.get("audit?overrides=true").json()["items"] == []
    api.post(f"runs/{hollis.ids['run']}/resume", {"mode": "skip", "reason": "by hand"})
    (row,) = api.get("audit?overrides=true").json()["items"]
    assert (row["action"], row["reason"]) == ("engine.operate", "by hand")
