"""Pausing a run or a connection, and letting it go on; and how much may go on at a time.

Workflows are paused by their state (`workflows.set_state`), tenants and partners in the ledger. A pause is kept in the
database. Workers look for it before each call, at most a second late: the call that a run is in is ended, the next is
not made. What came meanwhile waits, and goes on in the order in which it came.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from automations.connectors.models import Connection
from automations.engine.actions import turns
from automations.engine.enums import TERMINAL
from automations.engine.errors import RunOver
from automations.engine.models import Run, Workflow
from automations.engine.store import holds, lanes
from automations.engine.store import operate as store
from automations.ledger import actions as ledger
from automations.ledger.enums import Level
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.access import policy
from tenants.audit.actions import record
from tenants.tenancy import context


def pause_run(*, run_id: UUID, paused: bool, actor: Actor, now: datetime, reason: str = "") -> bool:
    """Let one run stand still, or go on; False if it did already. Raises Run.DoesNotExist and RunOver.

    While it stands still no timer of it fires and events that come for it wait; it can be cancelled all the same.
    """
    with transaction.atomic():
        run = Run.objects.get(pk=run_id)
        policy.require(actor, "engine.operate", Workflow.objects.filter(pk=run.workflow_id).first())
        store.hold(run.id)
        run = Run.objects.select_for_update().get(pk=run_id)
        tenant = context.current().id
        if run.status in TERMINAL or (paused and not holds.hold_run(run.id, tenant)):
            raise RunOver
        target = ledger.Target(Level.RUN, run.id, run.business_key or run.public_id, tenant)
        changed = ledger.turn(target, paused=paused, reason=reason, actor=actor, now=now)
        if changed and not paused:
            holds.free(run.id)
        if changed:
            _trace("engine.pause_run", run, paused, reason, actor, now)
    return changed


def pause_connection(
    *, connection: Connection, paused: bool, actor: Actor, now: datetime, reason: str = ""
) -> bool:
    """Let no run call through a connection, or let them go on; False if it was so already.

    Runs are held only when they are about to call. A test of the connection is a person's and goes through.
    """
    actor.require("engine.pause")
    with transaction.atomic():
        target = ledger.Target(Level.CONNECTION, connection.id, connection.name, context.current().id)
        changed = ledger.turn(target, paused=paused, reason=reason, actor=actor, now=now)
        if changed and not paused:
            holds.free(connection.id)
        if changed:
            _trace("engine.pause_connection", connection, paused, reason, actor, now)
    return changed


def _trace(action: str, obj: Any, paused: bool, reason: str, actor: Actor, now: datetime) -> None:
    record(
        actor=actor,
        action=action,
        obj=obj,
        now=now,
        before={"paused": not paused},
        after={"paused": paused},
        reason=reason,
    )


def limit_workflow(
    *, workflow: Workflow, concurrency: Mapping[str, Any] | None, actor: Actor, now: datetime
) -> Workflow:
    """Let only so many runs of a workflow go at a time: `limit` of all, or of those that give the same `key`.

    None takes the limit away. What waited queues anew under the new rule. Raises Invalid, naming the field.
    """
    policy.require(actor, "engine.operate", workflow)
    rule = turns.checked(concurrency)
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=workflow.pk)
        before = workflow.concurrency
        if before != rule:
            workflow.concurrency = rule
            workflow.save(update_fields=["concurrency"])
            lanes.dissolve(workflow.id)
            record(
                actor=actor,
                action="engine.limit_workflow",
                obj=workflow,
                now=now,
                before={"concurrency": before},
                after={"concurrency": rule},
            )
            transaction.on_commit(ledger.ring)
    return workflow


def limit_connection(
    *, connection: Connection, calls_at_once: int | None, actor: Actor, now: datetime
) -> Connection:
    """Let only so many calls through a connection at a time, of all workflows; None: as many as there are."""
    actor.require("connectors.edit")
    if calls_at_once is not None and not 1 <= calls_at_once <= turns.MOST:
        raise Invalid(fields={"calls_at_once": [f"Give a whole number from 1 to {turns.MOST}."]})
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        before = connection.calls_at_once
        if before != calls_at_once:
            connection.calls_at_once = calls_at_once
            connection.save(update_fields=["calls_at_once"])
            lanes.dissolve_lane(turns.connection_lane(connection.id))
            record(
                actor=actor,
                action="engine.limit_connection",
                obj=connection,
                now=now,
                before={"calls_at_once": before},
                after={"calls_at_once": calls_at_once},
            )
            transaction.on_commit(ledger.ring)
    return connection


def mend_lanes() -> int:
    """Take back places of runs that are over or stand still; how many lanes were looked after."""
    with transaction.atomic():
        found = lanes.mend()
        if found:
            transaction.on_commit(ledger.ring)
    return found
