"""Journeys go through a real browser, a real server, a real worker and the simulated shop and ERP."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from automations.engine.actions.worker import Worker
from tests.automations.engine.conftest import _estate
from tests.browser.conftest import chromium, server, visit
from tests.support.estate import Estate

__all__ = ["_estate", "chromium", "server", "visit"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/journeys" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def aside(committed: Any) -> Iterator[Callable[..., Any]]:
    """`aside(function, …)`: call it in a thread of its own, since the browser's driver keeps an event loop in ours."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield lambda function, *given, **named: thread.submit(function, *given, **named).result()
        thread.submit(connections.close_all).result()


@pytest.fixture
def worker(aside: Callable[..., Any]) -> Iterator[Callable[..., int]]:
    """`worker()` works until nothing is due."""
    found = aside(Worker)

    def work(*, seconds: float, idle: float) -> int:
        number: int = aside(found.run, seconds=seconds, idle=idle)
        return number

    yield work
    aside(found.close)


@pytest.fixture
def estate(_estate: Estate, settings: Any, aside: Callable[..., Any]) -> Estate:
    """A shop and an ERP with empty books, which the engine may call."""
    aside(_estate.ask, "POST", "/control/reset", {})
    aside(_estate.faults)
    settings.EGRESS_ALLOW = frozenset({_estate.allowed})
    return _estate
