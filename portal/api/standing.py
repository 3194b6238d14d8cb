"""What stands still, and how much goes at a time: pauses of a run, a connection, a client or all clients; limits."""

from typing import Any, Final
from uuid import UUID

from automations.connectors import queries as connectors
from automations.connectors.models import Connection
from automations.engine.actions import pausing, turns, workflows
from automations.engine.enums import WorkflowState
from automations.engine.errors import RunOver
from automations.engine.queries import WorkflowFigures
from automations.ledger import actions as ledger
from automations.ledger import queries
from automations.ledger.enums import Level
from automations.ledger.models import Slot
from kernel import clock
from kernel.errors import NotFound
from portal.api import fields
from portal.api.connectors import ConnectionShape
from portal.api.desk import Call, Desk, operation, rule
from portal.api.engine import figures_of, run_key, workflow_of
from portal.api.engine_shapes import Why, WorkflowShape
from portal.api.fields import Shape
from portal.api.tenancy import client_of
from portal.permissions import Rule
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant

_OPERATE: Final = Rule(
    methods={"GET": "engine.operate", "POST": "engine.operate", "DELETE": "engine.operate"}, by_grant=True
)
_PAUSE: Final = rule(get="engine.pause", post="engine.pause", delete="engine.pause")


class PauseShape(Shape):
    """Whether something stands still by itself, and why."""

    paused = fields.yes_or_no("Whether it is paused itself.")
    since = fields.perhaps_at("Since when; null if it is not.")
    actor = fields.text("Who paused it.", allow_blank=True)
    reason = fields.text("Why.", allow_blank=True)
    held = fields.number(
        "Runs that are held because of it so far; of a whole client none is held one by one."
    )


class LimitShape(Shape):
    """How many at a time."""

    limit = fields.number(
        "How many at a time; null: as many as there are.", allow_null=True, min_value=1, max_value=turns.MOST
    )


class ConcurrencyShape(Shape):
    """How many runs of a workflow go at a time."""

    limit = fields.number(
        "How many at a time; null: as many as there are.", allow_null=True, min_value=1, max_value=turns.MOST
    )
    key = fields.text(
        "jq on the input: runs that give the same count together; $business is the business key. Empty: all runs.",
        required=False,
        default="",
        allow_blank=True,
        max_length=1_000,
    )


def _standing(level: Level, target: UUID) -> dict[str, Any]:
    found = queries.pause_of(level, target)
    if found is None:
        return {"paused": False, "since": None, "actor": "", "reason": "", "held": 0}
    return {
        "paused": True,
        "since": found.at,
        "actor": found.actor,
        "reason": found.reason,
        "held": queries.held_by(target),
    }


class RunPause(Desk):
    """The pause of a run."""

    rule = _OPERATE

    @operation("get_run_pause", returns=PauseShape)
    def get(self, call: Call, run: str) -> dict[str, Any]:
        """Whether a run is paused."""
        return _standing(Level.RUN, run_key(call, run))

    @operation("pause_run", takes=Why, returns=PauseShape, once=True, raises=(RunOver,))
    def post(self, call: Call, run: str) -> dict[str, Any]:
        """Let a run stand still: it ends the call that it is in and makes no further one; its timers stand."""
        return self._turn(call, run, paused=True)

    @operation("unpause_run", returns=PauseShape, raises=(RunOver,))
    def delete(self, call: Call, run: str) -> dict[str, Any]:
        """Let a run go on where it stood."""
        return self._turn(call, run, paused=False)

    def _turn(self, call: Call, run: str, *, paused: bool) -> dict[str, Any]:
        key = run_key(call, run)
        pausing.pause_run(run_id=key, paused=paused, actor=call.actor, now=context.now(), **call.body)
        return _standing(Level.RUN, key)


def _connection(connection: str) -> Connection:
    return connectors.connection_row(connection)


class ConnectionPause(Desk):
    """The pause of a connection."""

    rule = _PAUSE

    @operation("get_connection_pause", returns=PauseShape)
    def get(self, call: Call, connection: str) -> dict[str, Any]:
        """Whether a connection is paused."""
        return _standing(Level.CONNECTION, _connection(connection).id)

    @operation("pause_connection", takes=Why, returns=PauseShape, once=True)
    def post(self, call: Call, connection: str) -> dict[str, Any]:
        """Let no run call through a connection; each is held when it is about to, all others go on."""
        return self._turn(call, connection, paused=True)

    @operation("unpause_connection", returns=PauseShape)
    def delete(self, call: Call, connection: str) -> dict[str, Any]:
        """Let calls through a connection go on, oldest first."""
        return self._turn(call, connection, paused=False)

    def _turn(self, call: Call, connection: str, *, paused: bool) -> dict[str, Any]:
        row = _connection(connection)
        pausing.pause_connection(
            connection=row, paused=paused, actor=call.actor, now=context.now(), **call.body
        )
        return _standing(Level.CONNECTION, row.id)


class ConnectionLimit(Desk):
    """How many calls go through a connection at a time."""

    rule = rule(put="connectors.edit")

    @operation("limit_connection", takes=LimitShape, returns=ConnectionShape, example={"limit": 4})
    def put(self, call: Call, connection: str) -> Any:
        """Let only so many calls through a connection at a time, of all workflows and workers together."""
        pausing.limit_connection(
            connection=_connection(connection),
            calls_at_once=call.body["limit"],
            actor=call.actor,
            now=clock.now(),
        )
        return connectors.connection(connection)


class WorkflowConcurrency(Desk):
    """How many runs of a workflow go at a time."""

    rule = Rule(methods={"PUT": "engine.operate"}, by_grant=True)

    @operation(
        "limit_workflow",
        takes=ConcurrencyShape,
        returns=WorkflowShape,
        example={"limit": 1, "key": "$business"},
    )
    def put(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let only so many runs of a workflow go at a time: of all, or of those that give the same key."""
        row = workflow_of(call, workflow, "engine.operate")
        given = call.body if call.body["limit"] is not None else None
        pausing.limit_workflow(workflow=row, concurrency=given, actor=call.actor, now=context.now())
        return figures_of(row.id)


class SwitchOff(Desk):
    """Switching a workflow off."""

    rule = Rule(methods={"POST": "engine.operate"}, by_grant=True)

    @operation("switch_off_workflow", takes=Why, returns=WorkflowShape, once=True)
    def post(self, call: Call, workflow: str) -> WorkflowFigures:
        """Let events start no runs of a workflow; runs that are under way go on to their end."""
        row = workflow_of(call, workflow, "engine.operate")
        workflows.set_state(
            workflow=row, state=WorkflowState.OFF, actor=call.actor, now=context.now(), **call.body
        )
        return figures_of(row.id)


class OwnPause(Desk):
    """The pause of this client."""

    rule = _PAUSE

    @operation("get_pause", returns=PauseShape)
    def get(self, call: Call) -> dict[str, Any]:
        """Whether this client is paused by itself."""
        return _standing(Level.TENANT, call.tenant.id)

    @operation("pause", takes=Why, returns=PauseShape, once=True)
    def post(self, call: Call) -> dict[str, Any]:
        """Let all work of this client stand still within a second; events are taken in and kept."""
        return _pause_tenant(call, call.tenant.id, paused=True)

    @operation("unpause", returns=PauseShape)
    def delete(self, call: Call) -> dict[str, Any]:
        """Let all work go on where it stood, in the order in which it came."""
        return _pause_tenant(call, call.tenant.id, paused=False)


def _pause_tenant(call: Call, key: UUID, *, paused: bool) -> dict[str, Any]:
    row = Tenant.objects.get(pk=key)
    reason = call.body.get("reason", "")
    ledger.pause_tenant(tenant=row, paused=paused, reason=reason, actor=call.actor, now=clock.now())
    return _standing(Level.TENANT, key)


class OwnLimit(Desk):
    """How many runs of this client are worked on at a time."""

    rule = rule(get="engine.pause", put="engine.pause")

    @operation("get_limit", returns=LimitShape)
    def get(self, call: Call) -> dict[str, Any]:
        """How many runs of this client are worked on at a time."""
        return {"limit": Slot.objects.get(tenant_id=call.tenant.id).max_running}

    @operation("set_limit", takes=LimitShape, returns=LimitShape, example={"limit": 50})
    def put(self, call: Call) -> dict[str, Any]:
        """Let workers hold only so many runs of this client at a time; what waits for something does not count."""
        row = Tenant.objects.get(pk=call.tenant.id)
        slot = ledger.limit_tenant(tenant=row, most=call.body["limit"], actor=call.actor, now=clock.now())
        return {"limit": slot.max_running}


class ClientPause(Desk):
    """The pause of a client of the partner."""

    rule = _PAUSE

    @operation("get_tenant_pause", returns=PauseShape)
    def get(self, call: Call, tenant: str) -> dict[str, Any]:
        """Whether a client is paused by itself."""
        return _standing(Level.TENANT, _ready(call, tenant))

    @operation("pause_tenant", takes=Why, returns=PauseShape, once=True)
    def post(self, call: Call, tenant: str) -> dict[str, Any]:
        """Let all work of a client stand still within a second; events are taken in and kept."""
        return _pause_tenant(call, _ready(call, tenant), paused=True)

    @operation("unpause_tenant", returns=PauseShape)
    def delete(self, call: Call, tenant: str) -> dict[str, Any]:
        """Let all work of a client go on where it stood."""
        return _pause_tenant(call, _ready(call, tenant), paused=False)


def _ready(call: Call, tenant: str) -> UUID:
    """The key of a client that works already. Raises NotFound."""
    row = client_of(call, tenant)
    if row.ready_at is None:
        raise NotFound
    return row.id


class EverybodysPause(Desk):
    """The pause of all clients of the partner."""

    rule = _PAUSE

    @operation("get_pause_of_all", returns=PauseShape)
    def get(self, call: Call) -> dict[str, Any]:
        """Whether all clients are paused."""
        return _standing(Level.PARTNER, call.partner_id)

    @operation("pause_all", takes=Why, returns=PauseShape, once=True)
    def post(self, call: Call) -> dict[str, Any]:
        """Let all work of all clients stand still within a second; events are taken in and kept."""
        return self._turn(call, paused=True)

    @operation("unpause_all", returns=PauseShape)
    def delete(self, call: Call) -> dict[str, Any]:
        """Let all clients go on; one that was paused by itself stays so."""
        return self._turn(call, paused=False)

    def _turn(self, call: Call, *, paused: bool) -> dict[str, Any]:
        row = Partner.objects.get(pk=call.partner_id)
        reason = call.body.get("reason", "")
        ledger.pause_partner(partner=row, paused=paused, reason=reason, actor=call.actor, now=clock.now())
        return _standing(Level.PARTNER, row.id)
