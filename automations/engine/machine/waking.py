"""Letting what happened since reach a run, in the order in which it happened.

Timers and events are taken by their own instants, not by when a worker got to them: an event that arrived before a
timeout wins over it, and one that arrived after loses, however late the worker is. Of the two at one instant the
event comes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from automations.engine.machine import interpreter
from automations.engine.machine.state import Run

Json = Any
BROOD: Final = -1
"""The number of an arrival that tells that all runs which a step started are over; its id is theirs."""
_REMEMBER: Final = 48 * 3_600.0


@dataclass(slots=True)
class Arrival:
    """An event that came for a subscription of the run; `at` is when it arrived."""

    no: int
    id: str
    at: float
    event: Mapping[str, Json]


def wake(
    run: Run, arrivals: list[Arrival], until: float, *, virtual: bool
) -> tuple[list[Arrival], list[Arrival]]:
    """Let timers due by `until` fire and give `arrivals` (in order) to the run; what was dealt with, and what is left.

    On a tenant's own clock the run lives at the instant of what moves it, else at `until`. What is left are events
    for a listener that is busy with an earlier one. Stops where the run begins to listen: only once that is written
    can it be told what came before, and until then no timer may overtake it.
    """
    done: list[Arrival] = []
    waiting = list(arrivals)
    while run.status == "running" and not run.opened:
        due = interpreter.next_due(run)
        first = next((arrival for arrival in waiting if not _busy(run, arrival.no)), None)
        if first is not None and (due is None or first.at <= due):
            _live_at(run, first.at, until, virtual=virtual)
            waiting.remove(first)
            done.append(first)
            _give(run, first)
        elif due is not None and due <= until:
            _live_at(run, due, until, virtual=virtual)
            interpreter.fire(run)
        else:
            break
    return done, waiting


def _live_at(run: Run, at: float, until: float, *, virtual: bool) -> None:
    run.cause = at
    run.now = at if virtual else until


def _give(run: Run, arrival: Arrival) -> None:
    if arrival.no == BROOD:
        interpreter.take_brood(run, arrival.id, arrival.event["members"])
        return
    if any(known == arrival.id for known, _ in run.recent):
        return
    if interpreter.take_event(run, arrival.no, arrival.event):
        run.recent = [entry for entry in run.recent if entry[1] > arrival.at - _REMEMBER]
        run.recent.append([arrival.id, arrival.at])


def _busy(run: Run, no: int) -> bool:
    """Whether the listener behind `no` works on an earlier event in its `foreach`."""
    key = str(no)
    return any(
        frame.local is not None and "listen" in frame.local and key in frame.local["listen"]["subs"]
        for strand in run.strands.values()
        for frame in strand.frames
    )
