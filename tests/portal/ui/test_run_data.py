"""The data of a run: shortened on its page, whole as a file, gone when they were kept long enough."""

import random
import string
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from automations.engine import queries
from automations.engine.machine import apart
from automations.engine.models import Blob, Run, Segment
from automations.engine.store import blobs
from kernel import clock, ids, jsonx
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench
from tests.portal.ui.test_runs import at, failed, manager, words  # noqa: F401 - fixtures
from tests.support.cast import NOW, Cast

_random = random.Random(3)


def noise(length: int) -> str:
    return "".join(_random.choices(string.ascii_letters, k=length))


def put(run: Run, **values: Any) -> None:
    """Give a run other data."""
    for name, value in values.items():
        packed, large = apart.lighten(value)
        Run.objects.filter(pk=run.pk).update(**{name: packed})
        blobs.keep_here([(run.pk, large)])


def write(run: Run, *lines: dict[str, Any]) -> None:
    """A journal of these lines."""
    Segment.objects.filter(run_id=run.pk).delete()
    numbered = [
        {"n": n, "b": NOW.timestamp() + n / 100, "e": NOW.timestamp() + n / 100 + 0.005, **line}
        for n, line in enumerate(lines)
    ]
    large: apart.Blobs = {}
    rows = [
        Segment(run_id=run.pk, seq=seq, steps=packed) for seq, packed in apart.journal_rows(numbered, large)
    ]
    Segment.objects.bulk_create(rows)
    blobs.keep_here([(run.pk, large)])


@pytest.mark.usefixtures("now")
def test_a_large_part_is_a_note_on_the_page_and_a_file(manager: Client, failed: Run) -> None:  # noqa: F811
    text = noise(200_000)
    put(failed, input=[{"note": text, "id": 7}])
    page = words(manager.get(at(failed)))
    digest = Blob.objects.get().digest
    assert text[:50] not in page
    assert "<code>0.note</code>" in page
    assert f'href="{at(failed, f"data/{digest}")}"' in page
    answer = manager.get(at(failed, f"data/{digest}"))
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{failed.public_id}-')
    assert jsonx.loads(answer.content) == text
    assert jsonx.loads(manager.get(at(failed, "data/input")).content) == [{"note": text, "id": 7}]


@pytest.mark.usefixtures("now")
def test_a_long_value_is_shown_by_its_beginning(manager: Client, failed: Run) -> None:  # noqa: F811
    value = {"lines": [{"n": n, "word": "again"} for n in range(3_000)]}
    put(failed, input=value)
    page = manager.get(at(failed)).content.decode()
    assert "Only the beginning is shown." in page
    assert len(page) < 120_000
    assert jsonx.loads(manager.get(at(failed, "data/input")).content) == value


@pytest.mark.usefixtures("now")
def test_a_line_of_the_journal_with_all_of_its_data(manager: Client, failed: Run) -> None:  # noqa: F811
    text = noise(100_000)
    write(failed, {"r": "/do/0/prepare", "s": "completed", "o": {"text": text}})
    page = words(manager.get(at(failed, "?step=/do/0/prepare&tab=output")))
    assert "<code>text</code>" in page
    assert "97.7" in page  # KB
    line = jsonx.loads(manager.get(at(failed, "data/line-0")).content)
    assert (line["number"], line["step"], line["output"]) == (0, "/do/0/prepare", {"text": text})


@pytest.mark.usefixtures("now")
def test_what_is_not_there_is_not_found(
    manager: Client,  # noqa: F811
    failed: Run,  # noqa: F811
    other_tenant: TenantRef,
    cast: Cast,
    client_for: Callable[..., Client],
) -> None:
    for what in ("line-9999", "0" * 64, "nonsense", "line-x", "output"):
        assert manager.get(at(failed, f"data/{what}")).status_code == 404, what
    assert manager.get(f"/runs/{ids.public_id('run', ids.uuid7())}/data/input").status_code == 404
    with context.enter(other_tenant):
        foreign = Bench().fail()
    assert manager.get(f"/runs/{foreign.public_id}/data/input").status_code == 404
    assert client_for(cast.staff, cast.host).get(at(failed, "data/input")).status_code == 403


@pytest.mark.usefixtures("now")
def test_the_log_of_a_step_says_what_was_called_under_which_key(manager: Client, failed: Run) -> None:  # noqa: F811
    request = {"method": "post", "uri": "/erp/orders"}
    write(
        failed,
        {
            "r": "/do/1/book",
            "s": "retrying",
            "a": 1,
            "w": 2.0,
            "x": {"title": "Away", "status": 503, "request": request, "key": "k:1"},
        },
        {"r": "/do/1/book", "s": "completed", "h": 201, "q": request, "k": "k:1", "o": {}},
    )
    page = words(manager.get(at(failed, "?step=/do/1/book&tab=log")))
    assert page.count("post /erp/orders") == 2
    assert page.count('<code class="mut">k:1</code>') == 2
    assert "try 1 failed" in page


@pytest.mark.usefixtures("now")
def test_a_run_whose_data_are_gone_says_so(manager: Client, failed: Run) -> None:  # noqa: F811
    Run.objects.filter(pk=failed.pk).update(input=jsonx.pack(None), stripped_at=clock.now())
    page = words(manager.get(at(failed)))
    assert "Its data were kept long enough and are gone" in page
    assert "What it works on" not in page


@pytest.mark.usefixtures("now")
def test_ten_thousand_steps_with_their_data_take_no_time(manager: Client, failed: Run) -> None:  # noqa: F811
    note = noise(3_000)
    lines = [{"r": "/do/0/prepare", "s": "completed", "o": {"order_id": "10045"}}]
    for n in range(1, 9_999):
        bad = {"s": "retrying", "a": 1, "w": 0.001, "x": {"title": "Away", "status": 503}}
        lines.append(
            {
                "r": "/do/1/book",
                "o": {"n": n, "note": note},
                "s": "completed",
                **(bad if n % 100 == 0 else {}),
            }
        )
    lines.append({"r": "/do/1/book", "s": "faulted", "x": {"title": "Refused", "status": 422}, "i": {"n": 1}})
    write(failed, *lines)
    pages = (
        "",
        "?step=/do/0/prepare&tab=output",
        "?before=5000",
        "?show=problems",
        "?show=problems&before=900",
    )
    parts: dict[str, Callable[[], Any]] = {
        page: lambda page=page: manager.get(at(failed, page)) for page in pages
    }
    parts |= {
        "graph and timeline": lambda: queries.passages(failed.pk),
        "history": lambda: queries.tail(failed.pk, most=41, data=False),
        "step panel": lambda: queries.tail(failed.pk, most=12, ref="/do/0/prepare"),
    }
    for name, part in parts.items():
        took = []
        part()
        for _ in range(21):
            began = time.process_time()
            part()
            took.append(time.process_time() - began)
        assert sorted(took)[19] < 0.2, (name, took)  # 95 of 100
    passage = queries.passages(failed.pk)["/do/1/book"]
    assert (passage.times, passage.failed) == (9_999, 100)
    assert sum(what == "try" for _, _, what in passage.stretches) == 100  # each failed try
    assert sum(what == "wait" for _, _, what in passage.stretches) == 99  # and each wait for the next


@pytest.mark.usefixtures("now")
def test_a_run_with_a_fifth_of_its_steps_warns(
    manager: Client,  # noqa: F811
    failed: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "steps that a run may make" not in words(manager.get(at(failed)))
    write(failed, *[{"r": "/do/0/prepare", "s": "completed", "o": {}} for _ in range(20)])
    monkeypatch.setattr("portal.ui.runs_shown.MAX_STEPS", 100)
    assert "It has made 20 of the 100 steps that a run may make." in words(manager.get(at(failed)))
