"""Events, endpoints and what was set aside, by the API."""

from typing import Any

import pytest

from automations.events.models import Endpoint, Event, Rejection
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support import make
from tests.support.cast import Cast


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "source": "/shops/harbour", "type": "x.happened", "subject": "1", **more}


def count(cast: Cast) -> int:
    with context.enter(cast.tenant):
        return Event.objects.count()


def test_events_are_published_and_read_again(cast: Cast, api: Machine) -> None:
    data = {"any": ["thing", 12345678901234567890123]}
    answer = api.post("events", {"events": [event(1, data=data, extensions={"trace": "t1"}), event(2)]})
    assert answer.status_code == 202
    first, _ = answer.json()["items"]
    found = api.get(f"events/{first['id']}").json()["envelope"]
    assert (found["data"], found["trace"], found["id"]) == (data, "t1", "e1")
    assert [one["event_id"] for one in api.get("events?source=/shops/harbour").json()["items"]] == [
        "e2",
        "e1",
    ]
    with context.enter(cast.tenant):
        audit = AuditEvent.objects.get(action="events.publish")
    assert audit.after == {"events": 2, "types": ["x.happened"]}


def test_an_event_that_is_known_is_no_second_one(cast: Cast, api: Machine) -> None:
    first = api.post("events", {"events": [event()]}).json()["items"]
    assert api.post("events", {"events": [event()]}).json()["items"] == first
    assert count(cast) == 1
    other = api.post("events", {"events": [event(data={"else": 1})]})
    assert (other.status_code, other.json()["code"]) == (409, "id_reused")


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"type": "order.placed", "data": {}}, 422, "events.1.data"),
        ({"type": "portal.run.suspended"}, 400, "events.1"),
        ({"source": "/engine"}, 400, "events.1"),
        ({"source": "not a uri"}, 400, "events.1.source"),
        ({"extensions": {"No Name": 1}}, 400, "events.1.No Name"),
        ({"time": "yesterday"}, 400, "events.1.time"),
        ({"id": ""}, 400, "events.1.id"),
        ({"surprise": 1}, 400, "events.1.surprise"),
    ],
)
def test_of_a_batch_with_something_wrong_nothing_is_kept(
    cast: Cast, api: Machine, wrong: dict[str, Any], status: int, field: str
) -> None:
    answer = api.post("events", {"events": [event(1), event(2, **wrong)]})
    assert answer.status_code == status
    assert field in {name[: len(field)] for name in answer.json()["fields"]}
    assert count(cast) == 0


def test_a_batch_has_1_to_500_events(api: Machine) -> None:
    for events in ([], [event(number) for number in range(501)]):
        assert set(api.post("events", {"events": events}).json()["fields"]) == {"events"}


def test_an_endpoint_is_made_rotated_and_switched(cast: Cast, api: Machine) -> None:
    made = api.post("endpoints", {"name": "Shop", "kind": "cloudevents"}).json()
    assert made["secret"].startswith("whsec_")
    path = f"endpoints/{made['id']}"
    assert "secret" not in api.get(path).json()
    other = api.post(f"{path}/secret", {"overlap_hours": 1}).json()
    assert (other["secret_version"], other["secret"] != made["secret"]) == (2, True)
    assert api("patch", path, {"active": False}).json()["active"] is False
    taken = api.post("endpoints", {"name": "Shop", "kind": "cloudevents"})
    assert (taken.status_code, set(taken.json()["fields"])) == (409, {"name"})
    weak = api.post("endpoints", {"name": "Other", "kind": "cloudevents", "secret": "short"})
    assert (weak.status_code, weak.json()["code"]) == (400, "secret_too_weak")
    with context.enter(cast.tenant):
        assert Endpoint.objects.count() == 1
        text = str(list(AuditEvent.objects.values()))
    assert made["secret"] not in text


def test_what_was_set_aside_is_taken_after_all_or_left(cast: Cast, api: Machine, hollis: World) -> None:
    path = f"rejections/{hollis.ids['rejection']}"
    assert [one["id"] for one in api.get("rejections").json()["items"]] == [hollis.ids["rejection"]]
    taken = api.post(f"{path}/accept", {"reason": "The shop is right."})
    assert (taken.status_code, taken.json()["state"]) == (200, "accepted")
    again = api.post(f"{path}/discard", {"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "rejection_decided")
    assert api.get("rejections").json()["items"] == []
    assert len(api.get("rejections?state=accepted").json()["items"]) == 1
    with context.enter(cast.tenant):
        other = Rejection.objects.create(
            code="reserved", reason="x", body=make.cloudevent(), received_at="2026-03-02T09:30:00Z"
        )
    refused = api.post(f"rejections/{other.public_id}/accept", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "rejection_not_acceptable")
    assert api.post(f"rejections/{other.public_id}/discard", {}).json()["state"] == "discarded"
