"""Tasks that steer: switch, do, for, try."""

from typing import Any

from automations.engine.dsl.limits import MAX_ITEMS
from automations.engine.dsl.program import Do, For, Switch, Task, Try
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine.core import CLOSERS, describe, finish, pop, push
from automations.engine.machine.state import Frame, Run, Strand

Json = Any


def switch(run: Run, strand: Strand, task: Switch, given: Json, arguments: dict[str, Json]) -> None:
    """Go where the first condition that holds says; without one, where the task says."""
    then = task.then
    taken = ""
    for name, test, target in task.cases:
        if test is None or test(given, arguments):
            then, taken = target, name
            break
    finish(run, strand, task, given, given, begin=run.now, then=then, c=taken)


def do(run: Run, strand: Strand, task: Do, given: Json, _arguments: dict[str, Json]) -> None:
    """Go into the list."""
    push(strand, "do", task.body, given, {"b": run.now})


def _close_do(run: Run, strand: Strand, frame: Frame, task: Task) -> None:
    finish(run, strand, task, frame.input, strand.data, begin=frame.local["b"] if frame.local else run.now)


def for_(run: Run, strand: Strand, task: For, given: Json, arguments: dict[str, Json]) -> None:
    """Take the items once, then run the list for each; what one gives is what the next gets."""
    items = task.items(given, arguments)
    if items is None:
        items = []
    if not isinstance(items, list):
        raise WorkflowError("expression", "`in` gives no array")
    if len(items) > MAX_ITEMS:
        raise LimitReached("items", f"`in` gives {len(items)} items; at most {MAX_ITEMS} are taken")
    local = {"b": run.now, "items": items, "i": -1, "names": {}}
    frame = push(strand, "for", task.body, given, local)
    frame.index = len(task.body.tasks)  # at the end of an iteration before the first


def _close_for(run: Run, strand: Strand, frame: Frame, task: Task) -> None:
    assert isinstance(task, For)
    assert frame.local is not None
    local = frame.local
    local["i"] += 1
    if local["i"] < len(local["items"]):
        local["names"] = {task.each: local["items"][local["i"]], task.at: local["i"]}
        strand.frames.append(frame)
        strand.arguments = None
        arguments = run.arguments(strand)
        arguments["input"] = strand.data
        describe(run, arguments, task, frame.input, local["b"])
        try:
            go_on = task.go_on is None or task.go_on(strand.data, arguments)
        except WorkflowError:
            pop(strand)
            raise
        if go_on:
            frame.index = 0
            return
        pop(strand)
    finish(run, strand, task, frame.input, strand.data, begin=local["b"])


def try_(run: Run, strand: Strand, task: Try, given: Json, _arguments: dict[str, Json]) -> None:
    """Go into the list, ready to catch; `n` counts the retries."""
    frame = push(strand, "try", task.body, given, {"b": run.now, "n": 0})
    limit_attempt(run, frame, task)


def limit_attempt(run: Run, frame: Frame, task: Try) -> None:
    """Note until when the present attempt may take."""
    if task.retry is not None and task.retry.attempt_duration is not None and frame.local is not None:
        frame.local["attempt_until"] = run.now + task.retry.attempt_duration


def _close_catch(run: Run, strand: Strand, frame: Frame, task: Task) -> None:
    assert isinstance(task, Try)
    assert frame.local is not None
    finish(
        run,
        strand,
        task,
        frame.input,
        strand.data,
        begin=frame.local["b"],
        then=task.handler_then,
        caught=True,
    )


CLOSERS.update({"do": _close_do, "try": _close_do, "for": _close_for, "catch": _close_catch})
