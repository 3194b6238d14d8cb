"""What people do about cases and notices by the API: take back, agree, decline, files, lists with names, being told."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.inbox import actions
from automations.inbox.models import Case, Intent, Paper, View
from automations.notices.models import Channel, Rule
from tenants.audit.models import AuditEvent
from tests.automations.inbox.conftest import bench, make_case
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, Cast

__all__ = ["bench", "make_case"]
Asks = Callable[..., Any]


@pytest.fixture
def asks(cast: Cast, client_for: Callable[..., Client]) -> Asks:
    """`asks(user, "post", path, body)`: a person's browser speaks JSON."""

    def ask(user: Any, method: str, path: str, body: Any = None) -> Any:
        client = client_for(user, cast.host)
        given = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method)(f"/api/v1/{path}", **given)

    return ask


@pytest.fixture
def asked(cast: Cast, bench: Any, asks: Asks, now: Any) -> tuple[Case, str]:
    """A case above the limit on which the reviewer has decided, and the digest of that."""
    actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=NOW)
    case = Case.objects.get(run_id=bench.fail().pk)
    wanted = {"decision": "skip", "reason": "seen"}
    answer = asks(cast.reviewer, "post", f"cases/{case.public_id}/decide", wanted)
    pending = answer.json()["pending"]
    assert (answer.status_code, pending["state"]) == (200, "asked")
    return case, pending["digest"]


def test_a_second_person_agrees_to_what_was_shown_and_to_nothing_else(
    asked: tuple[Case, str], cast: Cast, asks: Asks
) -> None:
    case, digest = asked
    at = f"cases/{case.public_id}/agree"
    own = asks(cast.reviewer, "post", at, {"digest": digest})
    assert (own.status_code, own.json()["code"]) == (409, "second_is_first")
    other = asks(cast.colleague, "post", at, {"digest": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "case_changed")
    assert Intent.objects.get().state == "asked"
    said = asks(cast.colleague, "post", at, {"digest": digest})
    assert (said.status_code, said.json()["pending"]["state"]) == (200, "waiting")
    assert asks(cast.reviewer, "post", f"cases/{case.public_id}/undo").status_code == 200
    assert Intent.objects.get().state == "undone"
    over = asks(cast.reviewer, "post", f"cases/{case.public_id}/undo")
    assert (over.status_code, over.json()["code"]) == (409, "intent_over")


def test_a_second_person_declines_with_a_reason(asked: tuple[Case, str], cast: Cast, asks: Asks) -> None:
    case, _ = asked
    at = f"cases/{case.public_id}/decline"
    assert asks(cast.colleague, "post", at, {}).status_code == 400
    assert asks(cast.colleague, "post", at, {"reason": "not by phone"}).status_code == 200
    assert Intent.objects.get().state == "declined"
    assert not Case.objects.get(pk=case.pk).closed
    assert AuditEvent.objects.filter(action="inbox.decline").count() == 1


def test_who_may_not_decide_neither_agrees_nor_takes_back(
    asked: tuple[Case, str], cast: Cast, asks: Asks, api: Machine
) -> None:
    case, digest = asked
    for path, body in (("agree", {"digest": digest}), ("decline", {"reason": "x"}), ("undo", None)):
        assert asks(cast.analyst, "post", f"cases/{case.public_id}/{path}", body).status_code == 403
    assert api.post(f"cases/{case.public_id}/agree", {"digest": digest}).status_code in (403, 409)
    assert Intent.objects.get().state == "asked"


def test_files_are_put_read_and_refused(make_case: Callable[..., Case], api: Machine, cast: Cast) -> None:
    at = f"cases/{make_case().public_id}/files"
    sent = {"name": "slip.txt", "content": base64.b64encode(b"seen at the door").decode()}
    made = api.post(at, sent, Idempotency_Key="f1")
    assert (made.status_code, made.json()["media"]) == (201, "text/plain")
    assert api.post(at, sent, Idempotency_Key="f1").json() == made.json()
    assert Paper.objects.count() == 1
    assert [one["name"] for one in api.get(at).json()["items"]] == ["slip.txt"]
    whole = api.get(f"{at}/{made.json()['id']}").json()
    assert base64.b64decode(whole["content"]) == b"seen at the door"
    for content in ("§", base64.b64encode(b"<html>").decode(), ""):
        refused = api.post(at, {"name": "x", "content": content})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["content"]), content
    assert api.get("cases/case_nobody/files").status_code == 404


def test_lists_have_names_of_ones_own(cast: Cast, asks: Asks, tenant: Any, api: Machine) -> None:
    made = asks(cast.reviewer, "post", "case-views", {"name": "Late ones", "query": "state=open"})
    assert (made.status_code, made.json()["slug"]) == (201, "late-ones")
    twice = asks(cast.reviewer, "post", "case-views", {"name": "Late ones", "query": ""})
    assert (twice.status_code, list(twice.json()["fields"])) == (400, ["name"])
    assert asks(cast.colleague, "get", "case-views").json()["items"] == []
    assert asks(cast.colleague, "delete", "case-views/late-ones").status_code == 404
    assert api.post("case-views", {"name": "A machine's", "query": ""}).status_code == 403
    assert asks(cast.reviewer, "delete", "case-views/late-ones").status_code == 204
    assert not View.objects.exists()


def test_how_somebody_is_told_is_theirs_to_say(bench: Any, cast: Cast, asks: Asks, api: Machine) -> None:
    bench.fail()
    told = asks(cast.reviewer, "get", "notices").json()["items"]
    assert [one["read"] for one in told] == [False]
    assert asks(cast.reviewer, "post", "notices/read").status_code == 204
    assert asks(cast.reviewer, "get", "notices").json()["items"][0]["read"]
    assert not asks(cast.colleague, "get", "notices").json()["items"][0]["read"]
    rule = {"about": "opened", "bell": True, "mail": "daily", "least": "critical"}
    assert rule in asks(cast.reviewer, "put", "notice-rules", {"rules": [rule]}).json()["items"]
    assert Rule.objects.get().user_id == cast.reviewer.id
    assert asks(cast.reviewer, "put", "notice-rules", {"rules": [{**rule, "mail": "x"}]}).status_code == 400
    assert api.get("notices").status_code == 403
    assert api.get("notice-rules").status_code == 403


def test_channels_are_made_tried_stopped_and_forgotten(
    api: Machine, cast: Cast, tenant: Any, now: Any
) -> None:
    given = {"name": "Room", "kind": "webhook", "address": "https://room.example.com/in/hidden"}
    made = api.post("channels", given).json()
    assert made["secret"].startswith("whsec_")
    at = f"channels/{made['id']}"
    assert "secret" not in api.get(at).json()
    assert "hidden" not in api.get(at).content.decode()
    assert api.post(f"{at}/trial").status_code == 202
    assert not api("patch", at, {"active": False}).json()["active"]
    refused = api.post("channels", {**given, "address": "http://127.0.0.1/x"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["address"])
    assert api("delete", at).status_code == 204
    assert not Channel.objects.exists()


def test_a_store_task_is_done_once_by_its_key(
    make_case: Callable[..., Case], api: Machine, cast: Cast, asks: Asks
) -> None:
    task = make_case(kind="store_count", title="Count the mugs")
    other = make_case(title="A refund to approve")
    listed = asks(cast.staff, "get", "store-tasks").json()["items"]
    assert [one["title"] for one in listed] == ["Count the mugs"]
    at = f"store-tasks/{task.public_id}"
    assert asks(cast.staff, "get", at).json()["form"] is None
    assert asks(cast.staff, "post", f"store-tasks/{other.public_id}/done", {}).status_code == 404
    first = asks(cast.staff, "post", f"{at}/done", {})
    assert (first.status_code, first.json()) == (200, {"done": True, "first": True})
    assert asks(cast.staff, "post", f"{at}/done", {}).json()["first"] is False
    assert asks(cast.analyst, "get", "store-tasks").status_code == 403
