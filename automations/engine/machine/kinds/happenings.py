"""Tasks about events: emit, and listen with its correlation, its `until` and its `foreach`."""

from collections.abc import Mapping
from typing import Any, Final

from automations.engine.dsl.limits import MAX_EVENT, MEGABYTE
from automations.engine.dsl.program import Emit, EventFilter, Listen, Task
from automations.engine.errors import LimitReached
from automations.engine.machine.core import CLOSERS, finish, push
from automations.engine.machine.moves import Fact, Registration, correlation_key
from automations.engine.machine.state import Frame, Run, Strand, instant
from kernel import jsonx

Json = Any
LOOKBACK: Final = 3_600.0
"""How long a correlated event that came early is kept for a listener, in seconds."""


def emit(run: Run, strand: Strand, task: Emit, given: Json, arguments: dict[str, Json]) -> None:
    """Publish an event with the next checkpoint; the output is the event. Raises LimitReached."""
    wanted = task.event(given, arguments)
    if len(jsonx.dumps(wanted.get("data"))) > MAX_EVENT:
        raise LimitReached("event", f"the data of the event have more than {MAX_EVENT // MEGABYTE} MB")
    event: dict[str, Json] = {
        "specversion": "1.0",
        "id": f"{run.id}-{run.seq}",
        "time": instant(run.now)["iso8601"],
        "source": f"/workflows/{run.program.name}",
        **wanted,
    }
    known = (
        "specversion",
        "id",
        "time",
        "source",
        "type",
        "subject",
        "data",
        "datacontenttype",
        "dataschema",
    )
    run.facts.append(
        Fact(
            id=str(event["id"]),
            type=str(event["type"]),
            subject=str(event.get("subject", "")),
            data=event.get("data"),
            time=run.now,
            source=str(event["source"]),
            extensions={name: value for name, value in event.items() if name not in known},
        )
    )
    finish(run, strand, task, given, event, begin=run.now)


def listen(run: Run, strand: Strand, task: Listen, given: Json, arguments: dict[str, Json]) -> None:
    """Register for the events and wait."""
    state: dict[str, Json] = {"k": "listen", "b": run.now, "i": given, "got": [], "fix": {}, "subs": {}}
    if task.mode == "all":
        state["left"] = list(range(len(task.filters)))
    if task.until_mode == "all":
        state["until_left"] = list(range(len(task.until_filters)))
    for group, filters in (("f", task.filters), ("u", task.until_filters)):
        for number, wanted in enumerate(filters):
            expected = _expected(wanted, given, arguments)
            no = run.next_subscription
            run.next_subscription += 1
            # without a known value the type alone is the key; the correlation is checked when an event comes
            key = correlation_key(wanted.type, wanted.sources if expected else (), expected or ())
            run.opened.append(Registration(no, wanted.type, key, run.cause))
            state["subs"][str(no)] = [group, number, expected]
    strand.pending = state


def _expected(wanted: EventFilter, given: Json, arguments: dict[str, Json]) -> list[Json] | None:
    """The values that this run's events must have, if all of them are known."""
    if not wanted.keyed:
        return None
    return [part.expect(given, arguments) if part.expect else None for part in wanted.correlate]


def accepts(
    strand: Strand,
    task: Listen,
    state: dict[str, Json],
    no: int,
    event: Mapping[str, Json],
    arguments: dict[str, Json],
) -> bool:
    """Whether the event fits the filter behind subscription `no`, correlation included; fixes an open correlation."""
    group, number, expected = state["subs"][str(no)]
    wanted = (task.filters if group == "f" else task.until_filters)[number]
    if event.get("type") != wanted.type:
        return False
    for name, value in wanted.attributes:
        if not (value(event.get(name), arguments) if callable(value) else event.get(name) == value):
            return False
    if wanted.data is not None and not wanted.data(event.get("data"), arguments):
        return False
    return _correlates(wanted, state, expected, event)


def _correlates(
    wanted: EventFilter, state: dict[str, Json], expected: list[Json] | None, event: Mapping[str, Json]
) -> bool:
    values = {part.name: part.from_(event, {}) for part in wanted.correlate}
    fixed: dict[str, Json] = state["fix"]
    if expected is not None:
        return list(values.values()) == expected
    for name, value in values.items():
        if name in fixed and fixed[name] != value:
            return False
    fixed.update(values)  # the first value that comes is the one that the others must have
    return True


def take(run: Run, strand: Strand, task: Listen, no: int, event: Mapping[str, Json]) -> bool:
    """Give an event to a listening strand; False if it does not fit."""
    state = strand.pending
    assert state is not None
    arguments = run.arguments(strand)
    arguments["input"] = state["i"]
    if not accepts(strand, task, state, no, event, arguments):
        return False
    group, number, _ = state["subs"][str(no)]
    if group == "u":
        if task.until_mode == "all":
            state["until_left"] = [left for left in state["until_left"] if left != number]
            if state["until_left"]:
                return True
        _done(run, strand, task, state)
        return True
    if task.mode == "all":
        if number not in state["left"]:
            return False
        state["left"].remove(number)
    value = _read(task, event)
    if task.foreach is not None:
        _start_foreach(run, strand, task, state, value)
        return True
    state["got"].append(value)
    _check_done(run, strand, task, state, arguments)
    return True


def _read(task: Listen, event: Mapping[str, Json]) -> Json:
    return event.get("data") if task.read in ("data", "raw") else dict(event)


def _check_done(
    run: Run, strand: Strand, task: Listen, state: dict[str, Json], arguments: dict[str, Json]
) -> None:
    got = state["got"]
    if task.mode == "one" or (task.mode == "all" and not state["left"]):
        done = True
    elif task.mode == "any":
        if task.until is not None:
            done = task.until(got, arguments)
        else:
            done = not task.until_filters
    else:
        done = False
    if done:
        _done(run, strand, task, state)
    else:
        strand.pending = state


def _done(run: Run, strand: Strand, task: Listen, state: dict[str, Json]) -> None:
    run.closed.extend(int(no) for no in state["subs"])
    strand.pending = None
    finish(run, strand, task, state["i"], state["got"], begin=state["b"])


def _start_foreach(run: Run, strand: Strand, task: Listen, state: dict[str, Json], value: Json) -> None:
    """Run the list on one event; the listening goes on when it is through."""
    assert task.foreach is not None
    strand.pending = None
    raw = strand.data
    names = {task.foreach.item: value, task.foreach.at: len(state["got"])}
    frame = push(strand, "foreach", task.foreach.body, value, {"listen": state, "names": names})
    frame.raw = raw


def _close_foreach(run: Run, strand: Strand, frame: Frame, task: Task) -> None:
    assert isinstance(task, Listen)
    assert task.foreach is not None
    assert frame.local is not None
    state = frame.local["listen"]
    output = strand.data
    arguments = {**run.arguments(strand), **frame.local["names"], "input": frame.input}
    if task.foreach.output_as is not None:
        output = task.foreach.output_as(output, arguments)
    if task.foreach.export_as is not None:
        strand.context = task.foreach.export_as(output, {**arguments, "output": output})
        strand.arguments = None
    state["got"].append(output)
    strand.data = frame.raw
    _check_done(run, strand, task, state, run.arguments(strand))


CLOSERS["foreach"] = _close_foreach
