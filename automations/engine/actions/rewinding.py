"""Sending a run back to a step that it has passed, and saying beforehand what will be done a second time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from automations.engine.actions import operate
from automations.engine.dsl.program import CallFunction, Emit, Map, RunWorkflow
from automations.engine.enums import TERMINAL, RunStatus
from automations.engine.errors import CannotRewind, RunMoves, RunOver, gettext_noop
from automations.engine.machine import rewinding
from automations.engine.machine.kinds import people
from automations.engine.machine.state import Run as Machine
from automations.engine.machine.state import Strand
from automations.engine.models import Run, Segment, Workflow
from automations.engine.store import broods
from automations.engine.store import operate as store
from automations.engine.store.blobs import whole_here
from automations.ledger import actions as ledger
from kernel.actor import Actor
from kernel.errors import NotFound
from tenants.audit.actions import record
from tenants.tenancy import context

Json = Any
LONGEST: Final = 100_000
"""Lines of a journal that are walked along to find an earlier state."""
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Again:
    """A call that was made from the step on, and will be made again under a new key."""

    no: int
    ref: str
    what: str
    changes: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What going back to a step means: its data as they were, and what will be done a second time."""

    ref: str
    data: Json
    calls: Sequence[Again]
    events: int
    questions: int
    runs: int

    @property
    def changing(self) -> int:
        """Calls among them that change something."""
        return sum(call.changes for call in self.calls)


def outlook(run_id: UUID, no: int) -> Outlook:
    """What going back to line `no` of the journal would mean; nothing is changed.

    Raises NotFound, UnknownStep, RunOver, RunMoves and CannotRewind.
    """
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound
    _require_still(run)
    lines = _lines(run_id)
    goal = rewinding.target(lines, no)
    machine, strand = _retraced(run, lines, goal)
    since = [line for line in lines if line["n"] >= no]
    kinds = [type(machine.program.tasks.get(line["r"])) for line in since if line["s"] == "completed"]
    asked = [machine.program.tasks.get(line["r"]) for line in since if line["s"] == "completed"]
    return Outlook(
        ref=goal["r"],
        data=strand.data,
        calls=_calls(since),
        events=kinds.count(Emit),
        questions=sum(isinstance(one, CallFunction) and one.function.name == people.NAME for one in asked),
        runs=kinds.count(RunWorkflow) + kinds.count(Map),
    )


def rewind(
    *,
    run_id: UUID,
    no: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    value: Json = None,
    edited: bool = False,
) -> None:
    """Let a run that stands still go on from line `no` of its journal, with the data of then, or `value` if `edited`.

    What comes after that line happens again, each call under a new key; the journal keeps both. Raises as `outlook`.
    """
    with transaction.atomic():
        run = operate.held(run_id, actor)
        _require_still(run)
        lines = _lines(run_id)
        goal = rewinding.target(lines, no)
        _, strand = _retraced(run, lines, goal)
        machine = operate.restored(run, now)
        before, first = strand.data, machine.seq
        stood = run.step
        given = {"value": value} if edited else {}
        rewinding.go_back(machine, strand, goal, by=actor.label, reason=reason, **given)
        if machine.dropped:
            broods.drop_here(context.current().schema_name, machine.dropped)
        if machine.closed:
            store.unlisten(run.id, machine.closed)
        store.write(
            run.id,
            status=RunStatus.RUNNING,
            error=None,
            seq=first,
            steps=machine.steps,
            snapshot=machine.snapshot(),
        )
        operate.tell(run, machine)
        record(
            actor=actor,
            action="engine.rewind",
            obj=run,
            now=now,
            before={"step": stood, **({"data": before} if edited else {})},
            after={
                "step": goal["r"],
                "line": no,
                **({"data": value} if edited else {}),
                **operate.in_role(actor),
            },
            reason=reason,
        )
        transaction.on_commit(ledger.ring)


def _require_still(run: Run) -> None:
    """Go on only with a run that waits, for whatever it may be. Raises RunOver and RunMoves."""
    if run.status in TERMINAL:
        raise RunOver
    if run.status not in (RunStatus.SUSPENDED, RunStatus.WAITING) or store.hold_kind(run.id) == "held":
        raise RunMoves


def _lines(run_id: UUID) -> list[dict[str, Json]]:
    """The whole journal of a run. Raises CannotRewind if it is too long, or its beginning is gone."""
    found: list[dict[str, Json]] = []
    segments = Segment.objects.filter(run_id=run_id).order_by("seq").values_list("seq", "steps")
    for seq, packed in segments.iterator(chunk_size=100):
        if not found and seq > 1:
            raise CannotRewind(gettext_noop("The beginning of its journal is not kept any more."))
        found += whole_here(run_id, packed)
        if len(found) > LONGEST:
            raise CannotRewind(gettext_noop("Its journal has more than %(n)d lines."), n=LONGEST)
    return found


def _retraced(run: Run, lines: list[dict[str, Json]], goal: rewinding.Line) -> tuple[Machine, Strand]:
    """A machine of its own that was walked to the goal, and the strand that stands there."""
    config = Workflow.objects.filter(pk=run.workflow_id).values_list("config", flat=True).first()
    machine = operate.fresh(run, config or {})
    return machine, rewinding.retrace(machine, lines, goal)


def _calls(since: Sequence[rewinding.Line]) -> list[Again]:
    """The calls that were answered, or failed, from a line on; a call that was tried several times counts once."""
    found: dict[tuple[str, str], Again] = {}
    for line in since:
        request = line.get("q") or (line.get("x") or {}).get("request")
        key = line.get("k") or (line.get("x") or {}).get("key") or str(line["n"])
        if not isinstance(request, dict) or "method" not in request:
            continue
        method = str(request["method"]).upper()
        what = f"{method} {request.get('uri', '')}"
        found.setdefault((line["r"], str(key)), Again(line["n"], line["r"], what, method not in _READS))
    return list(found.values())
