"""Fork: branches as strands of their own, joined when all are through, or when the first is (`compete`)."""

import copy
from typing import Any

from automations.engine.dsl.limits import MAX_BRANCHES
from automations.engine.dsl.program import Fork
from automations.engine.errors import LimitReached
from automations.engine.machine.core import abandon, current_task, finish
from automations.engine.machine.state import Frame, Run, Strand

Json = Any


def fork(run: Run, strand: Strand, task: Fork, given: Json, _arguments: dict[str, Json]) -> None:
    """Start a strand for each branch, each with a copy of the context. Raises LimitReached."""
    if len(run.strands) + len(task.branches) > MAX_BRANCHES:
        raise LimitReached("branches", f"the run would have more than {MAX_BRANCHES} branches at a time")
    state: dict[str, Json] = {"k": "fork", "b": run.now, "i": given, "of": {}, "done": {}, "deltas": {}}
    strand.pending = state
    for number, branch in enumerate(task.branches):
        run.strands_made += 1
        child = Strand(f"{strand.id}.{run.strands_made}", strand.id, given, copy.copy(strand.context))
        run.strands[child.id] = child
        state["of"][child.id] = number
        child.frames.append(Frame("branch", branch, given, given))


def joined(run: Run, child: Strand) -> None:
    """A branch is through: note what it gives, and go on in the parent when that is enough."""
    parent = run.strands[child.parent]
    state = parent.pending
    assert state is not None
    task = current_task(parent)
    assert isinstance(task, Fork)
    number = state["of"][child.id]
    state["done"][str(number)] = child.data
    if child.context != parent.context:
        state["deltas"][str(number)] = child.context
    del run.strands[child.id]
    if task.compete:
        drop_branches(run, parent)
        _merge(parent, state, [number])
        _leave(run, parent, task, state, child.data)
    elif len(state["done"]) == len(task.branches):
        _merge(parent, state, range(len(task.branches)))
        _leave(run, parent, task, state, [state["done"][str(n)] for n in range(len(task.branches))])


def _leave(run: Run, parent: Strand, task: Fork, state: dict[str, Json], output: Json) -> None:
    parent.pending = None
    finish(run, parent, task, state["i"], output, begin=state["b"])


def _merge(parent: Strand, state: dict[str, Json], numbers: Any) -> None:
    """What branches exported, merged in the order of their declaration; the last one wins."""
    for number in numbers:
        delta = state["deltas"].get(str(number))
        if delta is None:
            continue
        if isinstance(delta, dict) and isinstance(parent.context, dict):
            parent.context = {**parent.context, **delta}
        else:
            parent.context = delta
        parent.arguments = None


def drop_branches(run: Run, parent: Strand) -> None:
    """End every strand below `parent`."""
    below = [strand for strand in run.strands.values() if strand.id.startswith(f"{parent.id}.")]
    for strand in below:
        abandon(run, strand)
        strand.pending = {"k": "gone"}
        del run.strands[strand.id]
