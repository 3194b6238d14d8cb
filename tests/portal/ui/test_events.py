"""The events explorer, quarantine and webhook endpoints."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from automations.events import actions
from automations.events.models import Endpoint, Event, Rejection
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_figures import place_orders, text_of
from tests.support import make
from tests.support.cast import NOW, Cast


def deliver(tenant: TenantRef, door: make.Door, host: str, event: dict[str, object]) -> int:
    """Deliver an event to an endpoint through the letterbox."""
    raw = make.body(event)
    headers = {name: value for name, value in make.signed(raw, door.secret).items() if name != "Content-Type"}
    answer = Client(HTTP_HOST=host).post(
        door.path, raw, content_type="application/cloudevents+json", headers=headers
    )
    return int(answer.status_code)


def test_events_are_found_by_what_they_are(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1", "B-2")

    def shown(query: str) -> list[str]:
        return [row.event.subject for row in portal.get(f"/events/?{query}").context["rows"]]

    assert shown("by=outside") == ["B-2", "A-1"]
    assert shown("q=a-1&by=outside") == ["A-1"]
    assert shown("subject=B-2&by=outside") == ["B-2"]
    assert shown("type=order.canceled") == []
    assert shown("type=order.*&by=outside") == ["B-2", "A-1"]
    assert shown(f"until={(NOW - timedelta(days=2)).date()}") == []
    assert shown("q=%00&by=outside&after=nonsense") == ["B-2", "A-1"]
    assert portal.get("/events/?endpoint=nonsense").status_code == 404


def test_hours_are_counted_beside_the_list(portal: Client, tenant: TenantRef, now: object) -> None:
    place_orders(tenant, "A-1")
    assert "<ui-chart" in portal.get("/events/", headers=PART).content.decode()


def test_one_event_shows_its_body_where_it_came_from_and_what_it_started(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    door = make.endpoint(name="Harbour shop")
    with context.leave():
        assert deliver(tenant, door, cast.host, make.cloudevent(id="harbour-1")) == 202
    event = Event.objects.get(event_id="harbour-1")
    key, _flow = world.failing_run("Booking", "10045")
    type(key).objects.filter(pk=key.pk).update(event_id=event.id, started_at=event.received_at)
    told = text_of(portal.get(f"/events/{event.public_id}/"))
    for said in ("Harbour shop", "Valid", "Meets version 1", "Booking", '"total_minor": 17895'):
        assert said in told, said
    assert f"/runs/{key.public_id}/" in portal.get(f"/events/{event.public_id}/").content.decode()


def test_a_foreign_event_is_nowhere(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    made = world.of_tenant(tenant, "Quay")
    browser = client_for(cast.other_owner, cast.other_host)
    for address in (
        f"/events/{made.ids['event']}/",
        f"/quarantine/{made.ids['rejection']}/",
        f"/endpoints/{made.ids['endpoint']}/",
        f"/endpoints/{made.ids['endpoint']}/secret",
        "/events/nonsense/",
    ):
        assert browser.get(address).status_code == 404, address
    assert browser.post(f"/quarantine/{made.ids['rejection']}/discard", {"reason": "x"}).status_code == 404
    assert browser.post(f"/endpoints/{made.ids['endpoint']}/switch", {"active": "0"}).status_code == 404
    assert Endpoint.objects.get(pk=made.keys["endpoint"].pk).active


def test_webhooks_are_for_those_who_manage_them(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    made = world.of_tenant(tenant, "Quay")
    pages = (
        "/quarantine/",
        f"/quarantine/{made.ids['rejection']}/",
        "/endpoints/",
        "/endpoints/new/",
        f"/endpoints/{made.ids['endpoint']}/",
        f"/endpoints/{made.ids['endpoint']}/secret",
        f"/endpoints/{made.ids['endpoint']}/switch",
    )
    for name, status in {"owner": 200, "partner_engineer": 403, "manager": 403, "auditor": 403}.items():
        browser = client_for(getattr(cast, name), cast.host)
        for address in pages:
            looks = address.startswith("/quarantine/") and name in ("partner_engineer", "manager")
            assert browser.get(address).status_code == (200 if looks else status), (name, address)
    manager = client_for(cast.manager, cast.host)
    assert manager.get("/events/").status_code == 200
    auditor = client_for(cast.auditor, cast.host)
    assert auditor.post(f"/quarantine/{made.ids['rejection']}/accept", {"reason": "x"}).status_code == 403
    assert client_for(cast.staff, cast.host).get("/events/").status_code == 403
    assert (
        client_for(cast.owner, cast.host).get(f"/quarantine/{made.ids['rejection']}/accept").status_code
        == 405
    )


@pytest.fixture
def broken(cast: Cast, tenant: TenantRef, now: object) -> Rejection:
    """An order without lines, delivered and set aside."""
    door = make.endpoint(name="Harbour shop")
    data = make.order()
    del data["lines"]
    with context.leave():
        deliver(tenant, door, cast.host, make.cloudevent(id="broken-1", data=data))
    return Rejection.objects.get(event_id="broken-1")


def test_quarantine_says_what_is_wrong_where(portal: Client, broken: Rejection) -> None:
    assert "order.placed" in text_of(portal.get("/quarantine/"))
    assert portal.get("/quarantine/?state=discarded").context["rows"] == ()
    told = text_of(portal.get(f"/quarantine/{broken.public_id}/"))
    for said in ("Breaks its contract", "What is wrong", "lines", '"order_id": "10045"', "Harbour shop"):
        assert said in told, said
    assert ">1<" in portal.get("/events/").content.decode().replace(" in quarantine", "<")  # the way there


def test_an_event_is_taken_after_all_with_a_reason_and_a_trace(
    cast: Cast, portal: Client, tenant: TenantRef, broken: Rejection
) -> None:
    address = f"/quarantine/{broken.public_id}/accept"
    refused = portal.post(address, {"reason": " "})
    assert refused.status_code == 422
    assert 'href="#id_reason"' in refused.content.decode()
    done = portal.post(address, {"reason": "The shop has no lines"})
    assert done["Location"] == f"/quarantine/{broken.public_id}/"
    assert Event.objects.filter(event_id="broken-1").exists()
    row = AuditEvent.objects.get(action="events.accept_rejection")
    assert (row.actor_label, row.reason) == (str(cast.owner), "The shop has no lines")
    assert "Taken after all" in text_of(portal.get(f"/quarantine/{broken.public_id}/"))


def test_of_two_who_decide_the_second_is_told_and_changes_nothing(
    portal: Client, tenant: TenantRef, broken: Rejection
) -> None:
    portal.post(f"/quarantine/{broken.public_id}/discard", {"reason": "A test of theirs"})
    late = portal.post(f"/quarantine/{broken.public_id}/accept", {"reason": "Mine"})
    assert late.status_code == 409
    assert "Somebody has decided about this event already." in text_of(late)
    broken.refresh_from_db()
    assert broken.state == "discarded"
    assert not Event.objects.filter(event_id="broken-1").exists()


def test_what_is_no_event_can_only_be_discarded(portal: Client, tenant: TenantRef, now: object) -> None:
    row = Rejection.objects.create(code="not_an_event", reason="no type", received_at=NOW, body={"a": 1})
    page = portal.get(f"/quarantine/{row.public_id}/").content.decode()
    assert "Take it after all" not in page
    assert portal.post(f"/quarantine/{row.public_id}/accept", {"reason": "x"}).status_code == 409
    assert portal.post(f"/quarantine/{row.public_id}/nonsense", {"reason": "x"}).status_code == 404


def secret_in(page: str) -> str:
    """The secret that a page shows."""
    return str(re.findall(r'data-copy="(whsec_[^"]+)"', page)[0])


def test_an_endpoint_is_made_its_secret_shown_once_and_deliveries_taken(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    made = portal.post(
        "/endpoints/new/", {"name": "Harbour", "kind": "cloudevents", "source": "", "secret": ""}
    )
    page = made.content.decode()
    row = Endpoint.objects.get(name="Harbour")
    secret = secret_in(page)
    assert f"http://{cast.host}/hooks/{row.token}" in page
    assert "no-store" in made["Cache-Control"]
    with context.leave():
        assert deliver(tenant, make.Door(row, secret), cast.host, make.cloudevent(id="first")) == 202
    for address in ("/endpoints/", f"/endpoints/{row.public_id}/", "/audit/"):
        assert secret not in portal.get(address).content.decode(), address
    assert AuditEvent.objects.filter(action="events.create_endpoint", object_id=row.public_id).exists()


def test_a_secret_of_the_sender_s_is_never_sent_back(portal: Client, tenant: TenantRef, now: object) -> None:
    given = {"name": "Shop", "kind": "shopify", "source": "", "secret": "s" * 40 + "xyz"}
    made = portal.post("/endpoints/new/", given)
    assert made.status_code == 200
    assert given["secret"] not in made.content.decode()
    weak = portal.post("/endpoints/new/", {**given, "name": "Other", "secret": "short"})
    text = weak.content.decode()
    assert weak.status_code == 422
    assert 'href="#id_secret"' in text
    assert 'value="Other"' in text
    assert "short" not in re.findall(r'<input[^>]*name="secret"[^>]*>', text)[0]


def test_a_name_that_is_taken_is_told_at_its_field(portal: Client, tenant: TenantRef, now: object) -> None:
    make.endpoint(name="Harbour")
    answer = portal.post(
        "/endpoints/new/", {"name": "Harbour", "kind": "cloudevents", "source": "/shops/x", "secret": ""}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#id_name"' in text
    assert 'value="/shops/x"' in text


def test_another_secret_counts_beside_the_old_one_as_long_as_was_said(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    door = make.endpoint(name="Harbour")
    made = portal.post(f"/endpoints/{door.row.public_id}/secret", {"overlap": "1", "secret": ""})
    fresh = secret_in(made.content.decode())
    door.row.refresh_from_db()
    assert door.row.previous_until == NOW + timedelta(hours=1)
    with context.leave():
        assert deliver(tenant, door, cast.host, make.cloudevent(id="old")) == 202
        assert deliver(tenant, make.Door(door.row, fresh), cast.host, make.cloudevent(id="new")) == 202
    assert portal.post(f"/endpoints/{door.row.public_id}/secret", {"overlap": "17"}).status_code == 422


def test_an_endpoint_is_switched_off_once_asked(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    door = make.endpoint(name="Harbour")
    address = f"/endpoints/{door.row.public_id}/switch"
    assert "Switch Harbour off?" in portal.get(address, headers=PART).content.decode()
    assert portal.post(address, {"active": "0"})["Location"] == f"/endpoints/{door.row.public_id}/"
    with context.leave():
        assert deliver(tenant, door, cast.host, make.cloudevent()) == 404
    portal.post(address, {"active": "1"})
    with context.leave():
        assert deliver(tenant, door, cast.host, make.cloudevent()) == 202
    assert AuditEvent.objects.filter(action="events.set_endpoint_active").count() == 2


def test_a_shop_s_endpoint_names_its_topics(portal: Client, tenant: TenantRef, now: object) -> None:
    door = make.endpoint("shopify", name="Shop")
    told = text_of(portal.get(f"/endpoints/{door.row.public_id}/"))
    assert "orders/create" in told
    assert "order.placed" in told


def test_empty_lists_say_why_and_what_to_do(portal: Client, now: object) -> None:
    assert "Nothing is set aside" in text_of(portal.get("/quarantine/"))
    assert "No endpoint yet" in text_of(portal.get("/endpoints/"))
    assert "No event fits" in text_of(portal.get("/events/?q=nothing-like-it"))


def test_lists_ask_as_often_however_long_they_are(portal: Client, tenant: TenantRef, now: object) -> None:
    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert portal.get(address).status_code == 200
        return len(queries)

    pages = ("/events/", "/quarantine/", "/endpoints/", "/orders/")
    world.of_tenant(tenant, "Few")
    for address in pages:
        asked(address)
    few = {address: asked(address) for address in pages}
    for number in range(12):
        door = make.endpoint(name=f"Endpoint {number}")
        Rejection.objects.create(
            code="handler_failed", reason="x", endpoint=door.row, event_id=f"{number}", received_at=NOW
        )
    place_orders(tenant, *(f"B-{number}" for number in range(12)))
    for address in pages:
        assert asked(address) <= few[address] + 2, address  # host and brand are remembered for a second only


def test_an_event_whose_handling_failed_leads_to_quarantine(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    event = actions.publish(type="shop.opened", subject="A-1", data={}, source="/shops/x", time=NOW)
    row = Rejection.objects.create(code="handler_failed", reason="x", event=event.id, received_at=NOW)
    assert f"/quarantine/{row.public_id}/" in portal.get(f"/events/{event.public_id}/").content.decode()


def test_what_points_to_a_person_is_covered_until_somebody_looks_and_that_is_noted(
    cast: Cast, portal: Client, client_for: Callable[..., Client], tenant: TenantRef, now: object
) -> None:
    order = make.order(order_id="10045")
    order["customer"] = {"name": "Ann Example", "email": "ann@example.com", "id": "c-1"}
    told = actions.publish(
        type="order.noticed", subject="10045", data=order, source="/shops/x", time=NOW, internal=True
    )
    page = portal.get(f"/events/{told.public_id}/").content.decode()
    for hidden in ("Ann Example", "ann@example.com", order["shipping_address"]["postcode"]):
        assert hidden not in page, hidden
    for shown in ("•••@example.com", "c-1", "10045"):
        assert shown in page, shown
    assert portal.get(f"/events/{told.public_id}/whole").status_code == 405
    whole = portal.post(f"/events/{told.public_id}/whole").content.decode()
    assert "Ann Example" in whole
    assert AuditEvent.objects.get(action="events.reveal").object_id == told.public_id
    reader = client_for(cast.analyst, cast.host)
    assert reader.post(f"/events/{told.public_id}/whole").status_code == 403
