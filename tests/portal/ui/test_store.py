"""A store's tasks: seen and done by store staff, once however often the answer arrives, and no other case with it."""

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from automations.inbox.models import Case, Decision
from portal.ui import store
from tests.support.cast import Cast

OUTBOX = {"X-Outbox": "1"}


@pytest.fixture
def staff(cast: Cast, client_for: Callable[..., Client]) -> Client:
    return client_for(cast.staff, cast.host)


@pytest.fixture
def task(make_case: Callable[..., Case]) -> Case:
    return make_case(kind="store_count", title="Count the mugs")


def test_store_staff_see_their_tasks_and_no_other_cases(
    task: Case, make_case: Callable[..., Case], staff: Client
) -> None:
    other = make_case(title="A refund to approve")
    page = staff.get("/tasks/").content.decode()
    assert "Count the mugs" in page
    assert "A refund to approve" not in page
    assert staff.get(f"/tasks/{other.public_id}/").status_code == 404
    assert staff.post(f"/tasks/{other.public_id}/done").status_code == 404
    assert not Case.objects.get(pk=other.pk).closed


def test_an_answer_that_arrives_twice_counts_once(task: Case, staff: Client, cast: Cast) -> None:
    for _turn in range(3):
        answer = staff.post(f"/tasks/{task.public_id}/done", headers=OUTBOX)
        assert (answer.status_code, "done" in answer.json()["text"]) == (200, True)
    assert Decision.objects.filter(case=task).count() == 1
    task.refresh_from_db()
    assert (task.closed, task.decided_by) == (True, str(cast.staff))


def test_of_two_who_do_a_task_the_second_is_told(
    task: Case, staff: Client, cast: Cast, client_for: Callable[..., Client]
) -> None:
    assert staff.post(f"/tasks/{task.public_id}/done").status_code == 302
    answer = client_for(cast.manager, cast.host).post(f"/tasks/{task.public_id}/done", headers=OUTBOX)
    assert answer.status_code == 409


def test_who_does_no_tasks_gets_none(task: Case, cast: Cast, client_for: Callable[..., Client]) -> None:
    for who, status in ((cast.analyst, 403), (cast.auditor, 403), (cast.stranger, 404)):
        assert client_for(who, cast.host).get("/tasks/").status_code == status
        assert client_for(who, cast.host).post(f"/tasks/{task.public_id}/done").status_code == status
    assert not Case.objects.get().closed


def test_doing_tasks_opens_no_other_door(task: Case, staff: Client) -> None:
    assert staff.post(f"/inbox/{task.public_id}/decide/resolve").status_code == 403
    assert not Case.objects.get().closed


def test_a_photograph_is_drawn_anew_without_what_it_knows() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "the back door of the store"
    Image.new("RGB", (3_000, 2_000), "#445566").save(out, "JPEG", exif=exif)
    url = store._redrawn(out.getvalue())
    content = base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))
    assert b"back door" not in content
    with Image.open(io.BytesIO(content)) as drawn:
        assert max(drawn.size) == 1_024


def test_what_is_no_photograph_is_refused_by_its_field(
    task: Case, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"type": "object", "properties": {"photo": {"type": "string"}}}
    found = store.queries.store_task

    def asked(key: Any, *, now: Any) -> Any:
        from dataclasses import replace

        return replace(found(key, now=now), form=form)

    monkeypatch.setattr(store.queries, "store_task", asked)
    page = staff.get(f"/tasks/{task.public_id}/").content.decode()
    assert 'name="photo"' in page
    sent = {"photo": SimpleUploadedFile("x.jpg", b"<svg onload=alert(1)>")}
    answer = staff.post(f"/tasks/{task.public_id}/done", sent, headers=OUTBOX)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["photo"])
    assert not Case.objects.get().closed


def test_the_worker_rules_these_pages_alone(staff: Client) -> None:
    answer = staff.get("/tasks/sw.js")
    assert answer["Content-Type"] == "text/javascript"
    assert "Service-Worker-Allowed" not in answer


def test_what_the_outbox_sends_twice_under_its_key_is_answered_alike_and_done_once(
    task: Case, staff: Client, cast: Cast, make_case: Callable[..., Case]
) -> None:
    at, headers = f"/tasks/{task.public_id}/done", {**OUTBOX, "Idempotency-Key": "k-1"}
    first, again = staff.post(at, headers=headers), staff.post(at, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Decision.objects.filter(case=task).count() == 1
    other = make_case(kind="store_count", title="Count the plates")
    reused = staff.post(f"/tasks/{other.public_id}/done", headers=headers)
    assert reused.status_code == 422
    assert not Case.objects.get(pk=other.pk).closed
    assert staff.post(at, headers={**OUTBOX, "Idempotency-Key": "k" * 256}).status_code == 400
