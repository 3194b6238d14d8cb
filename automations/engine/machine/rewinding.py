"""Going back: the state in front of an earlier step, told by the journal, and the run that goes on from there.

A snapshot is kept only of where a run is now. Where it was is found again by walking the program along the journal:
what each step gave stands there, so that nothing is asked of any other system, and lists, loops and tries are entered
and left as they were. Wherever program and journal do not agree, the walk ends with a reason instead of a guess.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from automations.engine.dsl.expressions import NOW
from automations.engine.dsl.program import CallTask, Do, For, Fork, Listen, Switch, Task, Try
from automations.engine.errors import CannotRewind, UnknownStep, WorkflowError, gettext_noop
from automations.engine.machine import faults, interpreter, operating
from automations.engine.machine.core import abandon, close, current_task, describe, go, leave, note, tell
from automations.engine.machine.kinds.flow import limit_attempt
from automations.engine.machine.state import ROOT, Run, Strand

Json = Any
Line = Mapping[str, Json]
_PARTED: Final = gettext_noop("The journal and the workflow part at %(place)s.")
_HOLDS_OTHERS: Final = gettext_noop("Choose a step inside it: this one holds others.")
_CONTEXT_UNTOLD: Final = gettext_noop(
    "Steps inside “%(name)s” changed the context, which the journal does not tell."
)
BACK: Final = "back"
"""How a journal says that somebody sent the run back to an earlier step; `to` is the number of its line."""
_WENT_WRONG: Final = frozenset({"retrying", "caught", "faulted"})
_NOT_STEPS: Final = frozenset({"resumed", "cancelled", "migrated"})
_HOLDERS: Final = (Do, For, Try, CallTask)
"""Tasks that are entered and left, and say so in the journal only when they are through."""


def target(lines: Sequence[Line], no: int) -> Line:
    """The line with this number, if a run can go on from there. Raises UnknownStep and CannotRewind."""
    line = next((one for one in lines if one["n"] == no), None)
    if line is None:
        raise UnknownStep
    if line["s"] in _NOT_STEPS:
        raise CannotRewind(gettext_noop("This is no step of the workflow: somebody acted on the run here."))
    return line


def retrace(run: Run, lines: Sequence[Line], goal: Line) -> Strand:
    """Bring a fresh `run` to where it was in front of line `goal` of its journal; the strand that stands there.

    Raises CannotRewind.
    """
    if run.tasks:
        raise CannotRewind(gettext_noop("It works on an item of a map: send the run back that started it."))
    holder = _side_by_side(run, goal["r"])
    if holder:
        raise CannotRewind(
            gettext_noop("The step is inside “%(name)s”, whose branches run side by side; choose that."),
            name=holder,
        )
    run.now = lines[0]["b"]
    if not interpreter.begin(run):
        raise CannotRewind(gettext_noop("The run failed before its first step."))
    strand = run.strands[ROOT]
    try:
        _Walk(run, strand, _history(lines, goal["n"])).to(goal)
    except WorkflowError as error:
        raise CannotRewind(
            gettext_noop("The way to this step cannot be found again: %(why)s."), why=error
        ) from error
    return strand


def _side_by_side(run: Run, ref: str) -> str:
    """The name of the fork, the map or the listener around a step, whose inner steps are not one after the other."""
    for outer in run.program.tasks.values():
        if ref.startswith(f"{outer.ref}/") and not isinstance(outer, _HOLDERS):
            return outer.name
    return ""


def _history(lines: Sequence[Line], no: int) -> deque[Line]:
    """The lines that lead to line `no`: without what was done over when somebody sent the run back before."""
    found: list[Line] = []
    for line in lines:
        if line["n"] >= no:
            break
        if line["s"] == "resumed" and line.get("m") == BACK:
            found = [one for one in found if one["n"] < line["to"]]
        found.append(line)
    return deque(found)


class _Walk:
    """One strand on its way along a journal."""

    def __init__(self, run: Run, strand: Strand, ahead: deque[Line]) -> None:
        self.run, self.strand, self.ahead = run, strand, ahead

    def to(self, goal: Line) -> None:
        """Walk to where `goal` was about to happen. Raises CannotRewind and WorkflowError."""
        while self.ahead:
            if self._stands_before(goal) and self._only_inside(goal["r"]):
                self.ahead.clear()
            else:
                self._step(self.ahead[0])
        self._reach(goal)

    def _only_inside(self, ref: str) -> bool:
        """Whether all that lies ahead happened inside of the step that is wanted."""
        return all(line["r"].startswith(f"{ref}/") for line in self.ahead)

    def _reach(self, goal: Line) -> None:
        while not self._stands_before(goal):
            self._approach(goal)

    def _stands_before(self, goal: Line) -> bool:
        strand = self.strand
        if strand.pending is not None and strand.pending["k"] == "retry":
            self._try_again()
        if strand.pending is not None or not strand.frames:
            return False
        frame = strand.frames[-1]
        return frame.index < len(frame.list.tasks) and current_task(strand).ref == goal["r"]

    def _step(self, line: Line) -> None:
        """Do what `line` tells, or come nearer to where it was."""
        run, strand = self.run, self.strand
        run.now, run.seq = line["e"], line["n"]
        if line["s"] in _NOT_STEPS:
            self._acted(line)
            return
        if strand.pending is not None and strand.pending["k"] == "retry":
            self._try_again()
        self._require_moving(line)
        frame = strand.frames[-1]
        if frame.index >= len(frame.list.tasks):
            self._leave_list()
            return
        task = current_task(strand)
        if line["r"] == task.ref:
            self.ahead.popleft()
            self._happened(task, line)
        elif line["r"].startswith(f"{task.ref}/"):
            self._go_into(task, line)
        else:
            self._time_out(line)

    def _require_moving(self, line: Line) -> None:
        if self.strand.pending is not None or not self.strand.frames:
            raise CannotRewind(_PARTED, place=line["r"])

    def _approach(self, goal: Line) -> None:
        """No line is left before the goal: only lists are left and entered on the way to it."""
        run, strand = self.run, self.strand
        run.now, run.seq = goal["b"], goal["n"]
        self._require_moving(goal)
        frame = strand.frames[-1]
        if frame.index >= len(frame.list.tasks):
            close(run, strand)
            if run.steps:
                raise CannotRewind(_HOLDS_OTHERS)
            return
        task = current_task(strand)
        if not isinstance(task, _HOLDERS) or not goal["r"].startswith(f"{task.ref}/"):
            raise CannotRewind(_PARTED, place=goal["r"])
        interpreter.enter(run, strand, task)

    def _go_into(self, task: Task, line: Line) -> None:
        """Enter a list; over branches that ran side by side one goes to what they gave together."""
        if isinstance(task, _HOLDERS):
            interpreter.enter(self.run, self.strand, task)
            return
        inside = f"{task.ref}/"
        if not isinstance(task, (Fork, Listen)):
            raise CannotRewind(_PARTED, place=line["r"])
        if _exports(self.run, task):
            raise CannotRewind(
                _CONTEXT_UNTOLD,
                name=task.name,
            )
        while self.ahead and self.ahead[0]["r"].startswith(inside):
            self.ahead.popleft()
        if not self.ahead or self.ahead[0]["r"] != task.ref:
            raise CannotRewind(
                gettext_noop("“%(name)s” did not come to its end before this step."), name=task.name
            )

    def _happened(self, task: Task, line: Line) -> None:
        """The task did what `line` tells."""
        run, strand = self.run, self.strand
        if line["s"] == "skipped":
            strand.frames[-1].index += 1
        elif line["s"] == "completed":
            _complete(run, strand, task, line)
        elif line["s"] == "faulted":
            strand.pending = {"k": "fault", "b": run.now, "e": line["x"]}
        else:
            self._caught(line)

    def _caught(self, line: Line) -> None:
        """An error that the workflow took care of: whoever caught it then catches it again."""
        error = WorkflowError.of(dict(line["x"]))
        error.begin = line["b"]
        faults.throw(self.run, self.strand, error)
        self._expect([line])

    def _time_out(self, line: Line) -> None:
        """An error at a list around the step: its time was over."""
        strand = self.strand
        for depth in range(len(strand.frames) - 1, 0, -1):
            holder = strand.frames[depth - 1]
            if line["s"] in _WENT_WRONG and holder.list.tasks[holder.index].ref == line["r"]:
                raw = strand.frames[depth].raw
                leave(self.run, strand, depth)
                strand.data = raw
                return
        raise CannotRewind(_PARTED, place=line["r"])

    def _leave_list(self) -> None:
        close(self.run, self.strand)
        self._expect([])

    def _expect(self, known: Sequence[Line]) -> None:
        """What the machine noted just now must stand in the journal next, and counts as it stands there."""
        made, self.run.steps = self.run.steps, []
        for number, mine in enumerate(made):
            if number < len(known):
                theirs = known[number]
            elif self.ahead:
                theirs = self.ahead.popleft()
            else:
                raise CannotRewind(_HOLDS_OTHERS)
            if (mine["r"], mine["s"]) != (theirs["r"], theirs["s"]):
                raise CannotRewind(_PARTED, place=theirs["r"])
            if "o" in theirs:
                self.strand.data = theirs["o"]

    def _acted(self, line: Line) -> None:
        """What a person did to the run."""
        run, strand = self.run, self.strand
        self.ahead.popleft()
        mode = line.get("m")
        if line["s"] == "migrated":
            return
        if line["s"] == "cancelled":
            raise CannotRewind(gettext_noop("The run was cancelled before this step."))
        if mode == BACK:
            self._reach(line)
            _renew(strand, line["b"] - line["at"])
            strand.data = line.get("now", strand.data)
            return
        value = line.get("now") if mode == "edit" else line.get("o")
        operating.resume(run, str(mode), value, by="", reason="")
        if mode == "skip":
            strand.data = value
        run.steps, run.facts, run.recovering = [], [], []

    def _try_again(self) -> None:
        """The pause before another try is over."""
        strand = self.strand
        strand.pending = None
        frame, holder = strand.frames[-1], strand.frames[-2]
        task = holder.list.tasks[holder.index]
        if isinstance(task, Try):
            limit_attempt(self.run, frame, task)


def _exports(run: Run, task: Fork | Listen) -> bool:
    """Whether steps inside of it change the context, or each event that it takes."""
    own = isinstance(task, Listen) and task.foreach is not None and task.foreach.export_as is not None
    inside = f"{task.ref}/"
    return own or any(one.export_as for one in run.program.tasks.values() if one.ref.startswith(inside))


def _renew(strand: Strand, later: float) -> None:
    """Time that was lost on the way back does not count, nor do tries."""
    for frame in strand.frames:
        if frame.deadline is not None:
            frame.deadline += later
        if frame.local is not None and frame.kind == "try":
            frame.local["n"] = 0
            frame.local.pop("attempt_until", None)


def _complete(run: Run, strand: Strand, task: Task, line: Line) -> None:
    """Finish a task with what it gave then; what it exported is worked out of that again."""
    output, arguments = line.get("o"), run.arguments(strand)
    if NOW in run.program.used:
        arguments[NOW] = line["b"]
    if task.export_as is not None:
        given = arguments["input"] = strand.data
        if task.input_from is not None:
            given = task.input_from(strand.data, arguments)
        arguments["input"], arguments["output"] = given, output
        describe(run, arguments, task, given, line["b"])
        context = task.export_as(output, arguments)
        del arguments["output"]
        strand.context = arguments["context"] = context
    strand.data = output
    then = task.then
    if isinstance(task, Switch) and line.get("c"):
        then = next((way for name, _test, way in task.cases if name == line["c"]), then)
    go(run, strand, then)


def go_back(run: Run, strand: Strand, goal: Line, *, by: str, reason: str, **edited: Json) -> None:
    """Let `run` go on from where `strand` stands, in front of `goal`; `edited` has other data for the step as `value`.

    Whatever it waits for is withdrawn. What is done again is done under new keys: each key was given out for good.
    """
    root = run.strands[ROOT]
    count = max(one.count for one in run.strands.values()) + 1
    failed = operating.failed_step(run)
    for other in list(run.strands.values()):
        abandon(run, other)
    run.effects, run.broods, run.recovering, run.parked = [], [], [], None
    strand.count = max(count, root.count + 1)
    _renew(strand, run.now - goal["b"])
    more = {"was": strand.data, "now": edited["value"]} if edited else {}
    strand.data = edited.get("value", strand.data)
    run.strands = {ROOT: strand}
    run.status, run.error = "running", None
    note(run, goal["r"], "resumed", run.now, m=BACK, to=goal["n"], at=goal["b"], by=by, why=reason, **more)
    if failed:
        tell(run, "recovered", failed, by=by)
