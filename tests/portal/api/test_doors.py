"""Who may speak to the API, and what is said to whoever may not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from kernel import ids
from tenants.access import actions
from tenants.access.models import ApiToken, Membership
from tenants.tenancy import actions as tenancy
from tenants.tenancy.models import Tenant
from tests.house.world import BY, World
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, PASSWORD, Cast

PROBLEM = "application/problem+json"


def test_nobody_is_asked_for_a_token(cast: Cast) -> None:
    answer = Machine(cast.host, "").get("runs")
    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert answer.json()["code"] == "unauthenticated"


def test_a_reader_without_a_session_is_led_to_the_sign_in_page(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get("/api/v1/docs", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fapi%2Fv1%2Fdocs")


@pytest.mark.parametrize("text", ["", "pat_", "pat_wrong", "x" * 5_000])
def test_a_token_that_is_none_is_refused(cast: Cast, text: str) -> None:
    answer = Machine(cast.host, text or " ").get("runs")
    assert answer.status_code == 401
    assert answer.json()["code"] == "bad_token"


def test_another_scheme_is_refused(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get("/api/v1/runs", headers={"Authorization": "Basic b3JsYTpw"})
    assert answer.status_code == 401


def test_a_scope_opens_what_it_names_and_nothing_else(machine: Callable[..., Machine]) -> None:
    reader = machine("", "events.read")
    assert reader.get("events").status_code == 200
    answer = reader.get("runs")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert reader.post("events", {"events": []}).status_code == 403


def test_a_token_ends_at_its_time_and_when_it_is_revoked(
    cast: Cast, machine: Callable[..., Machine], now: object
) -> None:
    reader = machine("", "events.read")
    row = ApiToken.objects.get(name="machine")
    ApiToken.objects.filter(pk=row.pk).update(expires_at=NOW + timedelta(seconds=1))
    assert reader.get("events").status_code == 200
    ApiToken.objects.filter(pk=row.pk).update(expires_at=NOW)
    assert reader.get("events").status_code == 401
    ApiToken.objects.filter(pk=row.pk).update(expires_at=None)
    actions.revoke_token(token=row, actor=BY, now=NOW)
    assert reader.get("events").status_code == 401


def test_the_token_of_somebody_who_is_out_is_refused(cast: Cast, machine: Callable[..., Machine]) -> None:
    reader = machine("", "events.read")
    cast.partner_admin.is_active = False
    cast.partner_admin.save()
    assert reader.get("events").status_code == 401


def test_a_token_counts_on_its_own_host_alone(cast: Cast, machine: Callable[..., Machine]) -> None:
    machine("", "events.read", "access.tokens")
    text = actions.make_token(
        partner=Tenant.objects.get(pk=cast.tenant.id).partner,
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        name="here",
        scopes=["access.tokens"],
        expires_at=None,
        actor=BY,
        now=NOW,
    )[1]
    assert Machine(cast.host, text).get("tokens").status_code == 200
    for host in (cast.partner_host, cast.other_host, cast.other_partner_host):
        assert Machine(host, text).get("tokens").status_code == 401, host


def test_a_session_writes_with_its_csrf_token_alone(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host, enforce_csrf_checks=True)
    browser.get("/sign-in")
    given = {
        "email": cast.owner.email,
        "password": PASSWORD,
        "csrfmiddlewaretoken": browser.cookies["csrf"].value,
    }
    assert browser.post("/sign-in", given).status_code == 302
    body: dict[str, Any] = {"email": "new@cast.test", "role": "analyst"}
    refused = browser.post("/api/v1/people", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_missing")
    assert not Membership.objects.filter(user__email="new@cast.test").exists()
    token = browser.cookies["csrf"].value
    made = browser.post(
        "/api/v1/people", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert made.status_code == 201


def test_a_stranger_with_a_session_learns_nothing(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.stranger, cast.host)
    for path in ("me", "runs", "docs", "openapi.json", "people"):
        assert browser.get(f"/api/v1/{path}").status_code == 404, path


def test_what_is_foreign_and_what_does_not_exist_are_answered_alike(api: Machine, hollis: World) -> None:
    unknown = ids.public_id("run", ids.uuid7())
    first, second = api.get(f"runs/{unknown}"), api.get(f"runs/{hollis.ids['case']}")
    assert first.status_code == second.status_code == 404
    bodies = [answer.json() for answer in (first, second)]
    for body in bodies:
        del body["instance"]
    assert bodies[0] == bodies[1]
    nowhere = api.get("nowhere")
    assert (nowhere.status_code, nowhere["Content-Type"]) == (404, PROBLEM)


def test_a_method_that_is_none_is_refused(api: Machine) -> None:
    for method, path in (("put", "runs"), ("delete", "events"), ("get", "clock/x"), ("options", "runs")):
        assert api(method, path).status_code in (404, 405)
    assert api("put", "/api/v1/runs").json()["code"] == "wrong_method"


def test_what_is_wrong_is_named(api: Machine) -> None:
    answer = api.get("runs?status=lost&limit=0&since=yesterday&workflow=wfl_x")
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) >= {"status", "since", "workflow"}
    assert set(api.get("runs?stauts=waiting").json()["fields"]) == {"stauts"}
    assert set(api.get("events?type=a&type=b").json()["fields"]) == {"type"}
    assert set(api.get("runs?cursor=nonsense").json()["fields"]) == {"cursor"}
    assert set(api.get("events?cursor=nonsense").json()["fields"]) == {"cursor"}
    answer = api.post("people", {"email": "nobody", "role": "king", "shoe": 43})
    assert set(answer.json()["fields"]) == {"shoe"}
    assert set(api.post("people", {"email": "nobody", "role": "king"}).json()["fields"]) == {"email", "role"}


def test_several_words_of_a_list_stand_with_commas(api: Machine, hollis: World) -> None:
    assert len(api.get("runs?status=suspended,waiting").json()["items"]) == 1
    assert api.get("runs?status=waiting&status=completed").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid"),
        (b'{"events": NaN}', "application/json", 400, "invalid"),
        (b'{"events": [], "events": []}', "application/json", 400, "invalid"),
        (b"[]", "application/json", 400, "invalid"),
        (b"null", "application/json", 400, "invalid"),
        (b"[" * 100 + b"]" * 100, "application/json", 400, "invalid"),
        (b"<events/>", "application/xml", 415, "unsupported_media_type"),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "too_large"),
        (b'{"a": "' + b"x" * 2_200_000 + b'"}', "application/json", 413, "too_large"),
    ],
)
def test_a_body_that_is_none_is_refused(
    cast: Cast, machine: Callable[..., Machine], body: bytes, content_type: str, status: int, code: str
) -> None:
    sender = machine("", "events.publish")
    answer = sender._client.post(
        "/api/v1/events", data=body, content_type=content_type, headers=sender._headers
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_suspended_client_can_be_read_and_not_changed(cast: Cast, api: Machine) -> None:
    from tenants.tenancy.enums import TenantState

    tenancy.set_state(
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        state=TenantState.SUSPENDED,
        reason="",
        actor=BY,
        now=NOW,
    )
    assert api.get("runs").status_code == 200
    answer = api.post("people", {"email": "new@cast.test", "role": "analyst"})
    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")


def test_no_answer_is_kept_on_the_way(api: Machine) -> None:
    assert api.get("me")["Cache-Control"] == "no-store"
