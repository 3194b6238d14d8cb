"""The supervisor under real kills: who dies is started again, and nobody is left behind."""

import os
import signal
from pathlib import Path

import pytest

from tests.deploy.processes import (
    STAND_IN,
    clean_environ,
    eventually,
    left_behind,
    pid_of,
    refusal,
    restarted,
    started,
    state,
)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_leaves_nobody_behind_and_succeeds(place: Path, ending: signal.Signals) -> None:
    with started(
        [*STAND_IN, "web=family", "engine=family"], clean_environ(place), until="all is up"
    ) as portal:
        eventually(lambda: len(left_behind(place)) == 2 + 2 * 3)
        portal.send_signal(ending)
        assert portal.wait(5) == 0
        assert left_behind(place) == []


def test_a_stubborn_process_is_killed_after_its_grace(place: Path) -> None:
    with started([*STAND_IN, "web=stubborn"], clean_environ(place), until="a stubborn starts") as portal:
        portal.send_signal(signal.SIGINT)
        assert portal.wait(5) == 0
        assert left_behind(place) == []


def test_killed_with_9_it_leaves_nobody_behind(place: Path) -> None:
    with started(
        [*STAND_IN, "web=family", "engine=stubborn"], clean_environ(place), until="all is up"
    ) as portal:
        portal.kill()
        eventually(lambda: left_behind(place) == [], 12)


def test_its_inner_process_killed_with_9_leaves_nobody_behind(place: Path) -> None:
    with started(
        [*STAND_IN, "web=family", "engine=family"], clean_environ(place), until="all is up"
    ) as portal:
        os.kill(state(place)["supervisor"], signal.SIGKILL)
        assert portal.wait(12) == 1
        assert left_behind(place) == []
        assert "ended by SIGKILL; nothing is left running" in portal.said()


def test_a_killed_process_starts_again_without_the_children_it_had(place: Path) -> None:
    with started(
        [*STAND_IN, "web=family", "engine=family"], clean_environ(place), until="all is up"
    ) as portal:
        for _ in range(3):
            old = pid_of(place, "engine")
            os.kill(old, signal.SIGKILL)
            eventually(lambda old=old: restarted(place, "engine", old))
        eventually(lambda: len(left_behind(place)) == 2 + 2 * 3)
        assert state(place)["programs"]["engine"]["starts"] == 4
        assert state(place)["programs"]["web"]["starts"] == 1
        assert "engine ended (SIGKILL), starts again in 0.1 s" in portal.said()


def test_a_process_that_keeps_dying_ends_everything_with_one_line(place: Path) -> None:
    line = refusal([*STAND_IN, "web=family", "engine=mortal"], clean_environ(place))
    assert line == "portal: engine died 10 times within 30 s (exit status 9)"
    assert left_behind(place) == []


def test_a_process_that_never_becomes_ready_ends_the_start_sooner(place: Path) -> None:
    line = refusal([*STAND_IN, "web=family", "engine=stillborn"], clean_environ(place))
    assert line == "portal: engine does not start (exit status 9)"
    assert left_behind(place) == []


def test_a_second_start_on_the_same_home_refuses(place: Path) -> None:
    with started([*STAND_IN, "web=family"], clean_environ(place), until="all is up") as portal:
        line = refusal([*STAND_IN, "web=family"], clean_environ(place))
        assert line == (
            f"portal: the portal already runs from {place} (process {portal.pid}); "
            "set PORTAL_HOME and PORTAL_PORT for a second copy"
        )


def test_a_start_right_after_a_kill_waits_for_what_is_winding_down(place: Path) -> None:
    with started([*STAND_IN, "web=stubborn"], clean_environ(place), until="a stubborn starts") as first:
        first.kill()
        with started([*STAND_IN, "web=family"], clean_environ(place), until="all is up"):
            assert pid_of(place, "web") > 0


def test_lines_stand_behind_the_name_of_who_said_them(place: Path) -> None:
    with started(
        [*STAND_IN, "web=family", "dispatcher=family"], clean_environ(place), until="all is up"
    ) as portal:
        eventually(lambda: portal.said().count("a family starts") == 2)
        assert "web        | a family starts\n" in portal.said()
        assert "dispatcher | a family starts\n" in portal.said()
