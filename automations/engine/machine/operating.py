"""What operators may do to a run, and what a new holder does first: cancel, go on from the failed step, hold."""

from typing import Any

from automations.engine.dsl.program import CallFunction, CallHttp, Task
from automations.engine.errors import RunNotSuspended, UnknownStep, WorkflowError
from automations.engine.machine.core import (
    abandon,
    current_task,
    nearest_task,
    note,
    stop_waiting,
    tell,
)
from automations.engine.machine.interpreter import begin, hold_faulted
from automations.engine.machine.kinds.calls import DECIDE
from automations.engine.machine.moves import Effect
from automations.engine.machine.state import ROOT, Frame, Run, Strand

Json = Any


def cancel(run: Run, by: str) -> None:
    """End the run where it is."""
    for strand in list(run.strands.values()):
        _unhold(strand)
        abandon(run, strand)
    ref = nearest_task(run.strands[ROOT]).ref if run.strands and run.strands[ROOT].frames else "/do"
    note(run, ref, "cancelled", run.now, by=by)
    tell(run, "cancelled", ref, by=by)
    run.effects, run.broods = [], []
    run.strands = {}
    run.status = "cancelled"


def faulted_strand(run: Run) -> Strand:
    """The strand that waits for a person. Raises RunNotSuspended."""
    for strand in run.strands.values():
        if strand.pending is not None and strand.pending["k"] == "fault":
            return strand
    raise RunNotSuspended


def failed_step(run: Run) -> str:
    """Where the run waits for a person because of an error; empty if it does not."""
    waiting = (one for one in run.strands.values() if one.pending is not None and one.pending["k"] == "fault")
    return next((nearest_task(strand).ref for strand in waiting), "")


def resume(run: Run, mode: str, value: Json, by: str, reason: str) -> None:
    """Be ready to go on from the failed step: `retry` it, `edit` its data, `skip` it, or `complete` it with an output.

    The run does not move yet: whoever drives it lets it `advance`. Raises RunNotSuspended, and UnknownStep for a
    mode that does not exist.
    """
    strand = faulted_strand(run)
    task = nearest_task(strand)
    state = strand.pending
    assert state is not None
    strand.pending = state.get("was")
    if mode != "retry":
        stop_waiting(run, strand)
    run.status, run.error = "running", None
    more: dict[str, Json] = {"by": by, "why": reason, "m": mode}
    run.recovering = [task.ref, by] if mode in ("retry", "edit") else []
    if mode == "retry":
        note(run, task.ref, "resumed", run.now, **more)
    elif mode == "edit":
        note(run, task.ref, "resumed", run.now, was=strand.data, now=value, **more)
        strand.data = value
    elif mode in ("skip", "complete"):
        output = strand.data if mode == "skip" else value
        note(run, task.ref, "resumed", run.now, o=output, **more)
        strand.data = output
        strand.frames[-1].index += 1
        tell(run, "recovered", task.ref, by=by)
    else:
        raise UnknownStep(f"{mode!r} is no way to go on")
    for frame in strand.frames:  # time spent waiting for a person does not count
        if frame.deadline is not None:
            frame.deadline += run.now - state["b"]
        if frame.local is not None and frame.kind == "try":
            frame.local["n"] = 0
            frame.local.pop("attempt_until", None)


def unpark(run: Run) -> None:
    """Go on after a pause: the time for which the run stood still before a call counts towards no timeout."""
    if run.parked is None:
        return
    stood, run.parked = max(run.now - run.parked, 0.0), None
    for strand in run.strands.values():
        pending = strand.pending
        if pending is not None and pending["k"] == "call" and "deadline" in pending:
            pending["deadline"] += stood
        for frame in strand.frames:
            if frame.deadline is not None:
                frame.deadline += stood
            if frame.local is not None and "attempt_until" in frame.local:
                frame.local["attempt_until"] += stood


def reissue(run: Run) -> None:
    """After a restart: hand out again what was under way, under the same keys."""
    for strand in run.strands.values():
        pending = strand.pending
        if pending is not None and pending["k"] == "call":
            task = current_task(strand)
            kind, effect = _effect_of(task)
            run.effects.append(
                Effect(strand.id, pending["key"], task.ref, kind, pending["q"], effect, _left(run, pending))
            )


def _left(run: Run, pending: dict[str, Json]) -> float | None:
    return max(pending["deadline"] - run.now, 0.0) if "deadline" in pending else None


def _effect_of(task: Task) -> tuple[str, str]:
    if isinstance(task, CallHttp):
        return "http", task.effect
    if isinstance(task, CallFunction):
        return task.function.name, "safe" if task.function.name == DECIDE else "idempotent"
    return "workflow", "idempotent"


def prepare(run: Run) -> None:
    """Set a run up without letting it move, so that it can be held before its first step."""
    if not begin(run):  # its input is refused: that is told when it is sent on
        root = Strand(ROOT, "", run.input, {})
        root.frames.append(Frame("root", run.program.root, run.input, run.input))
        run.strands = {ROOT: root}
        run.steps, run.facts, run.error = [], [], None


def hold(run: Run, title: str, detail: str, **more: Json) -> None:
    """Hold the run for a person where it is, because of something that is not the workflow's fault.

    `more` are members of the error. What the held strand waited for is kept: tried again, it goes on waiting for it,
    and a call that was under way is made again under its key. Other strands keep what they wait for.
    """
    strand = _to_hold(run)
    was = strand.pending if strand.pending is not None and strand.pending["k"] != "fault" else None
    run.effects = []
    error = WorkflowError("runtime", detail, title=title)
    error.body.update(more)
    error.body["instance"] = nearest_task(strand).ref
    strand.pending = {"k": "fault", "b": run.now, "e": error.body, **({"was": was} if was else {})}
    run.status = "running"
    note(run, error.body["instance"], "faulted", run.now, x=error.body, i=strand.data)
    hold_faulted(run)
    if run.status == "running":  # a competitor could go on, but not now
        run.status, run.error, run.recovering = "suspended", error.body, []
        tell(run, "suspended", error.body["instance"], error=error.body)


def _to_hold(run: Run) -> Strand:
    """The strand to hold: one that is at a step of its own, rather than one that waits for its branches."""
    inner = [one for one in run.strands.values() if one.frames and (one.pending or {}).get("k") != "fork"]
    ready = [one for one in inner if one.pending is None or one.pending["k"] == "call"]
    return next(iter(ready or inner), run.strands[ROOT])


def _unhold(strand: Strand) -> None:
    """Let a strand wait again for what it waited for when it was held."""
    if strand.pending is not None and strand.pending["k"] == "fault" and "was" in strand.pending:
        strand.pending = strand.pending["was"]
