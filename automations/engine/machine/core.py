"""What every kind of task shares: the journal, entering a list, finishing a task, closing a list."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from automations.engine.dsl.limits import MAX_DEPTH, MAX_JUMPS
from automations.engine.dsl.program import CONTINUE, END, EXIT, Check, Task, TaskList
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine.moves import Fact
from automations.engine.machine.state import ROOT, Frame, Run, Strand, instant

Json = Any
Closer = Callable[[Run, Strand, Frame, Task], None]
CLOSERS: Final[dict[str, Closer]] = {}
"""What happens when a list of a kind has come to its end, where that is more than to finish the task around it."""


def note(run: Run, ref: str, status: str, begin: float, **more: Json) -> None:
    """Add a line to the journal."""
    run.steps.append({"n": run.seq, "r": ref, "s": status, "b": begin, "e": run.now, **more})
    run.seq += 1


def tell(run: Run, what: str, ref: str, **more: Json) -> None:
    """Tell rooms above what became of the run, with the next checkpoint."""
    data = {"runId": str(run.id), "task": ref, **more}
    run.facts.append(
        Fact(f"{run.id}-{run.seq}-{what}", f"portal.run.{what}", "", data, run.now, source="/engine")
    )


def describe(run: Run, arguments: dict[str, Json], task: Task, given: Json, begin: float) -> None:
    """Let expressions of `task` know it as `$task`, where any of the workflow's asks for it."""
    if "task" in run.program.used:
        arguments["task"] = {
            "name": task.name,
            "reference": task.ref,
            "definition": task.source,
            "input": given,
            "startedAt": instant(begin),
        }


def check(schema: Check | None, value: Json, what: str) -> None:
    """Raise `validation` if `value` does not fit."""
    if schema is None:
        return
    for error in schema.iter_errors(value):
        path = "/" + "/".join(str(part) for part in error.instance_path)
        raise WorkflowError(
            "validation", f"{what}{path if path != '/' else ''}: {error.message}", pointer=path
        )


def push(
    strand: Strand, kind: str, tasks: TaskList, given: Json, local: dict[str, Any] | None = None
) -> Frame:
    """Go into a list; the strand's data becomes `given`. Raises LimitReached."""
    if len(strand.frames) >= MAX_DEPTH:
        raise LimitReached("depth", f"the run is inside of {MAX_DEPTH} lists, one in another")
    frame = Frame(kind, tasks, given, strand.data, local)
    strand.frames.append(frame)
    strand.data = given
    if local is not None and "names" in local:
        strand.arguments = None
    return frame


def pop(strand: Strand) -> Frame:
    """Leave the innermost list."""
    frame = strand.frames.pop()
    if frame.local is not None and "names" in frame.local:
        strand.arguments = None
    return frame


def _task_of(strand: Strand) -> Task:
    frame = strand.frames[-1]
    return frame.list.tasks[frame.index]


def current_task(strand: Strand) -> Task:
    """The task that the strand is at."""
    return _task_of(strand)


def nearest_task(strand: Strand) -> Task:
    """The task that the strand is at; at the end of a list its last one."""
    frame = strand.frames[-1]
    return frame.list.tasks[min(frame.index, len(frame.list.tasks) - 1)]


def finish(
    run: Run,
    strand: Strand,
    task: Task,
    given: Json,
    output: Json,
    *,
    begin: float,
    then: int | None = None,
    **more: Json,
) -> None:
    """A task is done: filter and check its output, export, journal, and go where `then` says."""
    arguments = run.arguments(strand)
    if task.output_as is not None:
        arguments["input"] = given
        describe(run, arguments, task, given, begin)
        output = task.output_as(output, arguments)
    if task.output_check is not None:
        check(task.output_check, output, "output")
    if task.export_as is not None:
        arguments["input"], arguments["output"] = given, output
        describe(run, arguments, task, given, begin)
        context = task.export_as(output, arguments)
        del arguments["output"]
        check(task.export_check, context, "context")
        strand.context = arguments["context"] = context
    strand.data = output
    note(run, task.ref, "completed", begin, o=output, **more)
    if run.recovering and run.recovering[0] == task.ref:
        tell(run, "recovered", task.ref, by=run.recovering[1])
        run.recovering = []
    go(run, strand, task.then if then is None else then)


def go(run: Run, strand: Strand, then: int) -> None:
    """Follow a flow directive from the innermost list."""
    if then == CONTINUE:
        strand.frames[-1].index += 1
    elif then >= 0:
        _jump(strand.frames[-1], then)
    elif then == EXIT:
        frame = strand.frames[-1]
        frame.index = len(frame.list.tasks)
    elif then == END:
        end(run, strand)


def _jump(frame: Frame, then: int) -> None:
    """Go to another task of the list; back only so often, since a list that never ends is a mistake."""
    if then <= frame.index:
        frame.jumps += 1
        if frame.jumps > MAX_JUMPS:
            raise LimitReached("jumps", f"the list went back more than {MAX_JUMPS} times")
    frame.index = then


def end(run: Run, strand: Strand) -> None:
    """The run is over, from whatever depth: other strands are dropped."""
    root = run.strands[ROOT]
    root.data, root.context = strand.data, strand.context
    for other in list(run.strands.values()):
        abandon(run, other)
        other.pending = {"k": "gone"}
    run.strands = {ROOT: root}
    root.pending = None


def abandon(run: Run, strand: Strand) -> None:
    """Stop whatever a strand waits for and leave all its lists."""
    stop_waiting(run, strand)
    leave(run, strand, 0)


def stop_waiting(run: Run, strand: Strand) -> None:
    """Drop what the strand waits for; events stop coming, an outcome that still comes finds nobody."""
    pending, strand.pending = strand.pending, None
    if pending is not None:
        _withdraw(run, pending)
    run.effects = [effect for effect in run.effects if effect.strand != strand.id]


def _withdraw(run: Run, pending: dict[str, Json]) -> None:
    """Tell those that would answer that nobody waits for them any more."""
    if pending["k"] == "listen":
        run.closed.extend(int(no) for no in pending["subs"])
    elif pending["k"] == "brood":
        key = UUID(pending["id"])
        started = [brood for brood in run.broods if brood.id == key]
        for brood in started:  # never written down: it is as if they had not been started
            run.broods.remove(brood)
        if not started:
            run.dropped.append(key)
    elif pending["k"] == "human":
        run.closed.append(pending["no"])
        withdrawn = {"key": pending["case"], "runId": str(run.id), "outcome": "withdrawn"}
        run.facts.append(
            Fact(
                f"{run.id}-{run.seq}-withdrawn-{pending['no']}",
                "portal.case.settled",
                "",
                withdrawn,
                run.now,
                source="/engine",
            )
        )


def leave(run: Run, strand: Strand, depth: int) -> None:
    """Leave every list from `depth` on, counted from the outermost."""
    while len(strand.frames) > depth:
        frame = strand.frames.pop()
        if frame.kind == "foreach" and frame.local is not None:
            run.closed.extend(int(no) for no in frame.local["listen"]["subs"])
    strand.arguments = None


def close(run: Run, strand: Strand) -> None:
    """The innermost list has come to its end."""
    frame = pop(strand)
    if not strand.frames:
        return
    task = _task_of(strand)
    closer = CLOSERS.get(frame.kind)
    if closer is not None:
        closer(run, strand, frame, task)
    else:
        finish(run, strand, task, frame.input, strand.data, begin=run.now)
