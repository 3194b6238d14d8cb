"""Fixtures of the engine's tests: a worker in this process, and an estate to call."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from automations.engine.actions.worker import Worker
from tests.support import estate as the_estate
from tests.support.estate import Estate


@pytest.fixture
def worker(committed: Any) -> Iterator[Callable[..., int]]:
    """`worker()` works until nothing is due; the number of claims worked on."""
    found = Worker()

    def work(*, seconds: float = 8.0, idle: float = 0.3) -> int:
        return found.run(seconds=seconds, idle=idle)

    yield work
    found.close()


@pytest.fixture(scope="session")
def _estate() -> Iterator[Estate]:
    with the_estate.running() as found:
        yield found


@pytest.fixture
def estate(_estate: Estate, settings: Any) -> Estate:
    """A shop and an ERP with empty books, which the engine may call."""
    _estate.ask("POST", "/control/reset", {})
    _estate.faults()
    settings.EGRESS_ALLOW = frozenset({_estate.allowed})
    return _estate
