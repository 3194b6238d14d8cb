"""People's data by the API: looked for, read, erased; terms that come from above; holds and proofs."""

from datetime import datetime
from typing import Any

import pytest

from automations.events import actions as events
from automations.events.models import Event
from tenants.audit.models import AuditEvent
from tenants.privacy.actions import keeping, subjects
from tenants.privacy.models import LegalHold, SubjectRequest
from tenants.tenancy import context
from tests.portal.api.conftest import Machine
from tests.support import make
from tests.support.cast import Cast


def worked_off(cast: Cast, now: datetime) -> None:
    with context.enter(cast.tenant):
        key = SubjectRequest.objects.get().id
        for _ in range(9):
            subjects.carry_on(key=key, now=now)


@pytest.fixture
def ordered(cast: Cast, now: datetime) -> None:
    with context.enter(cast.tenant):
        for number in range(5):
            events.publish(
                type="order.placed", subject=str(number), data=make.order(), source="/shop", time=now
            )


def test_a_person_is_found_read_in_pages_and_erased(
    api: Machine, cast: Cast, ordered: None, now: datetime
) -> None:
    sent = api.post("data-subjects", {"terms": ["ann@example.com"], "reference": "DSR 12"})
    assert sent.status_code == 202
    path = f"data-subjects/{sent.json()['id']}"
    assert "ann@" not in str(api.get("data-subjects").json())
    early = api.get(f"{path}/rows")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    worked_off(cast, now)
    whole = api.get(path).json()
    assert (whole["state"], whole["terms"][0], whole["given"], whole["hold"]) == (
        "found",
        "ann@example.com",
        1,
        "",
    )
    assert sum(whole["found"].values()) >= 5
    rows: list[Any] = []
    address = f"{path}/rows?limit=2"
    while address:
        page = api.get(address).json()
        assert len(page["items"]) <= 2
        rows += page["items"]
        address = (page["next"] or "").rpartition("/api/v1/")[2]
    assert len(rows) == sum(whole["found"].values())
    assert {"ann@example.com" in str(row["content"]) for row in rows if "event" in row["table"].lower()} == {
        True
    }
    wrong = api.post(f"{path}/erase", {"reference": "DSR 13", "reason": "asked"})
    assert list(wrong.json()["fields"]) == ["reference"]
    assert api.post(f"{path}/erase", {"reference": "DSR 12", "reason": "asked"}).status_code == 202
    worked_off(cast, now)
    assert api.get(path).json()["state"] == "erased"
    with context.enter(cast.tenant):
        assert "ann@example.com" not in str(list(Event.objects.values_list("data", flat=True)))
        assert AuditEvent.objects.filter(action="privacy.export_subject").count() >= 3


def test_a_hold_is_in_the_way_until_it_is_lifted(
    api: Machine, cast: Cast, ordered: None, now: datetime
) -> None:
    sent = api.post("data-subjects", {"terms": ["ann@example.com"], "reference": "DSR 12"}).json()
    worked_off(cast, now)
    hold = api.post("legal-holds", {"name": "Case 7", "reason": "court", "data_subject": sent["id"]})
    assert (hold.status_code, hold.json()["person"], hold.json()["keys"]) == (
        201,
        True,
        ["0", "1", "2", "3", "4"],
    )
    again = api.post("legal-holds", {"name": "Case 7", "reason": "court", "everything": True})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    path = f"data-subjects/{sent['id']}"
    assert api.get(path).json()["hold"] == "Case 7"
    refused = api.post(f"{path}/erase", {"reference": "DSR 12", "reason": "asked"})
    assert (refused.status_code, refused.json()["code"]) == (409, "on_hold")
    lift = f"legal-holds/{hold.json()['id']}/lift"
    assert api.post(lift, {"reason": "over"}).json()["lifted_at"]
    assert api.post(lift, {"reason": "over"}).status_code == 409
    assert (
        api.get("legal-holds").json()["items"],
        len(api.get("legal-holds?lifted=true").json()["items"]),
    ) == (
        [],
        1,
    )
    assert api.post(f"{path}/erase", {"reference": "DSR 12", "reason": "asked"}).status_code == 202


def test_terms_are_set_and_come_from_above(api: Machine, console: Machine, cast: Cast) -> None:
    def standing(machine: Machine) -> dict[str, tuple[int, str]]:
        return {one["what"]: (one["days"], one["level"]) for one in machine.get("retention").json()["items"]}

    assert console("patch", "retention", {"terms": {"events": 400, "cases": 90}}).status_code == 200
    assert standing(api)["events"] == (400, "partner")
    wrong = api("patch", "retention", {"terms": {"events": 30, "cases": 99_999}})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["cases"])
    assert standing(api)["events"] == (400, "partner")
    for terms, field in (({"mail": 1}, "terms.mail"), ({"events": "x"}, "terms.events"), ([], "terms")):
        assert list(api("patch", "retention", {"terms": terms}).json()["fields"]) == [field]
    api("patch", "retention", {"terms": {"events": 30}})
    assert standing(api)["events"] == (30, "tenant")
    api("patch", "retention", {"terms": {"events": None}})
    assert standing(api)["events"] == (400, "partner")


def test_a_purge_leaves_its_proof(api: Machine, cast: Cast, ordered: None, now: datetime) -> None:
    api("patch", "retention", {"terms": {"events": 1}})
    with context.enter(cast.tenant):
        while events.dispatch(cast.tenant, now=now):
            continue
        LegalHold.objects.all().delete()
        Event.objects.update(received_at=now.replace(year=now.year - 1))
        assert keeping.purge(now=now) == {"events": 5}
    assert [(one["what"], one["deleted"]) for one in api.get("purges").json()["items"]] == [("events", 5)]
