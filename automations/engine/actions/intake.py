"""What events do to workflows: start runs, and reach runs that wait for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from automations.engine.actions import gathering
from automations.engine.actions.gathering import as_input, fits
from automations.engine.actions.programs import programs
from automations.engine.actions.stopping import Gate
from automations.engine.actions.turns import Rule
from automations.engine.dsl.expressions import Evaluate
from automations.engine.dsl.program import Program
from automations.engine.enums import STARTING
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine.apart import lighten
from automations.engine.machine.moves import correlation_key
from automations.engine.models import Correlation, Trigger, Workflow
from automations.engine.store import intake, lanes
from automations.engine.store.lanes import Entry
from automations.events.models import Event
from kernel import ids, jsonx
from tenants.tenancy import context


def take_in(events: Sequence[Event], now: datetime) -> None:
    """Start the runs that `events` trigger, and hand the events to runs that listen; in the caller's transaction."""
    types = {event.type for event in events}
    triggers: dict[str, list[Trigger]] = {}
    for trigger in Trigger.objects.select_related("workflow", "workflow__definition").filter(
        type__in=types, workflow__state__in=STARTING
    ):
        triggers.setdefault(trigger.type, []).append(trigger)
    expressions: dict[str, list[str]] = {}
    for kind, expression in Correlation.objects.filter(type__in=types).values_list("type", "expression"):
        expressions.setdefault(kind, []).append(expression)
    begun: list[gathering.Together] = []
    offered: list[gathering.Offered] = []
    keys: list[intake.Key] = []
    for event in events:
        envelope = event.envelope()
        for trigger in triggers.get(event.type, ()):
            workflow = trigger.workflow
            program = programs.compiled(workflow.definition_id, workflow.definition.document)
            if program.start.gathers:
                offered += gathering.offered(workflow, program, event, envelope)
            elif any(part.type == event.type and fits(part, envelope) for part in program.start.filters):
                begun.append((workflow, program, [event]))
        for expression in expressions.get(event.type, ()):
            key = _key(event, envelope, expression)
            if key is not None:
                keys.append(key)
    begun += gathering.complete(offered)
    runs: list[intake.NewRun] = []
    entries: list[Entry] = []
    gate = Gate(max((event.received_at for event in events), default=now))
    for workflow, program, together in begun:
        started = _started(workflow, program, together, gate)
        if started is not None:
            runs.append(started)
            entries += entries_of(workflow, started)
    intake.start(context.current().id, runs)
    intake.deliver(keys)
    lanes.enter_here(context.current().id, "lane", entries)


def entries_of(workflow: Workflow, started: intake.NewRun) -> list[Entry]:
    """Where a run that starts has to queue, if its workflow takes only so many at a time."""
    rule = Rule.read(workflow.concurrency)
    if rule is None:
        return []
    lane = rule.lane(workflow.id, started.given, started.business_key)
    return [] if lane is None else [Entry(started.id, lane, rule.limit)]


def _started(
    workflow: Workflow, program: Program, together: Sequence[Event], gate: Gate
) -> intake.NewRun | None:
    """The run that these events start together, if the gate lets it; the last of them is its cause."""
    event = together[-1]
    hops = max(int(one.extensions.get("portalhops", 0)) for one in together)
    if not gate.lets(workflow, event, hops):
        return None
    try:
        return new_run(
            workflow_id=workflow.id,
            definition_id=workflow.definition_id,
            program=program,
            given=as_input(program, [one.envelope() for one in together]),
            cause="event",
            started_at=event.received_at,
            event_id=event.id,
            hops=hops,
        )
    except LimitReached:
        gate.stop(workflow, event, "value")
        return None


def new_run(
    *,
    workflow_id: UUID,
    definition_id: UUID,
    program: Program,
    given: Any,
    cause: str,
    started_at: datetime,
    event_id: UUID | None = None,
    parent_id: UUID | None = None,
    hops: int = 0,
) -> intake.NewRun:
    """A run about to be inserted, with what it is about taken from its input."""
    business = {name: _about(evaluate, given) for name, evaluate in program.business.items()}
    amount = business.get("amountMinor")
    packed, blobs = lighten(given)
    return intake.NewRun(
        id=ids.uuid7(),
        workflow_id=workflow_id,
        definition_id=definition_id,
        cause=cause,
        event_id=event_id,
        parent_id=parent_id,
        business_key=str(business.get("key") or "")[:120],
        value_minor=amount if isinstance(amount, int) and not isinstance(amount, bool) else None,
        currency=str(business.get("currency") or "")[:3],
        hops=hops,
        input=packed,
        started_at=started_at,
        blobs=blobs,
        given=given,
    )


def _about(evaluate: Evaluate, given: Any) -> Any:
    """One fact about a run; what cannot be told is left out rather than keeping the run from starting."""
    try:
        return evaluate(given, {"input": given, "context": {}})
    except (WorkflowError, KeyError):
        return None


def _key(event: Event, envelope: dict[str, Any], expression: str) -> intake.Key | None:
    """The correlation key of `event` by `expression` (JSON list of expressions; empty for the type alone)."""
    sources: list[str] = jsonx.loads(expression) if expression else []
    try:
        values = [_compiled(source)(envelope, {}) for source in sources]
    except WorkflowError:
        return None
    number = correlation_key(event.type, sources, values)
    return intake.Key(number, event.id, event.received_at, event.type)


_sources: dict[str, Evaluate] = {}


def _compiled(source: str) -> Evaluate:
    from automations.engine.dsl.expressions import Compiler

    found = _sources.get(source)
    if found is None:
        if len(_sources) > 1_000:
            _sources.clear()
        found = _sources[source] = Compiler(frozenset()).expression(source)
    return found
