"""Workers that stopped to work are ended, whichever way they stopped: blocked, deaf, or without a turn of their own."""

import ctypes
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from automations.engine.actions import watchdog
from automations.engine.actions.watchdog import LOOKS, Guard, Watchdog
from automations.ledger.queries import tallies
from deploy.local.home import ROOT
from kernel.pulse import Board

BLOCKED = """
import django
django.setup()
import time
from automations.engine.actions import watchdog
from automations.engine.actions.watchdog import Watchdog
watchdog.GRACE = 0.5
watchdog._count = lambda why: print("counted", why, flush=True)
signal_free = __import__("signal").signal(15, lambda *_: None)
turns = [0]
Watchdog({"drain": lambda: turns[0]}, silent=1.5).start()
for _ in range(30):
    turns[0] += 1
    time.sleep(0.1)
print("blocking", flush=True)
def stand_still():
    while True:
        time.sleep(0.01)
stand_still()
"""


def test_a_blocked_loop_ends_its_process_which_says_where_it_stood():
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BLOCKED)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert "blocking" in process.stdout
    assert "counted loop" in process.stdout
    said = process.stdout + process.stderr
    assert "worker stopped turning" in said
    assert "stand_still" in said


def test_a_loop_that_turns_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(watchdog, "end", lambda pid, why, **_: ended.append(pid))
    turns = iter(range(10**9))
    watched = Watchdog({"drain": lambda: next(turns)}, silent=0.15)
    watched.start()
    time.sleep(0.5)
    watched.stop()
    assert ended == []


@pytest.fixture
def child() -> Iterator[Callable[..., int]]:
    """Processes of this one's, made by forking, so that they share its board; ended with the test."""
    made: list[int] = []

    def fork(body: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                body()
            finally:
                os._exit(0)
        made.append(pid)
        return pid

    yield fork
    for pid in made:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue


def reap(pid: int) -> int:
    """The signal that ended a child."""
    for _ in range(100):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        time.sleep(0.05)
    pytest.fail("it lives")


def test_a_child_that_cannot_even_watch_itself_is_killed_by_its_parent(
    committed, tenant, child: Callable[..., int]
) -> None:
    board = Board()

    def hold_the_interpreter() -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)
        board.beat()
        while True:
            ctypes.PyDLL(None).sleep(60)  # no other thread of this process gets a turn meanwhile

    pid = child(hold_the_interpreter)
    while not board.busy():
        time.sleep(0.01)
    guard = Guard(grace=0.3, pulses=board)
    for _ in range(LOOKS + 3):
        guard.look()
    looker = threading.Thread(target=guard.look)
    looker.start()
    assert reap(pid) == signal.SIGKILL
    looker.join()
    assert (board.busy(), tallies("workers_ended_")) == ({}, {"silent": 1})


def test_children_that_beat_or_rest_or_are_gone_are_left_alone(
    child: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "end", lambda *_, **__: pytest.fail("nobody is to be ended"))
    monkeypatch.setattr(watchdog, "_calls_wait", lambda: False)
    board = Board()

    def work() -> None:
        for _ in range(200):
            board.beat()
            time.sleep(0.01)

    def stop() -> None:
        board.beat()
        board.rest()

    def die() -> None:
        board.beat()

    working, gone = child(work), child(die)
    child(stop)
    os.waitpid(gone, 0)
    guard = Guard(pulses=board)
    for _ in range(LOOKS * 3):
        guard.look()
        time.sleep(0.02)
    assert set(board.busy()) == {working}


def test_a_worker_that_is_called_and_does_not_come_is_ended(
    committed, tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[tuple[int, str]] = []
    monkeypatch.setattr(watchdog, "end", lambda pid, why, **_: ended.append((pid, why)))
    waiting = [1]
    monkeypatch.setattr("kernel.bell.waiting", lambda queue: waiting[0] if queue == "engine" else 0)
    guard = Guard(pulses=Board())
    for _ in range(LOOKS * 2):
        guard.look()
    assert ended == []  # a call alone means nothing: nothing is due
    monkeypatch.setattr("automations.ledger.actions.anything_due", lambda: True)
    for _ in range(LOOKS - 1):
        guard.look()
    waiting[0] = 0  # somebody took the call
    guard.look()
    waiting[0] = 1
    for _ in range(LOOKS - 1):
        guard.look()
    assert ended == []
    guard.look()
    assert ended == [(os.getpid(), "deaf")]
