"""A store's task from end to end: a run asks, somebody in the store answers with a bad network, the run goes on."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from automations.engine.actions import workflows
from automations.engine.actions.worker import Worker
from automations.engine.dsl.document import read
from automations.engine.models import Run
from automations.inbox import queries
from automations.inbox.models import Case
from kernel import clock
from kernel.actor import system
from tests.portal.ui.conftest import _plain_files
from tests.support.cast import Cast

__all__ = ["_plain_files"]
BY = system("test")
TEXT = """
document: {dsl: 1.0.3, namespace: t, name: count, version: 1.0.0, metadata: {business: {key: .sku}}}
do:
  - count:
      call: humanTask:1@default
      with:
        kind: store_return
        title: ${ "Photograph the return of \\(.sku)" }
        cause: The parcel is open.
        subject: ${ .sku }
        form:
          type: object
          required: [count]
          properties:
            count: {type: integer, minimum: 0, title: How many are there?}
            photo: {type: string}
  - done: {set: {count: '${ .value.count }', photo: '${ .value.photo[0:23] }', by: '${ .by }'}}
"""


@pytest.fixture
def work(committed: Any) -> Iterator[Callable[[], int]]:
    found = Worker()
    yield lambda: found.run(seconds=8.0, idle=0.4)
    found.close()


def test_a_store_answers_with_a_count_and_a_photograph(
    tenant: Any, cast: Cast, work: Callable[[], int], client_for: Callable[..., Client]
) -> None:
    definition = workflows.publish(document=read(TEXT), actor=BY, now=clock.now())
    workflow = workflows.deploy(
        name="count", title="count", definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )  # fmt: skip
    workflows.start_run(workflow=workflow, given={"sku": "MUG-1"}, actor=BY, now=clock.now())
    work()
    case = Case.objects.get()
    asked = queries.store_task(case.id, now=clock.now())
    assert (case.kind, case.title, list(asked.form or {})) == (
        "store_return",
        "Photograph the return of MUG-1",
        ["type", "required", "properties"],
    )
    staff = client_for(cast.staff, cast.host)
    page = staff.get(f"/tasks/{case.public_id}/").content.decode()
    assert "How many are there?" in page
    assert 'name="photo"' in page
    picture = io.BytesIO()
    Image.new("RGB", (1_600, 1_200), "#224466").save(picture, "JPEG")
    path = f"/tasks/{case.public_id}/done"
    assert staff.post(path, {"answer-count": "-1"}, headers={"X-Outbox": "1"}).status_code == 400
    for _turn in range(2):
        photo = SimpleUploadedFile("a.jpg", picture.getvalue(), "image/jpeg")
        sent = {"answer-count": "7", "photo": photo}
        assert staff.post(path, sent, headers={"X-Outbox": "1"}).status_code == 200
    work()
    run = Run.objects.get()
    output = _output(run)
    assert run.status == "completed"
    assert (output["count"], output["photo"], output["by"]) == (7, "data:image/jpeg;base64,", str(cast.staff))


def _output(run: Run) -> Any:
    from automations.engine import queries as engine

    return engine.run_view(run.id).output
