"""The last look at a result before it leaves: not too deep, not too big when written out, only JSON numbers."""

from automations.engine.dsl.jq.errors import too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_FLOAT, MAX_LEVELS, Json


def settle(fuel: Fuel, value: Json) -> Json:
    """`value` as it may leave. Raises OutOfFuel if it would be too big or too deep as JSON text.

    Parts that a value holds many times count as often as they would be written.
    """
    if value.__class__ is list or value.__class__ is dict:
        _measure(fuel, value, 0)
    elif value.__class__ is str:
        fuel.size -= len(value)
    if fuel.size < 0:
        raise fuel.spent()
    return tame(value) if fuel.wild else value


def _measure(fuel: Fuel, value: Json, level: int) -> None:
    if level > MAX_LEVELS:
        raise too_deep()
    size = 2 * len(value)
    items = value
    if value.__class__ is dict:
        items = value.values()
        size += sum(map(len, value))
    fuel.steps -= 1 + len(value) // 8
    if fuel.steps < 0:
        raise fuel.spent()
    for item in items:
        kind = item.__class__
        if kind is str:
            size += len(item)
        elif kind is list or kind is dict:
            _measure(fuel, item, level + 1)
    fuel.size -= size
    if fuel.size < 0:
        raise fuel.spent()


def tame(value: Json) -> Json:
    """`value` with NaN as null and infinities as the largest floats, as jq writes them."""
    if value.__class__ is float:
        if value - value == 0:
            return value
        return None if value != value else min(max(value, -MAX_FLOAT), MAX_FLOAT)  # noqa: PLR0124
    if value.__class__ is list:
        return [tame(item) for item in value]
    if value.__class__ is dict:
        return {key: tame(item) for key, item in value.items()}
    return value
