"""Workflows, runs, cases, figures and templates, by the API."""

from collections.abc import Callable
from typing import Any

import pytest

from automations.engine.models import Run, Workflow
from tenants.access import actions as access
from tenants.access.models import User
from tenants.tenancy import context
from tests.house import world
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, Cast


def test_a_workflow_is_paused_and_activated(api: Machine, hollis: World) -> None:
    path = f"workflows/{hollis.ids['workflow']}"
    assert api.post(f"{path}/pause", {"reason": "Holiday"}).json()["state"] == "paused"
    refused = api.post(f"{path}/runs", {"input": {}})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert api.post(f"{path}/activate", {}).json()["state"] == "active"
    made = api.post(f"{path}/runs", {"input": {"order_id": "1"}}, Idempotency_Key="k")
    assert (made.status_code, made.json()["status"], made.json()["cause"]) == (201, "pending", "manual")
    assert made.json()["input"] == {"order_id": "1"}
    again = api.post(f"{path}/runs", {"input": {"order_id": "1"}}, Idempotency_Key="k")
    assert again.json()["id"] == made.json()["id"]


def test_settings_must_fit_the_template(cast: Cast, api: Machine, hollis: World) -> None:
    one = api.get(f"installations/{hollis.ids['installation']}").json()
    path = f"workflows/{one['workflow']}/settings"
    wrong = api("put", path, {"config": {**one["config"], "approval_hours": "soon"}})
    assert (wrong.status_code, set(wrong.json()["fields"])) == (400, {"approval_hours"})
    right = api("put", path, {"config": {**one["config"], "approval_hours": 48}})
    assert right.json()["config"]["approval_hours"] == 48
    assert api.get(f"installations/{one['id']}").json()["config"]["approval_hours"] == 48


def test_a_connection_that_is_not_here_is_named(cast: Cast, api: Machine, hollis: World) -> None:
    with context.enter(cast.other_tenant):
        from tests.support import make

        foreign = make.connection(name="Foreign books")
    body = {"template": "order-to-erp", "config": {}, "connections": {"erp": foreign.public_id}}
    answer = api.post("installations", body)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"connections.erp"})
    missing = api.post("installations", {"template": "order-to-erp"})
    assert missing.status_code == 400
    assert "connections.erp" in missing.json()["fields"]


def test_a_template_is_tried_installed_and_taken_away(cast: Cast, api: Machine, hollis: World) -> None:
    seen = api.post("installations/preview", {"template": "order-watch"}).json()
    assert (seen["looked_at"], seen["calls"]) == (1, 0)
    assert api("delete", f"installations/{hollis.ids['installation']}").status_code == 204
    assert api.get("installations").json()["items"] == []
    made = api.post("installations", {"template": "order-watch", "activate": False}).json()
    assert api.get(f"workflows/{made['workflow']}").json()["state"] == "off"
    assert set(api.post("installations", {"template": "none"}).json()["fields"]) == {"template"}


def test_a_run_is_read_with_what_it_waits_for(api: Machine, hollis: World) -> None:
    found = api.get(f"runs/{hollis.ids['run']}").json()
    assert (found["status"], found["waiting"][0]["kind"]) == ("suspended", "person")
    assert found["failed_data"] == {"order_id": hollis.ids["order"]}
    (line,) = api.get(f"runs/{hollis.ids['run']}/journal?problems=true").json()["items"]
    assert (line["status"], line["name"]) == ("faulted", "check")


def test_a_run_is_sent_on_and_cancelled(cast: Cast, api: Machine, hollis: World) -> None:
    path = f"runs/{hollis.ids['run']}"
    body = {"mode": "edit", "data": {"order_id": "2"}, "reason": "By phone"}
    sent = api.post(f"{path}/resume", body)
    assert (sent.status_code, sent.json()["status"]) == (200, "running")
    again = api.post(f"{path}/resume", body)
    assert (again.status_code, again.json()["code"]) == (409, "run_not_suspended")
    gone = api.post(f"{path}/cancel", {"reason": "No"})
    assert gone.json()["status"] in ("cancelled", "running")
    if gone.json()["status"] == "cancelled":
        assert api.post(f"{path}/cancel", {}).json()["code"] == "run_over"


def test_a_grant_on_one_workflow_opens_it_and_no_other(
    cast: Cast, hollis: World, client_for: Callable[..., Any]
) -> None:
    with context.enter(cast.tenant):
        granted = Workflow.objects.get(name="zephyr-0-flow")
        _, other = world.failing_run("Other flow", "2", NOW)
        access.grant(user=cast.staff, permission="engine.operate", obj=granted, actor=world.BY, now=NOW)
    browser = client_for(cast.staff, cast.host)

    def pause(row: Workflow) -> int:
        address = f"/api/v1/workflows/{row.public_id}/pause"
        return int(browser.post(address, {}, content_type="application/json").status_code)

    assert (pause(granted), pause(other)) == (200, 403)
    stranger = client_for(cast.stranger, cast.host)
    answer = stranger.post(
        f"/api/v1/workflows/{granted.public_id}/pause", {}, content_type="application/json"
    )
    assert answer.status_code == 404


def test_a_case_is_worked_on(cast: Cast, api: Machine, hollis: World) -> None:
    path = f"cases/{hollis.ids['case']}"
    whole = api.get(path).json()
    assert (whole["case"]["run"], whole["has_editable"]) == (hollis.ids["run"], True)
    assert [one["decision"] for one in whole["answers"]]
    reviewer = User.objects.get(pk=cast.reviewer.pk).public_id
    assert api.post(f"{path}/assign", {"to": reviewer}).json()["case"]["assignee"] == "Rosa Reviewer"
    stranger = User.objects.get(pk=cast.stranger.pk).public_id
    assert set(api.post(f"{path}/assign", {"to": stranger}).json()["fields"]) == {"to"}
    later = api.post(f"{path}/snooze", {"until": "2030-01-01T00:00:00Z"}).json()
    assert later["case"]["snoozed_until"] == "2030-01-01T00:00:00Z"
    assert api.get("cases").json()["items"] == []
    assert len(api.get("cases?state=snoozed").json()["items"]) == 1
    assert api.post(f"{path}/comments", {"text": "Called them"}).status_code == 201
    internal = api.post(f"{path}/comments", {"text": "x", "visibility": "internal"})
    assert internal.status_code == 403
    assert [one["text"] for one in api.get(path).json()["comments"]][-1] == "Called them"


def test_a_decision_of_one_who_saw_an_old_version_is_refused(api: Machine, hollis: World) -> None:
    path = f"cases/{hollis.ids['case']}"
    version = api.get(path).json()["case"]["version"]
    old = api.post(f"{path}/decide", {"decision": "cancel", "reason": "x", "seen": version - 1})
    assert (old.status_code, old.json()["code"]) == (409, "case_changed")
    missing = api.post(f"{path}/decide", {"decision": "edit"})
    assert (missing.status_code, missing.json()["code"]) == (400, "not_decidable")
    done = api.post(f"{path}/decide", {"decision": "retry", "reason": "x", "seen": version})
    assert (done.status_code, done.json()["case"]["state"]) == (200, "resolving")
    twice = api.post(f"{path}/decide", {"decision": "retry"})
    assert (twice.status_code, twice.json()["code"]) == (409, "case_already_decided")


@pytest.mark.parametrize("sort", ["due", "money", "newest", "closed"])
def test_cases_are_sorted(api: Machine, hollis: World, sort: str) -> None:
    state = "closed" if sort == "closed" else "open"
    assert api.get(f"cases?sort={sort}&state={state}").status_code == 200
    assert set(api.get("cases?sort=colour").json()["fields"]) == {"sort"}


def test_figures_open_their_rows(api: Machine, hollis: World) -> None:
    figure = api.get("kpis/orders_placed?since=2026-03-01T00:00:00Z&zone=Europe/Berlin").json()
    assert figure["value"] == 1
    assert sum(day["value"] for day in figure["days"]) == 1
    (row,) = api.get("kpis/orders_placed/rows").json()["items"]
    assert row["id"] == hollis.ids["order"]
    assert api.get("kpis/nothing").status_code == 404
    assert set(api.get("kpis/orders_placed?zone=Moon").json()["fields"]) == {"zone"}
    assert set(api.get("kpis/orders_by_status/rows?cursor=x").json()["fields"]) == {"cursor"}


def test_an_order_is_told_from_its_beginning(api: Machine, hollis: World) -> None:
    line = api.get(f"orders/{hollis.ids['order']}/timeline").json()
    assert {entry["kind"] for entry in line["entries"]} >= {"event", "run", "case"}
    assert api.get("orders/none/timeline").status_code == 404


def test_usage_of_a_month(api: Machine, hollis: World) -> None:
    found = api.get("usage?month=2026-03").json()
    assert (found["runs"], found["plan"]["code"], found["currency"]) == (1, "standard", "EUR")
    assert set(api.get("usage?month=march").json()["fields"]) == {"month"}


def test_a_run_of_another_client_does_not_exist(cast: Cast, api: Machine, now: object) -> None:
    with context.enter(cast.other_tenant):
        run, workflow = world.failing_run("Arbor flow", "1", NOW)
    for method, path in (
        ("get", f"runs/{run.public_id}"),
        ("get", f"runs/{run.public_id}/journal"),
        ("post", f"runs/{run.public_id}/resume"),
        ("post", f"runs/{run.public_id}/cancel"),
        ("post", f"workflows/{workflow.public_id}/pause"),
        ("post", f"workflows/{workflow.public_id}/runs"),
    ):
        body = {"mode": "retry"} if "resume" in path else {"input": 1} if path.endswith("/runs") else {}
        answer = api(method, path, body if method == "post" else None)
        assert answer.status_code == 404, path
    with context.enter(cast.other_tenant):
        assert Run.objects.get(pk=run.pk).status == "suspended"
