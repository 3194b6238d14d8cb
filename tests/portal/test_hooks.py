"""The letterbox answers every kind of delivery with its own status, and what it refuses leaves no event."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from automations.connectors.contract import Delivery
from automations.connectors.errors import SignatureWrong
from automations.connectors.vendors.shopify import webhooks as shopify
from automations.events import actions, policy
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from kernel import metrics
from tenants.tenancy.actions import set_state
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW, Cast
from tests.support.make import Door

SHARED = Path("/work/shared/payloads")
needs_payloads = pytest.mark.skipif(not SHARED.exists(), reason="the shared payloads are not on this machine")
Post = Callable[..., HttpResponse]
pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    policy.forget()


@pytest.fixture
def door(tenant: TenantRef) -> Door:
    return make.endpoint()


@pytest.fixture
def post(cast: Cast, client_for: Callable[..., Client]) -> Post:
    """`post(path, raw, headers)`: a delivery to Hollis, from somebody without a session."""
    sender = client_for(None, cast.host)

    def send(path: str, raw: bytes, headers: Any, **extra: Any) -> HttpResponse:
        named = {name: value for name, value in headers.items() if name != "Content-Type"}
        return sender.generic(
            "POST", path, raw, content_type=headers.get("Content-Type", ""), headers=named, **extra
        )

    return send


def nothing_happened() -> bool:
    return not (Event.objects.exists() or IntakeRow.objects.exists() or Rejection.objects.exists())


def problem(response: HttpResponse) -> str:
    """The code of a problem document."""
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    return str(body["code"])


def test_a_signed_event_is_accepted(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, response["Content-Type"]) == (202, "application/json")
    assert json.loads(response.content) == {
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "conflicts": 0,
        "ids": [Event.objects.get().public_id],
    }
    assert response["X-Request-Id"]
    assert "Set-Cookie" not in response


def test_a_tampered_body_is_401(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw.replace(b"17895", b"17896"), make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (401, "signature_wrong")
    assert nothing_happened()


def test_a_wrong_secret_is_401(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, make.signed(raw, make.endpoint().secret))
    assert (response.status_code, problem(response)) == (401, "signature_wrong")
    assert nothing_happened()


def test_a_missing_signature_is_401(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, {"Content-Type": "application/cloudevents+json"})
    assert (response.status_code, problem(response)) == (401, "signature_missing")
    assert nothing_happened()


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_stale_timestamp_is_401(door: Door, post: Post, seconds: int) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, make.signed(raw, door.secret, at=NOW + timedelta(seconds=seconds)))
    assert (response.status_code, problem(response)) == (401, "timestamp_stale")
    assert nothing_happened()


def test_a_replay_is_200_and_changes_nothing(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    headers = make.signed(raw, door.secret)
    assert post(door.path, raw, headers).status_code == 202
    response = post(door.path, raw, headers)
    assert response.status_code == 200
    assert json.loads(response.content)["duplicates"] == 1
    assert (Event.objects.count(), IntakeRow.objects.count()) == (1, 1)


def test_another_body_with_the_same_id_is_409(door: Door, post: Post) -> None:
    for subject, status in (("10045", 202), ("10046", 409)):
        raw = make.body(make.cloudevent(id="e-1", subject=subject))
        response = post(door.path, raw, make.signed(raw, door.secret))
        assert response.status_code == status
    assert json.loads(response.content)["code"] == "id_reused"
    assert Event.objects.get().subject == "10045"
    assert (IntakeRow.objects.count(), Rejection.objects.get().code) == (1, "id_reused")


class Untouchable(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


def test_two_megabytes_are_413_before_anything_is_read(door: Door, post: Post) -> None:
    response = post(
        door.path,
        b"",
        make.signed(b"", door.secret),
        CONTENT_LENGTH=str(2 * 1024 * 1024),
        **{"wsgi.input": Untouchable()},
    )
    assert (response.status_code, problem(response)) == (413, "too_large")
    assert nothing_happened()


def test_a_megabyte_and_not_a_byte_more_is_read(door: Door, post: Post) -> None:
    padding = 1024 * 1024 - len(make.body(make.cloudevent("till.opened", data="", id="e-1")))
    for extra, status in ((1, 413), (0, 202)):
        raw = make.body(make.cloudevent("till.opened", data="x" * (padding + extra), id="e-1"))
        assert post(door.path, raw, make.signed(raw, door.secret)).status_code == status
    assert Event.objects.count() == 1


def test_a_body_without_a_length_is_read_up_to_the_limit(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent("till.opened", data="x" * 1_000))
    stream = io.BytesIO(raw)
    extra: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    headers = make.signed(raw, door.secret)
    extra["CONTENT_TYPE"] = headers["Content-Type"]
    with override_settings(WEBHOOK_MAX_BYTES=500):
        response = post(door.path, b"", headers, **extra)
        assert (response.status_code, problem(response)) == (413, "too_large")
        assert stream.tell() == 501
    assert nothing_happened()
    stream.seek(0)
    assert post(door.path, b"", headers, **extra).status_code == 202


def test_no_json_is_400(door: Door, post: Post) -> None:
    raw = b"this is no JSON"
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (400, "invalid")
    assert nothing_happened()


def test_json_that_is_no_event_is_400_and_names_the_attribute(door: Door, post: Post) -> None:
    raw = make.body({"specversion": "1.0", "id": "1", "source": "/x"})
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (400, "not_an_event")
    assert json.loads(response.content)["fields"] == {"type": ["is missing"]}
    assert nothing_happened()


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"]
)
def test_a_wrong_media_type_is_415(door: Door, post: Post, content_type: str) -> None:
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, make.signed(raw, door.secret, content_type=content_type))
    assert (response.status_code, problem(response)) == (415, "wrong_media_type")
    assert nothing_happened()


def test_an_unknown_endpoint_is_404(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    response = post("/hooks/" + "x" * 43, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (404, "endpoint_unknown")
    assert nothing_happened()


def test_an_endpoint_that_is_switched_off_is_404(door: Door, post: Post) -> None:
    actions.set_endpoint_active(endpoint=door.row, active=False, actor=make.BY, now=NOW)
    raw = make.body(make.cloudevent())
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (404, "endpoint_unknown")
    assert nothing_happened()


def test_an_endpoint_on_another_tenants_host_is_404(
    door: Door, cast: Cast, client_for: Callable[..., Client]
) -> None:
    raw = make.body(make.cloudevent())
    headers = make.signed(raw, door.secret)
    for host in (cast.other_host, cast.partner_host, cast.platform_host, "nobody.localhost"):
        sender = client_for(None, host)
        response = sender.generic(
            "POST", door.path, raw, content_type=headers["Content-Type"], headers=dict(headers)
        )
        assert response.status_code == 404
    assert nothing_happened()


def test_a_suspended_tenant_is_403(door: Door, post: Post, tenant: TenantRef) -> None:
    row = Tenant.objects.get(pk=tenant.id)
    set_state(tenant=row, state=TenantState.SUSPENDED, reason="unpaid", actor=make.BY, now=NOW)
    raw = make.body(make.cloudevent())
    counted = metrics.webhooks.labels(outcome="tenant_suspended")._value
    before = counted.get()
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response)) == (403, "tenant_suspended")
    assert nothing_happened()
    assert counted.get() == before + 1


def test_a_reserved_type_is_acknowledged_and_set_aside(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent("portal.run.completed"))
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert response.status_code == 202
    body = json.loads(response.content)
    assert (body["accepted"], body["rejected"], body["rejections"][0]["code"]) == (0, 1, "reserved")
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_a_broken_contract_is_acknowledged_and_set_aside(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent(data={"order_id": 5}))
    response = post(door.path, raw, make.signed(raw, door.secret))
    assert response.status_code == 202
    assert json.loads(response.content)["rejections"][0]["code"] == "contract_broken"
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_a_full_intake_is_503_with_a_time_to_come_again(door: Door, post: Post) -> None:
    raw = make.body(make.cloudevent())
    with override_settings(INTAKE_MOST=0):
        response = post(door.path, raw, make.signed(raw, door.secret))
    assert (response.status_code, problem(response), response["Retry-After"]) == (503, "intake_full", "5")
    assert nothing_happened()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_405(
    door: Door, cast: Cast, client_for: Callable[..., Client], method: str
) -> None:
    response = client_for(None, cast.host).generic(method, door.path)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert nothing_happened()


def test_a_session_is_neither_needed_nor_of_any_use(
    door: Door, cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.owner, cast.host)
    browser.handler.enforce_csrf_checks = True
    response = browser.generic(
        "POST", door.path, make.body(make.cloudevent()), content_type="application/cloudevents+json"
    )
    assert (response.status_code, problem(response)) == (401, "signature_missing")
    assert nothing_happened()


def test_every_outcome_is_counted(door: Door, post: Post) -> None:
    def count(outcome: str) -> float:
        return metrics.registry.get_sample_value("portal_webhooks_total", {"outcome": outcome}) or 0

    before = {name: count(name) for name in ("accepted", "duplicate", "signature_wrong")}
    raw = make.body(make.cloudevent())
    post(door.path, raw, make.signed(raw, door.secret))
    post(door.path, raw, make.signed(raw, door.secret))
    post(door.path, raw, make.signed(raw + b" ", door.secret))
    assert {name: count(name) - before[name] for name in before} == {
        "accepted": 1,
        "duplicate": 1,
        "signature_wrong": 1,
    }


@needs_payloads
class TestPublished:
    """Bodies and signatures that nobody here made up."""

    def test_the_published_shopify_vectors_verify(self) -> None:
        vectors = json.loads((SHARED / "signature_vectors.json").read_text())
        chosen = [vector for vector in vectors if vector["scheme"] == "shopify"]
        for vector in chosen:
            headers = make.headers({"X-Shopify-Hmac-Sha256": vector["value"]})
            shopify.verify(Delivery(headers, vector["body"].encode()), [vector["secret"]], NOW)
            for body, secret in ((vector["body"] + " ", vector["secret"]), (vector["body"], "other")):
                with pytest.raises(SignatureWrong):
                    shopify.verify(Delivery(headers, body.encode()), [secret], NOW)
        assert len(chosen) == 2

    def test_a_real_order_of_a_shop_becomes_a_canonical_one(self, tenant: TenantRef, post: Post) -> None:
        door = make.endpoint("shopify", secret="a client secret of an app")
        raw = json.dumps(
            json.loads((SHARED / "shopify_rest/test__fixtures__order.json").read_text())["order"]
        ).encode()
        response = post(door.path, raw, make.shopify_signed(raw, door.secret, "orders/create"))
        assert response.status_code == 202
        event = Event.objects.get()
        assert (event.type, event.subject, event.contract) == ("order.placed", "450789469", 1)
        assert event.data["total_minor"] == 40_994
        tampered = raw.replace(b"409.94", b"409.95")
        response = post(door.path, tampered, make.shopify_signed(raw, door.secret, "orders/create", "wh-2"))
        assert response.status_code == 401
        assert Event.objects.count() == 1
