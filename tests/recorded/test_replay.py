"""Journals of runs that went by earlier code come out the same by today's: a run in flight survives a deployment."""

from collections import Counter
from typing import Any

import pytest

from tests.conformance.test_deaths import KINDS
from tests.recorded.recording import MORE, load, replayed

RUNS = load()


@pytest.mark.parametrize("kind", [*KINDS, *MORE])
def test_what_came_then_leads_to_the_same_journal(kind: str) -> None:
    for run in (one for one in RUNS if one["kind"] == kind):
        wanted = {name: run[name] for name in ("journal", "status", "output", "error")}
        assert replayed(run) == wanted, f"world {run['world']}"


def test_there_are_enough_of_them_and_of_every_kind() -> None:
    assert len(RUNS) >= 100
    assert {run["kind"] for run in RUNS} == {*KINDS, *MORE}
    ends = Counter(run["status"] for run in RUNS)
    assert ends["completed"] >= 50, ends
    assert ends["suspended"] >= 10, ends


def test_a_machine_that_changed_is_seen() -> None:
    run: dict[str, Any] = next(one for one in RUNS if one["kind"] == "a timeout")
    changed = {**run, "document": run["document"].replace("PT1M", "PT2M")}
    assert replayed(changed)["journal"] != run["journal"]
