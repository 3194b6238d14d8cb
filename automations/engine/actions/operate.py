"""What a person may do with a run: cancel it, or send one that waits for review on its way."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from automations.engine.actions.programs import programs
from automations.engine.enums import TERMINAL, RunStatus, Signal
from automations.engine.errors import RunNotSuspended, RunOver
from automations.engine.machine import operating
from automations.engine.machine.core import current_task, nearest_task
from automations.engine.machine.state import ROOT
from automations.engine.machine.state import Run as Machine
from automations.engine.models import Definition, Run, Workflow
from automations.engine.store import broods
from automations.engine.store import operate as store
from automations.engine.store.blobs import whole_here
from automations.events.actions import publish
from automations.ledger import actions as ledger
from kernel import cards
from kernel.actor import Actor
from tenants.access import policy
from tenants.audit.actions import record
from tenants.tenancy import context

Mode = Literal["retry", "edit", "skip", "complete"]


def resume(
    *, run_id: UUID, mode: Mode, actor: Actor, now: datetime, value: Any = None, reason: str = ""
) -> None:
    """Send a run that waits for a person on from its failed step.

    `retry` does the step again, `edit` does it again on `value` instead of its data, `skip` goes on behind it with
    the data as they are, `complete` with `value` as its output. Steps before it are not done again. Raises
    RunNotSuspended and RunOver.
    """
    with transaction.atomic():
        run = held(run_id, actor)
        if run.status != RunStatus.SUSPENDED:
            raise RunNotSuspended
        machine = restored(run, now)
        if mode == "retry" and not operating.failed_step(machine):
            # it was held as it was written last, since it could not be taken up or written: let it try that again
            operating.hold(machine, "", "")
            machine.steps, machine.facts = [], []
            machine.seq -= 1
        strand = operating.faulted_strand(machine)
        task, before = nearest_task(strand), strand.data
        first = machine.seq
        operating.resume(machine, mode, cards.masked_data(value), by=actor.label, reason=reason)
        store.write(
            run.id,
            status=RunStatus.RUNNING,
            error=None,
            seq=first,
            steps=machine.steps,
            snapshot=machine.snapshot(),
        )
        if machine.closed:
            store.unlisten(run.id, machine.closed)
        tell(run, machine)
        changed = mode in ("edit", "complete")
        record(
            actor=actor,
            action="engine.operate",
            obj=run,
            now=now,
            before={"step": task.ref, "mode": "", **({"data": before} if changed else {})},
            after={"step": task.ref, "mode": mode, **({"data": value} if changed else {}), **in_role(actor)},
            reason=reason,
        )
        transaction.on_commit(ledger.ring)


def cancel(*, run_id: UUID, actor: Actor, now: datetime, reason: str = "") -> bool:
    """End a run where it is; False if a worker holds it, which then ends it at its next checkpoint. Raises RunOver."""
    with transaction.atomic():
        run = held(run_id, actor)
        record(
            actor=actor,
            action="engine.operate",
            obj=run,
            now=now,
            before={"status": run.status},
            after={"status": RunStatus.CANCELLED, **in_role(actor)},
            reason=reason,
        )
        if store.hold(run.id) == "held":
            store.signal(run.id, Signal.CANCEL)
            return False
        machine = restored(run, now)
        first = machine.seq
        operating.cancel(machine, by=actor.label)
        store.write(
            run.id,
            status=RunStatus.CANCELLED,
            error=None,
            seq=first,
            steps=machine.steps,
            snapshot=None,
            over_at=now,
        )
        schema = context.current().schema_name
        if machine.dropped:
            broods.drop_here(schema, machine.dropped)
        if run.brood_id is not None:
            broods.step_here(schema, [broods.Moved(run.brood_id, over=True, at=now.timestamp())])
        tell(run, machine)
    return True


def in_role(actor: Actor) -> dict[str, str]:
    """As what somebody acts: whoever reads of an override asks first whether they were meant to."""
    return {"role": ", ".join(actor.roles)} if actor.roles else {}


def held(run_id: UUID, actor: Actor) -> Run:
    """The run, held to the end of the transaction. Locks are taken in one order: run, step, case."""
    run = Run.objects.get(pk=run_id)
    policy.require(actor, "engine.operate", Workflow.objects.filter(pk=run.workflow_id).first())
    store.hold(run.id)
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.status in TERMINAL:
        raise RunOver
    return run


def fresh(run: Run, config: dict[str, Any]) -> Machine:
    """The run as it was before it began."""
    definition = Definition.objects.get(pk=run.definition_id)
    program = programs.compiled(definition.id, definition.document)
    machine = Machine(
        run.id,
        context.current().id,
        program,
        whole_here(run.id, run.input),
        now=run.started_at.timestamp(),
        config=config,
    )
    machine.tasks = run.tasks
    return machine


def restored(run: Run, now: datetime) -> Machine:
    """The run as it is now; one that nobody holds."""
    machine = fresh(run, {})
    snapshot = store.snapshot_of(run.id)
    if snapshot is None:
        operating.prepare(machine)
    else:
        machine.restore(snapshot)
    machine.now = now.timestamp()
    return machine


def where(machine: Machine) -> str:
    """The step that the run is at."""
    root = machine.strands.get(ROOT)
    return current_task(root).ref[:200] if root is not None and root.frames else ""


def tell(run: Run, machine: Machine) -> None:
    """What the act made the run tell, in the same transaction."""
    for fact in machine.facts:
        publish(
            type=fact.type,
            subject=fact.subject or run.business_key,
            data=fact.data,
            source=fact.source,
            time=datetime.fromtimestamp(fact.time, UTC),
            event_id=fact.id,
            extensions={"portalhops": run.hops + 1},
            internal=True,
        )
