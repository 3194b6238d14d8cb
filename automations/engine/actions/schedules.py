"""Workflows that start by the clock: set up with the workflow, fired by the drain at their instants."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from automations.engine.actions.intake import new_run
from automations.engine.actions.programs import programs
from automations.engine.dsl.program import Program
from automations.engine.dsl.timing import Timing, plan
from automations.engine.enums import WorkflowState
from automations.engine.models import Schedule, Workflow
from automations.engine.store import schedules as store
from automations.engine.store.claim import Claimed
from tenants.tenancy import context

log = structlog.get_logger(__name__)


def keep_time(workflow: Workflow, program: Program) -> None:
    """Bring the schedule of a workflow in line with its definition and its state, in the caller's transaction.

    It begins anew: what passed while the workflow was paused, or ran another definition, is not caught up on.
    """
    timing = program.start.timing
    found = Schedule.objects.select_for_update().filter(workflow=workflow).first()
    if timing is None or workflow.state != WorkflowState.ACTIVE:
        if found is not None:
            store.disarm(found.id)
            found.delete()
        return
    now = context.now()
    schedule = found or Schedule(workflow=workflow)
    schedule.anchor_at = schedule.done_at = now
    schedule.next_at = _first(timing, now)
    schedule.save()
    if found is not None:
        store.disarm(found.id)
    at = timing.spread(schedule.id, schedule.next_at) if schedule.next_at else None
    store.arm(schedule.id, context.current().id, workflow.definition_id, at)


def _first(timing: Timing, now: datetime) -> datetime | None:
    if timing.after is not None:
        return timing.deferred(now)
    return next(timing.instants(now, now), None)


async def fire(connection: AsyncConnection[Any], worker: UUID, claimed: Claimed) -> int:
    """Fire what is due of the schedule behind a queue row that is no run's; how many runs it started."""
    due = await store.load(connection, claimed.schema, claimed.run_id)
    if due is None:
        await store.drop(connection, worker, claimed)
        return 0
    program = await programs.load(connection, claimed.schema, due.definition_id)
    timing = program.start.timing
    if timing is None:
        await store.drop(connection, worker, claimed)
        return 0
    now = datetime.fromtimestamp(claimed.now, UTC)
    step = _after if timing.after is not None else _by_clock
    fired = step(timing, claimed, due, now)
    runs = {
        at: new_run(
            workflow_id=due.workflow_id,
            definition_id=due.definition_id,
            program=program,
            given=None,
            cause="schedule",
            started_at=timing.spread(claimed.run_id, at),
            parent_id=claimed.run_id,
        )
        for at in fired.instants
    }
    return await store.fire(connection, worker, claimed, fired, runs)


def _by_clock(timing: Timing, claimed: Claimed, due: store.Due, now: datetime) -> store.Fired:
    """Instants whose time has come."""
    found = plan(
        timing, claimed.run_id, since=due.done_at, anchor=due.anchor_at, now=now, on_time=claimed.virtual
    )
    if found.missed:
        log.warning("instants left out", schedule=str(claimed.run_id), missed=found.missed)
    return store.Fired(
        instants=found.fire,
        done_at=found.done,
        next_at=found.next,
        look_at=timing.spread(claimed.run_id, found.next) if found.next else None,
        missed=found.missed,
    )


def _after(timing: Timing, claimed: Claimed, due: store.Due, now: datetime) -> store.Fired:
    """One run at a time: the next begins its pause after the last one ended."""
    assert timing.after is not None
    ended = [(key, datetime.fromtimestamp(at, UTC)) for key, at, _ in claimed.broods]
    upcoming = due.next_at
    if ended:
        upcoming = timing.deferred(max(at for _, at in ended) + timedelta(seconds=timing.after))
    over, wait = [key for key, _ in ended], None
    if upcoming is not None:
        wait = timing.spread(claimed.run_id, upcoming)
        if wait <= now:
            return store.Fired([upcoming], upcoming, None, None, missed=0, wait_for=True, over=over)
    return store.Fired([], due.done_at, upcoming, wait, missed=0, wait_for=True, over=over)
