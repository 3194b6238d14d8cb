"""Pages of lists: forwards and back, with rows of one instant, while rows are added."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from automations.engine.models import Run
from automations.events import actions as events
from kernel import ids, jsonx
from tenants.tenancy import context
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, Cast


def run(number: int) -> Run:
    return Run.objects.create(
        workflow_id=ids.uuid7(),
        definition_id=ids.uuid7(),
        business_key=str(number),
        status="waiting",
        input=jsonx.pack({}),
        started_at=NOW,
    )


@pytest.fixture
def seven(cast: Cast) -> list[Run]:
    """Seven runs of one instant, newest first."""
    with context.enter(cast.tenant):
        return [run(number) for number in range(7)][::-1]


def walk(api: Machine, address: str | None, way: str = "next") -> Iterator[list[Any]]:
    while address:
        parts = urlsplit(address)
        page = api.get(f"{parts.path}?{parts.query}").json()
        yield page["items"]
        address = page[way]


def test_all_rows_come_once_forwards_and_back(api: Machine, seven: list[Run]) -> None:
    wanted = [row.public_id for row in seven]
    pages = list(walk(api, "/api/v1/runs?limit=3&text=%20".replace("&text=%20", "")))
    assert [[one["id"] for one in page] for page in pages] == [wanted[:3], wanted[3:6], wanted[6:]]
    last = api.get("runs?limit=3").json()
    while last["next"]:
        parts = urlsplit(last["next"])
        last = api.get(f"{parts.path}?{parts.query}").json()
    back = list(walk(api, last["previous"], "previous"))
    assert [[one["id"] for one in page] for page in back] == [wanted[3:6], wanted[:3]]


def test_the_first_page_has_none_before_it_and_the_last_none_behind(api: Machine, seven: list[Run]) -> None:
    page = api.get("runs?limit=7").json()
    assert (len(page["items"]), page["next"], page["previous"]) == (7, None, None)


def test_addresses_of_pages_keep_the_filters(cast: Cast, api: Machine, seven: list[Run]) -> None:
    page = api.get("runs?limit=2&status=waiting,running").json()
    assert page["next"].startswith(f"http://{cast.host}/api/v1/runs?")
    assert "status=waiting%2Crunning" in page["next"]
    assert "limit=2" in page["next"]


def test_a_row_that_comes_in_between_shifts_nothing(cast: Cast, api: Machine, seven: list[Run]) -> None:
    first = api.get("runs?limit=3").json()
    with context.enter(cast.tenant):
        run(99)
    second = next(walk(api, first["next"]))
    assert [one["id"] for one in second] == [row.public_id for row in seven[3:6]]


def test_lists_of_rooms_that_page_themselves_go_forward(cast: Cast, api: Machine) -> None:
    with context.enter(cast.tenant):
        for number in range(5):
            events.publish(type="x.happened", subject=str(number), data=None, source="/s", time=NOW)
    pages = list(walk(api, "/api/v1/events?limit=2&type=x.*"))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({one["id"] for page in pages for one in page}) == 5
