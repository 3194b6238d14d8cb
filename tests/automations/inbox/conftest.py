"""Facts as the engine tells them, and runs that really fail: driven by the real machine, with made-up answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from automations.engine.actions import workflows
from automations.engine.actions.programs import programs
from automations.engine.dsl.document import read
from automations.engine.enums import RunStatus
from automations.engine.machine import interpreter
from automations.engine.machine.moves import Outcome
from automations.engine.machine.state import Run as Machine
from automations.engine.models import Definition, Run, Workflow
from automations.engine.store import operate as store
from automations.events import actions as events
from automations.events.models import Rejection
from automations.inbox.models import Case
from kernel import ids, jsonx
from kernel.actor import system
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW

BY = system("test")
STEP = "/do/1/book"
BOOKING = """
document:
  dsl: 1.0.3
  namespace: test
  name: booking
  version: 1.0.0
  metadata: {business: {key: .order_id, amountMinor: .total_minor, currency: .currency}}
do:
  - prepare:
      set: ${ . }
  - book:
      metadata: {title: Book the order}
      call: http
      with: {method: post, endpoint: {uri: https://erp.example.com/orders}, body: "${ . }"}
      export: {as: "{booked: .reference}"}
  - tell:
      set: {done: true, reference: "${ $context.booked }"}
"""
POSTCODE = {
    "type": "urn:erp:problem:invalid",
    "title": "The order cannot be booked as it is",
    "status": 422,
    "detail": "shipping_address.postcode: A postcode is required for United Kingdom.",
    "fields": {"shipping_address.postcode": ["A postcode is required for United Kingdom."]},
}
REFUSED = {
    "type": "https://open-workflow-specification.org/dsl/errors/types/communication",
    "status": 422,
    "title": "The other system could not do it",
    "detail": "HTTP 422: shipping_address.postcode: A postcode is required for United Kingdom.",
    "instance": STEP,
    "request": {"method": "POST", "uri": "https://erp.example.com/orders", "headers": {}},
    "response": POSTCODE,
}


@pytest.fixture
def tell(tenant: TenantRef) -> Callable[..., None]:
    """`tell(what, run, seq)`: the engine tells something about a run, and it is dispatched unless `hold` is given."""

    def one(
        what: str,
        run: UUID,
        seq: int,
        *,
        at: datetime = NOW,
        subject: str = "10045",
        hold: bool = False,
        **data: Any,
    ) -> None:
        kind = what if "." in what else f"run.{what}"
        tail = "" if kind.startswith("case.") else f"-{what}"
        given: dict[str, Any] = {"runId": str(run), "task": STEP}
        if what in ("suspended", "faulted"):
            given["error"] = REFUSED
        events.publish(
            type=f"portal.{kind}",
            subject=subject,
            data={**given, **data},
            source="/engine",
            time=at,
            event_id=f"{run}-{seq}{tail}",
            internal=True,
        )
        if not hold:
            dispatch()

    return one


def dispatch() -> None:
    """Hand everything that waits to the handlers; none of them may fail."""
    while events.dispatch(context.current(), now=NOW):
        pass
    assert list(Rejection.objects.values_list("reason", flat=True)) == []


class Bench:
    """Runs of one workflow, failed and sent on by hand."""

    def __init__(self) -> None:
        definition = workflows.publish(document=read(BOOKING), actor=BY, now=NOW)
        self.workflow: Workflow = workflows.deploy(
            name="booking",
            title="Order to ERP",
            definition=definition,
            config={},
            connections={},
            actor=BY,
            now=NOW,
        )

    def fail(self, outcome: Outcome | None = None, *, at: datetime = NOW, **order: Any) -> Run:
        """A run that its ERP refused, and that waits for a person; its case is open."""
        given = {"order_id": "10045", "total_minor": 17_895, "currency": "GBP", "address": {}, **order}
        key = workflows.start_run(workflow=self.workflow, given=given, actor=BY, now=at)
        machine = self._machine(key)
        interpreter.start(machine)
        self._answer(machine, outcome or Outcome(422, {}, POSTCODE))
        return Run.objects.get(pk=key)

    def go_on(self, run_id: UUID, outcome: Outcome, *, at: datetime = NOW) -> list[Any]:
        """What a worker does with a run that was sent on its way; the bodies that it sent."""
        machine = self._machine(run_id)
        machine.restore(store.snapshot_of(run_id))
        machine.now = at.timestamp()
        interpreter.advance(machine)
        sent = [effect.request.get("body") for effect in machine.effects]
        self._answer(machine, outcome)
        return sent

    def _machine(self, run_id: UUID) -> Machine:
        row = Run.objects.get(pk=run_id)
        definition = Definition.objects.get(pk=row.definition_id)
        program = programs.compiled(definition.id, definition.document)
        return Machine(
            row.id,
            context.current().id,
            program,
            jsonx.unpack(row.input),
            now=row.started_at.timestamp(),
            config={},
        )

    def _answer(self, machine: Machine, outcome: Outcome) -> None:
        first = machine.steps[0]["n"] if machine.steps else machine.seq
        while machine.effects:
            effect = machine.effects.pop()
            interpreter.take_outcome(machine, effect.strand, effect.key, outcome)
        over = machine.status in ("completed", "cancelled", "faulted")
        store.write(
            machine.id,
            status=RunStatus(machine.status),
            error=machine.error,
            seq=first,
            steps=machine.steps,
            snapshot=None if over else machine.snapshot(),
            over_at=datetime.fromtimestamp(machine.now, UTC) if over else None,
        )
        row = Run.objects.get(pk=machine.id)
        for fact in machine.facts:
            events.publish(
                type=fact.type,
                subject=fact.subject or row.business_key,
                data=fact.data,
                source="/engine",
                time=datetime.fromtimestamp(fact.time, UTC),
                event_id=fact.id,
                internal=True,
            )
        dispatch()


@pytest.fixture
def bench(tenant: TenantRef) -> Bench:
    """A workflow that books orders."""
    return Bench()


@pytest.fixture
def make_case(tenant: TenantRef) -> Callable[..., Case]:
    """`make_case(kind=…, value_minor=…)`: a case as if a workflow had asked for it."""
    numbers = iter(range(5_001, 9_000))

    def one(**changes: Any) -> Case:
        opened = changes.pop("opened_at", NOW - timedelta(hours=1))
        found: Case = Case.objects.create(
            **{
                "key": str(ids.uuid7()),
                "number": next(numbers),
                "kind": "delivery_late",
                "severity": "high",
                "title": "Order 10045 is not delivered in time",
                "business_key": "10045",
                "value_minor": 17_895,
                "currency": "GBP",
                "fingerprint": "f" * 32,
                "seq": 1,
                "due_at": opened + timedelta(hours=24),
                "opened_at": opened,
                **changes,
            }
        )
        return found

    return one
