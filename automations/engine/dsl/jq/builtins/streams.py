"""Functions with many results, and those that run a filter again and again."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count, takewhile
from typing import Final

from automations.engine.dsl.jq.builtins.access import index
from automations.engine.dsl.jq.builtins.arithmetic import ITEM, checked
from automations.engine.dsl.jq.builtins.editing import Draft
from automations.engine.dsl.jq.errors import Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_LEVELS, Json, is_number

Filter = Callable[[Json], Iterator[Json]]
_CLOSE: Final = object()


def span(_fuel: Fuel, start: Json, end: Json) -> Iterable[Json]:
    """`range(start; end)`; whoever goes through it draws the fuel."""
    if start.__class__ is int and end.__class__ is int:
        return range(start, end)
    if not (is_number(start) and is_number(end)):
        raise Raised("Range bounds must be numeric")
    return takewhile(lambda number: number < end, count(start))


def stepped(fuel: Fuel, start: Json, end: Json, step: Json) -> Iterable[Json]:
    """`range(start; end; step)`; nothing for a step of 0."""
    if not (is_number(start) and is_number(end) and is_number(step)):
        raise Raised("Range bounds must be numeric")
    if step == 0 or step != step:  # noqa: PLR0124 - only NaN differs from itself
        return ()
    if start.__class__ is int and end.__class__ is int and step.__class__ is int:
        return range(start, end, step)
    return _stepped(fuel, start, end, step)


def _stepped(fuel: Fuel, number: Json, end: Json, step: Json) -> Iterator[Json]:
    while number < end if step > 0 else number > end:
        yield number
        number = checked(fuel, number + step)


def recurse(fuel: Fuel, start: Json, below: Filter) -> Iterator[Json]:
    """`recurse(f)`: the start, then all that `below` gives of it, each followed by what that gives.

    Also what `while` and `repeat` are made of. Goes any number of levels without stacking frames.
    """
    waiting: list[Iterator[Json]] = [iter((start,))]
    while waiting:
        for found in waiting[-1]:
            fuel.step(1)
            yield found
            if len(waiting) > 10_000:
                raise too_deep()
            waiting.append(below(found))
            break
        else:
            waiting.pop()


def repeat(fuel: Fuel, start: Json, again: Filter) -> Iterator[Json]:
    """`repeat(f)`: what `again` gives of the start, for ever."""
    while True:
        fuel.step(1)
        yield from again(start)


def until(fuel: Fuel, start: Json, over: Filter, onward: Filter) -> Iterator[Json]:
    """`until(over; onward)`, where both may have many results."""
    waiting: list[Iterator[tuple[Json, bool]]] = [_judged(start, over)]
    while waiting:
        for found, done in waiting[-1]:
            fuel.step(1)
            if done:
                yield found
                continue
            if len(waiting) > 10_000:
                raise too_deep()
            waiting.append(_onward(found, over, onward))
            break
        else:
            waiting.pop()


def _judged(value: Json, over: Filter) -> Iterator[tuple[Json, bool]]:
    for answer in over(value):
        yield value, answer is not None and answer is not False


def _onward(value: Json, over: Filter, onward: Filter) -> Iterator[tuple[Json, bool]]:
    for found in onward(value):
        yield from _judged(found, over)


def walk(fuel: Fuel, value: Json, change: Filter, level: int = 0) -> Iterator[Json]:
    """`walk(f)`: what `change` gives of the value, once its parts are changed."""
    if level > MAX_LEVELS:
        raise too_deep()
    if value.__class__ is list:
        fuel.step(1 + len(value))
        value = [found for item in value for found in walk(fuel, item, change, level + 1)]
    elif value.__class__ is dict:
        fuel.step(1 + len(value))
        changed: dict[str, Json] = {}
        for key, item in value.items():
            for found in walk(fuel, item, change, level + 1):
                changed[key] = found
                break
        value = changed
    yield from change(value)


def walk_one(fuel: Fuel, value: Json, change: Callable[[Json], Json], level: int = 0) -> Json:
    """`walk(f)` where `change` has one result for every value."""
    if level > MAX_LEVELS:
        raise too_deep()
    if value.__class__ is list:
        fuel.step(1 + len(value) // 4)
        value = [walk_one(fuel, item, change, level + 1) for item in value]
    elif value.__class__ is dict:
        fuel.step(1 + len(value) // 4)
        value = {key: walk_one(fuel, item, change, level + 1) for key, item in value.items()}
    return change(value)


def product(fuel: Fuel, sources: list[Callable[[], Iterator[Json]]]) -> Iterator[tuple[Json, ...]]:
    """All combinations of what the sources give; the first source moves slowest and is run once."""
    if not sources:
        yield ()
        return
    for first in sources[0]():
        for rest in product(fuel, sources[1:]):
            fuel.step(3)
            yield (first, *rest)


def to_stream(fuel: Fuel, value: Json, path: tuple[Json, ...] = (), *, top: bool = True) -> Iterator[Json]:
    """`tostream`: the leaves with their paths, and the end of each array and object."""
    if len(path) > MAX_LEVELS:
        raise too_deep()
    fuel.step(2 + len(path) // 8)  # each level hands on what is given below it
    fuel.grow(ITEM * len(path) + 120)
    pairs = enumerate(value) if value.__class__ is list else value.items() if value.__class__ is dict else ()
    last: Json = _CLOSE
    for last, item in pairs:
        yield from to_stream(fuel, item, (*path, last), top=False)
    if last is _CLOSE:
        yield [list(path), value]
    else:
        yield [[*path, last]]


def from_stream(fuel: Fuel, events: Iterable[Json]) -> Iterator[Json]:
    """`fromstream(f)`: the values whose leaves and ends `events` are."""
    draft = Draft(fuel, None)
    for event in events:
        fuel.step(1)
        path = index(fuel, event, 0)
        if event.__class__ is not list or path.__class__ is not list:
            raise Raised("Invalid streaming format")
        whole = len(path) == 1
        if len(event) == 2:
            draft.set(tuple(path), event[1])
            whole = not path
        if whole:
            yield draft.root
            draft = Draft(fuel, None)


def truncated(_fuel: Fuel, event: Json, depth: Json) -> Iterator[Json]:
    """`truncate_stream`: an event without the first `depth` keys of its path, nothing if it has no more."""
    if event.__class__ is not list or not event or event[0].__class__ is not list:
        raise Raised("Invalid streaming format")
    if not is_number(depth):
        raise Raised("the depth to truncate a stream to must be a number")
    if len(event[0]) > depth:
        yield [event[0][int(depth) :], *event[1:]]
