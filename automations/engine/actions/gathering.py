"""Events that start a run: whether they fit, and how those that start it together wait for each other.

An event that fits several filters of one `all` counts for the one that lacks it most. When there is one for each, the
oldest of each start a run; what is left waits for the next. Nobody waits longer than `KEPT` by the client's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from automations.engine.dsl.program import EventFilter, Program
from automations.engine.errors import WorkflowError
from automations.engine.machine.moves import correlation_key
from automations.engine.models import Gathered, Workflow
from automations.engine.store import gathering as store
from automations.events import queries as events
from automations.events.models import Event
from tenants.tenancy import context

Envelope = Mapping[str, Any]
Together = tuple[Workflow, Program, Sequence[Event]]
KEPT: Final = timedelta(days=30)
_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Offered:
    """An event that could take one of `places` in a set of events of one key."""

    workflow: Workflow
    program: Program
    event: Event
    key: int
    places: tuple[int, ...]


def fits(wanted: EventFilter, envelope: Envelope) -> bool:
    """Whether an event fits a filter that starts runs; an expression that fails does not fit."""
    try:
        for name, value in wanted.attributes:
            if not (value(envelope.get(name), {}) if callable(value) else envelope.get(name) == value):
                return False
        for part in wanted.correlate:
            if part.expect is not None and part.from_(envelope, {}) != part.expect(None, {}):
                return False
        return wanted.data is None or wanted.data(envelope.get("data"), {})
    except (WorkflowError, KeyError):
        return False


def as_input(program: Program, envelopes: Sequence[Envelope]) -> list[Any]:
    """What a run is given that these events start."""
    if program.start.read in ("data", "raw"):
        return [envelope.get("data") for envelope in envelopes]
    return list(envelopes)


def offered(workflow: Workflow, program: Program, event: Event, envelope: Envelope) -> list[Offered]:
    """By which keys the event belongs to others, and which places it could take among them."""
    places: dict[int, list[int]] = {}
    for number, wanted in enumerate(program.start.filters):
        key = _key(program, wanted, envelope)
        if key is not None:
            places.setdefault(key, []).append(number)
    return [Offered(workflow, program, event, key, tuple(found)) for key, found in places.items()]


def _key(program: Program, wanted: EventFilter, envelope: Envelope) -> int | None:
    """The number that events share which belong together; None for one that the filter does not take."""
    if envelope.get("type") != wanted.type or not fits(wanted, envelope):
        return None
    try:
        values = [part.from_(envelope, {}) for part in wanted.correlate]
    except WorkflowError:
        return None
    if any(value is None for value in values):
        return None
    return correlation_key(program.start.gathers, [part.name for part in wanted.correlate], values)


def complete(given: Sequence[Offered]) -> list[Together]:
    """Keep these events; the sets that are whole with them, each in the order in which its events came in."""
    if not given:
        return []
    sets: dict[tuple[UUID, int], list[Offered]] = {}
    for one in given:
        sets.setdefault((one.workflow.id, one.key), []).append(one)
    waiting = store.held(sets)
    found: list[Together] = []
    for mark, news in sets.items():
        found += _joined(mark, news, waiting.get(mark, []))
    return found


def _joined(
    mark: tuple[UUID, int], news: Sequence[Offered], waiting: Sequence[store.Waiting]
) -> list[Together]:
    """The sets of one key that are whole now; what took part waits no more, what is left over waits."""
    program, workflow = news[0].program, news[0].workflow
    queues: list[list[UUID]] = [[] for _ in program.start.filters]
    for held in waiting:
        queues[held.place].append(held.event_id)
    known = {one.event.id: one.event for one in news}
    whole: list[list[UUID]] = []
    for one in news:
        min((queues[place] for place in one.places), key=len).append(one.event.id)
        if all(queues):
            whole.append([queue.pop(0) for queue in queues])
    before = {held.event_id for held in waiting}
    store.take(mark, [key for keys in whole for key in keys if key in before])
    store.keep(
        mark,
        [
            store.Waiting(place, key, known[key].received_at)
            for place, queue in enumerate(queues)
            for key in queue
            if key not in before
        ],
    )
    known |= Event.objects.in_bulk([key for keys in whole for key in keys if key not in known])
    sets = [[known[key] for key in keys if key in known] for keys in whole]
    return [(workflow, program, sorted(one, key=lambda event: (event.received_at, event.id))) for one in sets]


def set_around(program: Program, event: Event) -> list[Event] | None:
    """For a dry run: the event with the latest ones that would have started a run with it; None if one is missing."""
    for key, place in _offers(program, event):
        found = {place: event}
        for number, wanted in enumerate(program.start.filters):
            other = None if number in found else _latest(program, wanted, key, list(found.values()))
            if other is not None:
                found[number] = other
        if len(found) == len(program.start.filters):
            return sorted(found.values(), key=lambda one: (one.received_at, one.id))
    return None


def _latest(program: Program, wanted: EventFilter, key: int, without: Sequence[Event]) -> Event | None:
    """The latest event that the filter takes and that belongs to the key."""
    taken = {one.id for one in without}
    rows = events.event_rows(events.EventFilter(type=wanted.type))[:_LOOKED_AT]
    fitting = (row for row in rows if row.id not in taken and _key(program, wanted, row.envelope()) == key)
    return next(fitting, None)


def _offers(program: Program, event: Event) -> list[tuple[int, int]]:
    """(key, place) for each place that the event could take."""
    envelope = event.envelope()
    keys = [(_key(program, wanted, envelope), number) for number, wanted in enumerate(program.start.filters)]
    return [(key, number) for key, number in keys if key is not None]


def starting_events(program: Program, event: Event) -> list[Event] | None:
    """All events that a run of `event` would be started by; None where it starts none."""
    if program.start.gathers:
        return set_around(program, event)
    envelope = event.envelope()
    taken = any(part.type == event.type and fits(part, envelope) for part in program.start.filters)
    return [event] if taken else None


def forget_gathered() -> int:
    """Let events of the present client go that waited too long for others; how many."""
    gone, _ = Gathered.objects.filter(received_at__lt=context.now() - KEPT).delete()
    return gone
