"""`humanTask`: ask a person, park, and go on with what was decided. The case is opened and closed by facts."""

from collections.abc import Mapping
from typing import Any, Final

from automations.engine.dsl.program import CallFunction
from automations.engine.machine.core import finish
from automations.engine.machine.moves import Fact, Registration, correlation_key
from automations.engine.machine.state import Run, Strand

Json = Any
NAME: Final = "humanTask:1"
DECIDED: Final = "portal.case.decided"
SOURCES: Final = (".data.key",)
"""By which a decision finds who waits for it."""
_OUTCOMES: Final = {"resolve": "approved", "dismiss": "rejected"}


def ask(run: Run, strand: Strand, task: CallFunction, given: Json, values: dict[str, Json]) -> None:
    """Ask for a case and wait for its decision; both are written down in one step."""
    no = run.next_subscription
    run.next_subscription += 1
    # each time it is asked is a case of its own, unless the workflow names it
    key = f"{run.id}:{values.get('key') or f'{task.name}#{no}'}"
    shown = {name: value for name, value in values.items() if name != "form"}
    data = {"kind": "approval", **shown, "key": key, "runId": str(run.id), "task": task.ref}
    run.facts.append(
        Fact(
            f"{run.id}-{run.seq}-{no}",
            "portal.case.requested",
            str(values.get("subject") or ""),
            data,
            run.now,
            source="/engine",
        )
    )
    run.seq += 1  # what withdraws the case comes later than what asked for it
    run.opened.append(Registration(no, DECIDED, correlation_key(DECIDED, SOURCES, [key]), run.cause))
    strand.pending = {
        "k": "human",
        "b": run.now,
        "i": given,
        "no": no,
        "case": key,
        "title": values["title"],
        "form": values.get("form"),
    }


def take(run: Run, strand: Strand, task: CallFunction, event: Mapping[str, Json]) -> bool:
    """Go on with the decision that `event` tells of; False if it decides nothing (assigned, snoozed, reopened)."""
    state = strand.pending
    assert state is not None
    data = event.get("data")
    if (
        not isinstance(data, dict)
        or data.get("key") != state["case"]
        or data.get("decision") not in _OUTCOMES
    ):
        return False
    strand.pending = None
    run.closed.append(state["no"])
    output = {
        "outcome": _OUTCOMES[data["decision"]],
        "by": data.get("by"),
        "reason": data.get("reason") or "",
        "value": data.get("value"),
        "at": event.get("time"),
    }
    finish(
        run, strand, task, state["i"], output, begin=state["b"], c=state["case"], by=str(data.get("by") or "")
    )
    return True
