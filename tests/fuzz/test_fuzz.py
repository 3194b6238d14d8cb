"""Hostile requests to every address, as everybody: whatever is sent, the answer is one that was meant.

The short form runs with all tests; `make fuzz N=20000` is the long one.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import documented, running
from tests.fuzz.asked import Asked
from tests.fuzz.running import Sender
from tests.house.ground import CALLERS, Ground
from tests.house.routes import ROUTES

SEED = 4
SHARE = 4
"""One request in so many is schemathesis's."""


def _told(sender: Sender) -> str:
    return "\n".join(f"{what}\n    {asked}" for what, asked in sorted(sender.tally.failures.items()))


@pytest.mark.timeout(300)
def test_a_thousand_hostile_requests_are_all_answered(ground: Ground, db: None, now: Any) -> None:
    sender = Sender(ground)
    running.fuzz(sender, running.town(ground), 1_000, SEED)
    assert not sender.tally.failures, _told(sender)
    assert sender.tally.requests >= 1_000
    assert sender.tally.classes["2xx"] >= 50, "next to nothing came through the doors"


def test_an_error_that_nobody_catches_is_noticed(
    ground: Ground, db: None, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness sees what it looks for: at an address of the API, and at a page."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    sender = Sender(ground)
    owner = next(one for one in CALLERS if (one.name, one.kind) == ("owner", "tenant"))
    monkeypatch.setattr("tenants.access.queries.actor_for", broken)
    for name in ("api:me", "profile"):
        route = next(one for one in ROUTES if (one.name, one.kind) == (name, "tenant"))
        sender.send(Asked(route, owner, "GET", route.address({})))
    assert sender.tally.classes["5xx"] == 2
    assert all("ZeroDivisionError: planted" in what for what in sender.tally.failures)


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_so_many_hostile_requests_are_all_answered(ground: Ground, db: None, now: Any) -> None:
    sender = Sender(ground)
    count, seed = int(os.environ.get("FUZZ_N", "20000")), int(os.environ.get("FUZZ_SEED", "1"))
    try:
        documented.fuzz(sender, count // SHARE, seed)
        running.fuzz(sender, running.town(ground), count - sender.tally.requests, seed)
    finally:
        if line := os.environ.get("FUZZ_LINE"):
            Path(line).write_text(sender.tally.line())
    assert not sender.tally.failures, _told(sender)
