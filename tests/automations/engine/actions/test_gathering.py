"""Runs that start when there is an event for each filter: `schedule: on: all`, on a real database."""

from datetime import timedelta
from typing import Any

from automations.engine import queries
from automations.engine.actions import workflows
from automations.engine.actions.dryrunning import dry_run
from automations.engine.actions.gathering import KEPT, forget_gathered
from automations.engine.dsl.document import read
from automations.engine.models import Gathered, Run, Workflow
from automations.events.actions import publish
from automations.events.models import Event
from kernel import clock
from kernel.actor import system

BY = system("test")
KEYED = (
    "[{with: {type: t.paid}, correlate: {order: {from: .subject}}},"
    " {with: {type: t.packed}, correlate: {order: {from: .data.order}}}]"
)


def deploy(
    filters: str = KEYED, body: str = "do: [{a: {set: {got: '${ . }'}}}]", version: str = "1"
) -> Workflow:
    text = (
        f"document: {{dsl: 1.0.3, namespace: t, name: both, version: {version}.0.0}}\n"
        f"schedule: {{on: {{all: {filters}}}, read: data}}\n{body}"
    )
    definition = workflows.publish(document=read(text), actor=BY, now=clock.now())
    return workflows.deploy(
        name="both",
        title="both",
        definition=definition,
        config={},
        connections={},
        actor=BY,
        now=clock.now(),
    )


def tell(kind: str, subject: str = "", **data: Any) -> Event:
    return publish(type=f"t.{kind}", subject=subject, data=data, source="/t", time=clock.now())


def outputs() -> list[Any]:
    return [queries.run_view(run.id).output["got"] for run in Run.objects.order_by("started_at", "id")]


def test_the_last_of_the_events_that_belong_together_starts_one_run(committed, tenant, worker):
    deploy()
    tell("paid", "A", n=1)
    tell("packed", order="B", n=2)
    worker()
    assert (Run.objects.count(), Gathered.objects.count()) == (0, 2)
    last = tell("packed", order="A", n=3)
    worker()
    assert outputs() == [[{"n": 1}, {"order": "A", "n": 3}]]
    assert Run.objects.get().event_id == last.id
    assert Gathered.objects.count() == 1  # B's, which lacks its payment
    tell("paid", "B", n=4)
    worker()
    # in the order in which they came, not in that of the filters
    assert outputs()[1] == [{"order": "B", "n": 2}, {"n": 4}]
    assert Gathered.objects.count() == 0


def test_what_comes_twice_waits_for_the_next_and_all_may_come_at_once(committed, tenant, worker):
    deploy()
    for number in (1, 2):
        tell("paid", "A", n=number)
    for number in (3, 4):
        tell("packed", order="A", n=number)
    worker()
    assert outputs() == [[{"n": 1}, {"order": "A", "n": 3}], [{"n": 2}, {"order": "A", "n": 4}]]
    assert Gathered.objects.count() == 0


def test_an_event_that_fits_two_filters_takes_one_place(committed, tenant, worker):
    deploy("[{with: {type: t.count}}, {with: {type: t.count}}]")
    tell("count", n=1)
    worker()
    assert Run.objects.count() == 0
    tell("count", n=2)
    worker()
    assert outputs() == [[{"n": 1}, {"n": 2}]]


def test_what_has_no_key_or_fits_no_filter_waits_for_nobody(committed, tenant, worker):
    deploy(KEYED.replace("{type: t.packed}", "{type: t.packed, data: '${ .whole }'}"))
    tell("packed", whole=True)
    tell("packed", order="A", whole=False)
    worker()
    assert (Run.objects.count(), Gathered.objects.count()) == (0, 0)


def test_a_new_version_with_the_same_filters_goes_on_with_what_waits(committed, tenant, worker):
    deploy()
    tell("paid", "A", n=1)
    worker()
    deploy(body="do: [{a: {set: {got: 2}}}]", version="2")
    tell("packed", order="A")
    worker()
    assert outputs() == [2]


def test_a_fixed_value_that_an_event_must_have_counts_for_a_start(committed, tenant, worker):
    text = (
        "document: {dsl: 1.0.3, namespace: t, name: one, version: 1.0.0}\n"
        "schedule: {on: {one: {with: {type: t.paid}, correlate: {shop: {from: .data.shop, expect: '\"uk\"'}}}}}\n"
        "do: [{a: {set: {got: '${ .[0].subject }'}}}]"
    )
    definition = workflows.publish(document=read(text), actor=BY, now=clock.now())
    workflows.deploy(
        name="one", title="one", definition=definition, config={}, connections={}, actor=BY, now=clock.now()
    )
    tell("paid", "A", shop="de")
    tell("paid", "B", shop="uk")
    worker()
    assert outputs() == ["B"]


def test_nobody_waits_for_ever(committed, tenant, worker):
    deploy()
    tell("paid", "A")
    tell("paid", "B")
    worker()
    Gathered.objects.filter(event_id=Event.objects.get(subject="A").id).update(
        received_at=clock.now() - KEPT - timedelta(minutes=1)
    )
    assert forget_gathered() == 1
    tell("packed", order="A")
    tell("packed", order="B")
    worker()
    assert outputs() == [[{}, {"order": "B"}]]


def test_a_dry_run_takes_the_events_that_belong_to_the_one_it_is_given(tenant, now):
    workflow = deploy()
    first, _ = tell("paid", "A", n=1), tell("paid", "B", n=2)
    last = tell("packed", order="A", n=3)
    seen = [dry_run(workflow, now=now, event_id=event.id).output for event in (first, last)]
    assert seen == [{"got": [{"n": 1}, {"order": "A", "n": 3}]}] * 2
