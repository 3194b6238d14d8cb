"""Moving runs that stand still to the version that their workflow works by now, and saying beforehand which can."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from automations.engine.actions import operate
from automations.engine.actions.programs import programs
from automations.engine.enums import BulkAct, RunStatus
from automations.engine.errors import CannotMigrate, RunMoves, gettext_noop
from automations.engine.machine import migrating
from automations.engine.machine.core import note, tell
from automations.engine.machine.state import Run as Machine
from automations.engine.models import Definition, Run, RunState, Workflow
from automations.engine.queries.bulks import RunFilter, matching
from automations.engine.store import operate as store
from automations.engine.store.blobs import whole_here
from kernel.actor import Actor
from tenants.audit.actions import record

Json = Any
LOOKED_AT: Final = 5_000
"""Runs that a forecast looks at."""
_STANDING: Final = (RunStatus.SUSPENDED, RunStatus.WAITING)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of the runs that stand still on older versions: how many can move, and why others cannot."""

    can: int
    cannot: Sequence[tuple[str, int]]
    versions: Sequence[tuple[str, int]]
    examples: Sequence[tuple[Run, str]]
    more: bool

    @property
    def stuck(self) -> int:
        """How many cannot."""
        return sum(number for _, number in self.cannot)


def forecast(workflow: Workflow, wanted: RunFilter | None = None) -> Forecast:
    """What moving the runs of a workflow to its present version would come to; nothing is changed."""
    target = workflow.definition
    asked = wanted or RunFilter(workflow=workflow.id)
    found = matching(asked, BulkAct.MIGRATE, pinned_not_to=target.id)
    rows = list(found[: LOOKED_AT + 1])
    more, rows = len(rows) > LOOKED_AT, rows[:LOOKED_AT]
    states = RunState.objects.in_bulk([row.id for row in rows])
    known = Definition.objects.in_bulk({row.definition_id for row in rows})
    reasons = [(row, _reason(row, states.get(row.id), known[row.definition_id], target)) for row in rows]
    refused = Counter(why for _, why in reasons if why)
    return Forecast(
        can=sum(not why for _, why in reasons),
        cannot=refused.most_common(),
        versions=Counter(known[row.definition_id].version for row in rows).most_common(),
        examples=[(row, why) for row, why in reasons if why][:20],
        more=more,
    )


def _reason(run: Run, state: RunState | None, old: Definition, new: Definition) -> str:
    """Why a run cannot move; empty if it can."""
    try:
        _moved(run, whole_here(run.id, state.snapshot) if state is not None else None, old, new)
    except CannotMigrate as error:
        return error.told(gettext)
    return ""


def _moved(run: Run, snapshot: Json, old: Definition, new: Definition) -> dict[str, Json]:
    if run.tasks:
        raise CannotMigrate(
            gettext_noop("It works on an item of a map, which goes on by the version of its parent.")
        )
    if old.name != new.name:
        raise CannotMigrate(gettext_noop("It runs by %(name)s, which is another workflow."), name=old.name)
    if snapshot is None:
        raise CannotMigrate(gettext_noop("It has not begun."))
    before = programs.compiled(old.id, old.document)
    return migrating.moved(snapshot, before, programs.compiled(new.id, new.document))


def migrate(*, run_id: UUID, definition: Definition, actor: Actor, now: datetime, reason: str = "") -> None:
    """Let a run that stands still go on by `definition`, where each of its places is there, too; it does not move yet.

    Raises RunOver, RunMoves and CannotMigrate with the reason.
    """
    with transaction.atomic():
        run = operate.held(run_id, actor)
        if run.status not in _STANDING or store.hold_kind(run.id) == "held":
            raise RunMoves
        old = Definition.objects.get(pk=run.definition_id)
        if old.id == definition.id:
            raise CannotMigrate(gettext_noop("It runs by this version already."))
        snapshot = _moved(run, store.snapshot_of(run.id), old, definition)
        stood = run.error["instance"] if run.status == RunStatus.SUSPENDED and run.error else ""
        machine = operate.restored(run, now)
        machine.program = programs.compiled(definition.id, definition.document)
        machine.restore(snapshot)
        machine.status, machine.now = run.status, now.timestamp()
        first, where = machine.seq, operate.where(machine)
        note(
            machine,
            where,
            "migrated",
            machine.now,
            m=definition.version,
            was=old.version,
            by=actor.label,
            why=reason,
        )
        _move_failure(machine, stood)
        store.repin(
            run.id,
            definition.id,
            step=where,
            error=machine.error if stood else None,
            seq=first,
            steps=machine.steps,
            snapshot=machine.snapshot(),
        )
        operate.tell(run, machine)
        record(
            actor=actor,
            action="engine.migrate",
            obj=run,
            now=now,
            before={"version": old.version, "step": run.step},
            after={"version": definition.version, "step": where, **operate.in_role(actor)},
            reason=reason,
        )


def _move_failure(machine: Machine, stood: str) -> None:
    """A run that waits for a person says where it does: the case at its old place closes, and one opens at the new."""
    pending = (one.pending for one in machine.strands.values())
    error = next((one["e"] for one in pending if one is not None and one["k"] == "fault"), None)
    machine.error = error
    if stood and error is not None and error["instance"] != stood:
        tell(machine, "recovered", stood, by="")
        tell(machine, "suspended", error["instance"], error=error)
