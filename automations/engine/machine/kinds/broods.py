"""Tasks that start runs and wait for them: another workflow, and `map`, which starts one for each item."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from automations.engine.dsl.limits import MAX_HOPS, MAX_ITEMS
from automations.engine.dsl.program import Map, RunWorkflow, Task
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine.core import finish
from automations.engine.machine.kinds.calls import effect_key
from automations.engine.machine.moves import Brood, Member
from automations.engine.machine.state import ROOT, Frame, Run, Strand

Json = Any


def workflow(run: Run, strand: Strand, task: RunWorkflow, given: Json, arguments: dict[str, Json]) -> None:
    """Start another workflow, and wait for it unless the task says not to."""
    _deeper(run)
    value = task.input(given, arguments) if task.input is not None else given
    key = _key(run, strand, task)
    brood = Brood(
        key,
        task.ref,
        [Member(_derived(run, f"{key}:0"), 0, value)],
        cap=1,
        wait=task.wait,
        workflow=task.workflow,
        version=task.version,
    )
    run.broods.append(brood)
    if task.wait:
        strand.pending = {"k": "brood", "b": run.now, "i": given, "id": str(key)}
    else:
        strand.count += 1
        finish(run, strand, task, given, given, begin=run.now, k=str(brood.members[0].id))


def map_(run: Run, strand: Strand, task: Map, given: Json, arguments: dict[str, Json]) -> None:
    """Start a run for each item; the items are taken once."""
    _deeper(run)
    items = task.items(given, arguments)
    if items is None:
        items = []
    if not isinstance(items, list):
        raise WorkflowError("expression", "`in` gives no array")
    if len(items) > MAX_ITEMS:
        raise LimitReached("items", f"`in` gives {len(items)} items; at most {MAX_ITEMS} are taken")
    if len(items) < (task.enough or 0):
        raise WorkflowError(
            "runtime", f"{task.enough} items must succeed, and `in` gives {len(items)} of them."
        )
    if not items:
        finish(run, strand, task, given, [], begin=run.now)
        return
    key = _key(run, strand, task)
    members = [Member(_derived(run, f"{key}:{n}"), n, item) for n, item in enumerate(items)]
    shared = {
        "context": strand.context,
        "names": _names(strand),
        "each": task.each,
        "at": task.at,
        "collect": task.collect,
    }
    run.broods.append(
        Brood(
            key,
            task.ref,
            members,
            cap=task.cap,
            enough=task.enough or 0,
            tasks=task.body.ref,
            shared=shared,
        )
    )
    strand.pending = {"k": "brood", "b": run.now, "i": given, "id": str(key)}


def _deeper(run: Run) -> None:
    """Refuse to start a run from one that stands as deep as a chain may go. Raises LimitReached."""
    if run.hops >= MAX_HOPS:
        raise LimitReached(
            "hops", f"there are {MAX_HOPS} runs and events between this run and its first cause"
        )


def begin_item(run: Run, tasks: str, position: int, shared: dict[str, Json]) -> None:
    """Set up the run of one item: its input is the item, and it sees what its parent saw."""
    run.status = "running"
    root = Strand(ROOT, "", run.input, shared["context"])
    names = {**shared["names"], shared["each"]: run.input, shared["at"]: position}
    frame = Frame("root", run.program.lists[tasks], run.input, run.input, {"names": names})
    if shared["collect"]:
        frame.local = {"names": names, "collect": True}
    root.frames.append(frame)
    run.strands = {ROOT: root}


def over(run: Run, strand: Strand, task: Task, members: Sequence[dict[str, Json]]) -> None:
    """The runs that the step started are over, or enough of them: each has `status`, `output`, `error`, in order."""
    state = strand.pending
    assert state is not None
    strand.pending = None
    if isinstance(task, Map):
        if task.enough is not None:
            run.dropped.append(UUID(state["id"]))  # what is still under way is not needed any more
            members = _enough(task.enough, members)
        outputs = [_given_back(member, task) for member in members]
        failed = sum(member["status"] == "faulted" for member in members)
        finish(
            run, strand, task, state["i"], outputs, begin=state["b"], k=state["id"], of=len(members), f=failed
        )
        strand.count += 1  # not before: if the output cannot be used, a repeat finds these runs again
        return
    assert isinstance(task, RunWorkflow)
    if not members:
        raise WorkflowError("configuration", f"There is no workflow {task.workflow} {task.version}.")
    member = members[0]
    if member["status"] == "completed":
        output = None if task.silent else member["output"]
        finish(run, strand, task, state["i"], output, begin=state["b"], k=str(member["id"]))
        strand.count += 1
        return
    strand.count += 1  # done again, the step starts another
    if member["status"] == "faulted" and member["error"]:
        raise WorkflowError.of({**member["error"], "run": str(member["id"])})
    raise WorkflowError(
        "runtime", "The workflow that this step started was cancelled.", run=str(member["id"])
    )


def _enough(wanted: int, members: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """The items that succeeded. Raises WorkflowError if these are not enough."""
    good = [member for member in members if member["status"] == "completed"]
    if len(good) < wanted:
        raise WorkflowError(
            "runtime", f"{wanted} of {len(members)} items must succeed; {len(good)} did.", enough=wanted
        )
    return good


def _given_back(member: dict[str, Json], task: Map) -> Json:
    """What an item gives: its output, its error where those are collected, nothing if somebody cancelled it."""
    if member["status"] == "completed":
        return member["output"]
    return {"error": member["error"]} if task.collect and member["error"] else None


def _names(strand: Strand) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for frame in strand.frames:
        if frame.local is not None and "names" in frame.local:
            found.update(frame.local["names"])
    return found


def _key(run: Run, strand: Strand, task: Task) -> UUID:
    return _derived(run, effect_key(run, strand, task.ref))


def _derived(run: Run, name: str) -> UUID:
    """An id that the same step always gives again, and that sorts by time as others do (UUIDv7)."""
    tail = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=10).digest(), "big")
    millis = int(run.started_at * 1000) & 0xFFFF_FFFF_FFFF
    return UUID(int=millis << 80 | 0x7 << 76 | (tail >> 68) << 64 | 0b10 << 62 | tail & 0x3FFF_FFFF_FFFF_FFFF)
