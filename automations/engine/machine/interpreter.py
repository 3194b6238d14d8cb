"""Making a run's next moves: start, go on, take outcomes and events, let timers fire."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from automations.engine.dsl.expressions import NOW
from automations.engine.dsl.program import (
    CallFunction,
    CallHttp,
    CallTask,
    Do,
    Emit,
    For,
    Fork,
    Listen,
    Map,
    Raise,
    RunWorkflow,
    Set,
    Switch,
    Task,
    Try,
    Unfetched,
    Wait,
)
from automations.engine.errors import WorkflowError
from automations.engine.machine import bounds, faults
from automations.engine.machine.core import (
    check,
    close,
    current_task,
    describe,
    finish,
    leave,
    note,
    stop_waiting,
    tell,
)
from automations.engine.machine.kinds import broods, calls, data, flow, fork, happenings, people
from automations.engine.machine.moves import Outcome
from automations.engine.machine.state import ROOT, Frame, Run, Strand

Json = Any
_ENTER: Final[dict[type[Task], Callable[..., None]]] = {
    Set: data.set_,
    Raise: data.raise_,
    Wait: data.wait,
    Switch: flow.switch,
    Do: flow.do,
    For: flow.for_,
    Try: flow.try_,
    Fork: fork.fork,
    Emit: happenings.emit,
    Listen: happenings.listen,
    CallHttp: calls.http,
    CallFunction: calls.function,
    CallTask: calls.own,
    RunWorkflow: broods.workflow,
    Map: broods.map_,
    Unfetched: calls.unfetched,
}
_TIMERS: Final = ("wait", "retry")


def start(run: Run) -> None:
    """Begin: check and filter the input, then go as far as possible."""
    if begin(run):
        advance(run)


def begin(run: Run) -> bool:
    """Stand in front of the first task, the input checked and filtered; False if the run failed over it."""
    run.status = "running"
    root = Strand(ROOT, "", run.input, {})
    run.strands[ROOT] = root
    program = run.program
    try:
        check(program.input_check, run.input, "input")
        if program.input_from is not None:
            arguments = run.arguments(root)
            root.data = program.input_from(run.input, arguments)
        limit = program.timeout(root.data, run.arguments(root)) if program.timeout is not None else None
    except WorkflowError as error:
        error.body["instance"] = "/input"
        _fail(run, error.body)
        return False
    frame = Frame("root", program.root, root.data, root.data)
    if limit is not None:
        frame.deadline = run.now + limit
    root.frames.append(frame)
    return True


def advance(run: Run) -> None:
    """Let every strand that can go on do so, until each of them waits for something or the run is over."""
    moved = True
    while moved and run.status == "running":
        moved = False
        for strand in list(run.strands.values()):
            if strand.pending is None and run.strands.get(strand.id) is strand:
                _go(run, strand)
                moved = True
                if run.status != "running":
                    return


def _go(run: Run, strand: Strand) -> None:
    """Let one strand go on."""
    frames = strand.frames
    while strand.pending is None:
        if not frames:
            _over(run, strand)
            return
        frame = frames[-1]
        if frame.index >= len(frame.list.tasks):
            try:
                close(run, strand)
            except WorkflowError as error:
                faults.throw(run, strand, error)
            continue
        task = frame.list.tasks[frame.index]
        try:
            enter(run, strand, task)
        except WorkflowError as error:
            faults.throw(run, strand, error)
    _look(run, strand)


def enter(run: Run, strand: Strand, task: Task) -> None:
    """Do a task, or as much of it as can be done at once. Raises WorkflowError."""
    if run.seq >= run.look_at:
        bounds.look(run)
    raw = strand.data
    arguments = run.arguments(strand)
    arguments["input"] = raw
    describe(run, arguments, task, raw, run.now)
    if NOW in run.program.used:
        arguments[NOW] = run.now
    if task.test is not None and not task.test(raw, arguments):
        note(run, task.ref, "skipped", run.now)
        strand.frames[-1].index += 1  # a skipped task's `then` does not count
        return
    if task.input_check is not None:
        check(task.input_check, raw, "input")
    given = raw
    if task.input_from is not None:
        given = arguments["input"] = task.input_from(raw, arguments)
    if task.timeout is None:
        _ENTER[type(task)](run, strand, task, given, arguments)
        return
    limit, depth = task.timeout(given, arguments), len(strand.frames)
    _ENTER[type(task)](run, strand, task, given, arguments)
    if len(strand.frames) > depth:
        strand.frames[depth].deadline = run.now + limit
    elif strand.pending is not None:
        strand.pending["deadline"] = run.now + limit
        for effect in run.effects:
            if effect.strand == strand.id:
                effect.seconds = limit


def _over(run: Run, strand: Strand) -> None:
    """A strand has come to its end: the run is over, or a branch is."""
    if strand.id != ROOT:
        _branch_over(run, strand)
        return
    output = strand.data
    program = run.program
    try:
        if program.output_as is not None and not run.tasks:
            output = program.output_as(output, run.arguments(strand))
        if not run.tasks:
            check(program.output_check, output, "output")
    except WorkflowError as error:
        error.body["instance"] = "/output"
        _fail(run, error.body)
        return
    run.output = output
    run.status = "completed"
    run.strands = {}


def _branch_over(run: Run, strand: Strand) -> None:
    parent = run.strands[strand.parent]
    strand.pending = {"k": "gone"}
    try:
        fork.joined(run, strand)
    except WorkflowError as error:
        faults.throw(run, parent, error)
        _look(run, parent)


def _fail(run: Run, error: dict[str, Json]) -> None:
    """The run cannot even be held for a person: there is no step to do again."""
    note(run, error["instance"], "faulted", run.now, x=error)
    run.error = error
    run.status = "faulted"
    run.strands = {}
    tell(run, "faulted", error["instance"], error=error)


def _look(run: Run, strand: Strand) -> None:
    """Hold the run if this strand met an error that nobody catches."""
    if strand.pending is not None and strand.pending["k"] == "fault":
        hold_faulted(run)


def hold_faulted(run: Run) -> None:
    """A strand met an error that nobody catches: the run waits for a person, unless a competitor still runs."""
    for strand in run.strands.values():
        if strand.pending is not None and strand.pending["k"] == "fault":
            parent = run.strands.get(strand.parent)
            if (
                parent is not None
                and isinstance(fork_task := current_task(parent), Fork)
                and fork_task.compete
            ):
                siblings = [other for other in run.strands.values() if other.parent == strand.parent]
                if not all(other.pending and other.pending["k"] == "fault" for other in siblings):
                    continue
            run.error = strand.pending["e"]
            if _collected(run):
                run.status, run.strands, run.effects = "faulted", {}, []
                return
            run.status = "suspended"
            run.recovering = []
            tell(run, "suspended", run.error["instance"], error=run.error)
            return


def _collected(run: Run) -> bool:
    """Whether this is an item of a `map` that takes errors as results."""
    root = run.strands[ROOT].frames[0]
    return root.local is not None and "collect" in root.local


# what comes in


def take_outcome(run: Run, strand_id: str, key: str, outcome: Outcome) -> None:
    """Take the outcome of an effect and go on; an outcome that nobody waits for is dropped."""
    strand = run.strands.get(strand_id)
    if strand is None or strand.pending is None or strand.pending.get("key") != key:
        return
    task, began = current_task(strand), strand.pending["b"]
    late = bool(outcome.error) and run.now >= strand.pending.get("deadline", float("inf"))
    try:
        if late:
            stop_waiting(run, strand)
            raise WorkflowError("timeout", "The time set for this call is over.")
        if isinstance(task, CallHttp):
            calls.answered(run, strand, task, outcome)
        else:
            calls.function_answered(run, strand, task, outcome)
    except WorkflowError as error:
        error.begin = began
        faults.throw(run, strand, error)
        _look(run, strand)
    advance(run)


def take_event(run: Run, no: int, event: Mapping[str, Json]) -> bool:
    """Give an event to whoever listens under subscription `no`, and go on; False if nobody does or it does not fit."""
    for strand in run.strands.values():
        if _waits_for(strand, no):
            task = current_task(strand)
            try:
                if isinstance(task, Listen):
                    taken = happenings.take(run, strand, task, no, event)
                else:
                    assert isinstance(task, CallFunction)
                    taken = people.take(run, strand, task, event)
            except WorkflowError as error:
                faults.throw(run, strand, error)
                taken = True
            _look(run, strand)
            advance(run)
            return taken
    return False


def _waits_for(strand: Strand, no: int) -> bool:
    """Whether events of subscription `no` are for what the strand waits for."""
    pending = strand.pending
    if pending is None:
        return False
    return (pending["k"] == "listen" and str(no) in pending["subs"]) or (
        pending["k"] == "human" and pending["no"] == no
    )


def take_brood(run: Run, brood: str, members: Sequence[dict[str, Json]]) -> None:
    """The runs that a step started are all over: give them to the strand that waits, if one still does."""
    for strand in run.strands.values():
        pending = strand.pending
        if pending is not None and pending["k"] == "brood" and pending["id"] == brood:
            began = pending["b"]
            try:
                broods.over(run, strand, current_task(strand), members)
            except WorkflowError as error:
                error.begin = began
                faults.throw(run, strand, error)
            _look(run, strand)
            advance(run)
            return


def next_due(run: Run) -> float | None:
    """When the next timer of the run fires: a wait, a retry, a timeout; None without any."""
    soonest: float | None = None
    for strand in run.strands.values():
        for at in _deadlines(strand):
            if soonest is None or at < soonest:
                soonest = at
    return soonest


def _deadlines(strand: Strand) -> list[float]:
    pending = strand.pending or {}
    if pending.get("k") == "fault":
        return []
    found = [pending["until"]] if pending.get("k") in _TIMERS else []
    if "deadline" in pending:
        found.append(pending["deadline"])
    for frame in strand.frames:
        if frame.deadline is not None:
            found.append(frame.deadline)
        if frame.local is not None and "attempt_until" in frame.local and pending.get("k") != "retry":
            found.append(frame.local["attempt_until"])
    return found


def fire(run: Run) -> bool:
    """Let the earliest timer that is due at `run.now` fire, and go on; False if none is."""
    due = next_due(run)
    if due is None or due > run.now:
        return False
    for strand in run.strands.values():
        if due in _deadlines(strand):
            try:
                _fire(run, strand, due)
            except WorkflowError as error:
                faults.throw(run, strand, error)
            _look(run, strand)
            advance(run)
            return True
    return False


def _fire(run: Run, strand: Strand, due: float) -> None:
    pending = strand.pending
    if pending is not None and pending.get("until") == due:
        strand.pending = None
        if pending["k"] == "wait":
            finish(run, strand, current_task(strand), pending["i"], pending["i"], begin=pending["b"])
        elif strand.frames[-1].kind == "try":
            task = strand.frames[-2].list.tasks[strand.frames[-2].index]
            assert isinstance(task, Try)
            flow.limit_attempt(run, strand.frames[-1], task)
        return
    _time_out(run, strand, due)


def _time_out(run: Run, strand: Strand, due: float) -> None:
    """A timeout: of the task that waits, of a list around it, or of the attempt. Raises `timeout` there."""
    for depth, frame in enumerate(strand.frames):
        inside = frame.local is not None and frame.local.get("attempt_until") == due
        if frame.deadline == due or inside:
            stop_waiting(run, strand)
            fork.drop_branches(run, strand)
            if inside and frame.local is not None:
                del frame.local["attempt_until"]  # the try itself decides what comes of it
                leave(run, strand, depth + 1)
                frame.index = 0
                strand.data = frame.input
            else:
                leave(run, strand, max(depth, 1))
                strand.data = frame.raw if depth else strand.frames[0].raw
                if not depth:
                    frame.deadline = None
            raise WorkflowError("timeout", "The time set for this is over.")
    stop_waiting(run, strand)
    fork.drop_branches(run, strand)
    raise WorkflowError("timeout", "The time set for this is over.")
