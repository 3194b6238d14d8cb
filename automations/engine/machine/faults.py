"""Errors inside a run: who catches them, when it is tried again, and what stays when nobody does."""

import hashlib
import re
from typing import Any, Final

from automations.engine.dsl.program import Fork, Retry, Try
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine.core import current_task, describe, finish, leave, note, pop, push
from automations.engine.machine.kinds.flow import limit_attempt
from automations.engine.machine.kinds.fork import drop_branches
from automations.engine.machine.state import Frame, Run, Strand

Json = Any
LONGEST_DELAY: Final = 3_600.0
# the standard's own error types were written under several addresses; what counts is the last word
_STANDARD: Final = re.compile(
    r"^https?://(?:serverlessworkflow\.io(?:\.io)?|open-workflow-specification\.org)/"
    r"(?:spec/[\d.]+/errors|dsl/errors/types|errors/types)/([\w-]+)$"
)


def same_type(one: Json, other: Json) -> bool:
    """Whether two error types mean the same."""
    return bool(_normal(one) == _normal(other))


def _normal(kind: Json) -> Json:
    match = _STANDARD.match(kind) if isinstance(kind, str) else None
    return f"std:{match.group(1)}" if match else kind


def throw(run: Run, strand: Strand, error: WorkflowError) -> None:
    """Raise an error at the task that `strand` is at: caught by the nearest try that fits, or left for a person.

    When nobody catches it, the strand stays where it is, so that the failed step can be done again. What a run may use
    up is not the workflow's to forgive: a limit is caught by nobody.
    """
    task = current_task(strand)
    error.body["instance"] = task.ref
    found = None if isinstance(error, LimitReached) else _catcher(run, strand, error.body)
    begin = error.begin if error.begin is not None else run.now
    if found is None:
        strand.pending = {"k": "fault", "b": run.now, "e": error.body}
        note(run, task.ref, "faulted", begin, x=error.body, i=strand.data)
        return
    catcher, depth, retry_in = found
    strand.pending = None
    if catcher is not strand:
        drop_branches(run, catcher)
        catcher.pending = None
    leave(run, catcher, depth + 1)
    frame = catcher.frames[-1]
    if retry_in is not None:
        _again(run, catcher, frame, retry_in, error.body, task.ref, begin)
    else:
        _handle(run, catcher, frame, error.body, task.ref, begin)


def _catcher(run: Run, strand: Strand, error: dict[str, Json]) -> tuple[Strand, int, float | None] | None:
    """The strand and the depth of the try that takes the error, and after how long it tries again (None: not)."""
    while True:
        for depth in range(len(strand.frames) - 1, -1, -1):
            frame = strand.frames[depth]
            if frame.kind != "try":
                continue
            task = strand.frames[depth - 1].list.tasks[strand.frames[depth - 1].index]
            assert isinstance(task, Try)
            taken, retry_in = _takes(run, strand, frame, task, error)
            if taken:
                return strand, depth, retry_in
        if not strand.parent:
            return None
        parent = run.strands[strand.parent]
        fork = current_task(parent)
        if isinstance(fork, Fork) and fork.compete and _others_run(run, strand):
            return None  # a competitor may still win
        strand = parent


def _others_run(run: Run, strand: Strand) -> bool:
    return any(
        other.parent == strand.parent
        and other is not strand
        and not (other.pending is not None and other.pending["k"] == "fault")
        for other in run.strands.values()
    )


def _takes(
    run: Run, strand: Strand, frame: Frame, task: Try, error: dict[str, Json]
) -> tuple[bool, float | None]:
    """Whether this try catches the error, and after how long it tries again."""
    for name, wanted in task.filter.items():
        if not (same_type(error.get("type"), wanted) if name == "type" else error.get(name) == wanted):
            return False, None
    arguments = {**run.arguments(strand), task.error_as: error, "input": frame.input}
    describe(run, arguments, task, frame.input, frame.local["b"] if frame.local else run.now)
    if task.when is not None and not task.when(frame.input, arguments):
        return False, None
    if task.except_when is not None and task.except_when(frame.input, arguments):
        return False, None
    if task.retry is None:
        return True, None
    retry_in = _retry_in(run, frame, task.retry, error, arguments)
    if retry_in is not None:
        return True, retry_in
    return task.handler is not None, None  # exhausted: the handler, or whoever is outside


def _retry_in(
    run: Run, frame: Frame, retry: Retry, error: dict[str, Json], arguments: dict[str, Json]
) -> float | None:
    assert frame.local is not None
    if retry.when is not None and not retry.when(frame.input, arguments):
        return None
    if retry.except_when is not None and retry.except_when(frame.input, arguments):
        return None
    done = frame.local["n"]
    if retry.count is not None and done >= retry.count:
        return None
    delay = _delay(run, retry, done + 1)
    asked = error.get("retryAfter")
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        delay = max(delay, float(asked))
    delay = min(delay, LONGEST_DELAY)
    if retry.duration is not None and run.now + delay > frame.local["b"] + retry.duration:
        return None
    return delay


def _delay(run: Run, retry: Retry, attempt: int) -> float:
    """The pause before retry number `attempt` (1 is the first): constant d, linear d·n, exponential d·2^(n-1)."""
    factors = {"constant": 1.0, "linear": float(attempt), "exponential": 2.0 ** min(attempt - 1, 30)}
    delay = retry.delay * factors[retry.backoff]
    if retry.jitter is not None:
        low, high = retry.jitter
        # the same run and attempt always give the same jitter, so that a history replays
        roll = hashlib.blake2b(f"{run.id}:{run.seq}:{attempt}".encode(), digest_size=4).digest()
        delay += low + (high - low) * int.from_bytes(roll, "big") / 0xFFFF_FFFF
    return delay


def _again(
    run: Run, strand: Strand, frame: Frame, delay: float, error: dict[str, Json], ref: str, begin: float
) -> None:
    """Start the try list anew after `delay`, with the input that the try had; the context stays as it is."""
    assert frame.local is not None
    frame.local["n"] += 1
    frame.index = 0
    strand.data = frame.input
    note(run, ref, "retrying", begin, x=error, a=frame.local["n"], w=delay)
    task = strand.frames[-2].list.tasks[strand.frames[-2].index]
    assert isinstance(task, Try)
    if delay > 0:
        strand.pending = {"k": "retry", "b": run.now, "until": run.now + delay, "e": error}
    else:
        limit_attempt(run, frame, task)


def _handle(run: Run, strand: Strand, frame: Frame, error: dict[str, Json], ref: str, begin: float) -> None:
    """Leave the try and go into its `catch.do`, or go on behind it."""
    note(run, ref, "caught", begin, x=error)
    pop(strand)
    task = current_task(strand)
    assert isinstance(task, Try)
    assert frame.local is not None
    strand.data = frame.input
    if task.handler is not None:
        handler = push(
            strand,
            "catch",
            task.handler,
            frame.input,
            {"b": frame.local["b"], "names": {task.error_as: error}},
        )
        handler.raw = frame.raw
        handler.deadline = frame.deadline
    else:
        finish(run, strand, task, frame.input, frame.input, begin=frame.local["b"], then=task.handler_then)
