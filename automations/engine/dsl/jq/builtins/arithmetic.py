"""`+ - * / %` on all types. Integers stay exact; what is too big to keep is refused."""

import math
from typing import Final

from automations.engine.dsl.jq.builtins.ordering import equal
from automations.engine.dsl.jq.errors import OutOfFuel, Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import MAX_INT_BITS, MAX_LEVELS, Json, described, is_number

_BIGGEST: Final = 2**63 - 1
ITEM: Final = 8
"""Bytes that one more item of an array takes."""
ENTRY: Final = 64
"""Bytes that one more entry of an object takes."""


def text_size(text: str) -> int:
    """The bytes that `text` takes in memory, at most."""
    return 50 + (len(text) if text.isascii() else 4 * len(text))


def to_float(number: float) -> float:
    """`number` as a float; an integer beyond all floats becomes an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


_LONG: Final = 2**1_000


def too_big() -> OutOfFuel:
    """The error for an integer that Python would not print."""
    return OutOfFuel("the expression makes a number of more than 3,900 digits")


def checked(fuel: Fuel, number: float) -> Json:
    """`number`, noting in `fuel` when it is an infinity or NaN. Raises OutOfFuel for an integer that is too big."""
    if isinstance(number, int):
        if number > _LONG or number < -_LONG:
            bits = number.bit_length()
            if bits > MAX_INT_BITS + 1:
                raise too_big()
            fuel.grow(bits >> 3)
    elif number - number:
        fuel.wild = True
    return number


def _draw(fuel: Fuel, left: float, right: float) -> None:
    """Draws the steps that multiplying or dividing two integers takes."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right.bit_length()
        if bits > 1 << 20:
            fuel.step(bits >> 20)


def whole(number: float) -> int:
    """`number` without its fraction; an infinity becomes the biggest 64 bit integer."""
    if isinstance(number, int):
        return number
    if math.isinf(number):
        return _BIGGEST if number > 0 else -_BIGGEST
    return int(number)


def _sum(fuel: Fuel, left: float, right: float) -> Json:
    try:
        return checked(fuel, left + right)
    except OverflowError:
        return checked(fuel, to_float(left) + to_float(right))


def add(fuel: Fuel, left: Json, right: Json) -> Json:
    """`left + right`"""
    kind, other = left.__class__, right.__class__
    if (kind is float or kind is int) and (other is float or other is int):
        return _sum(fuel, left, right)
    if left is None:
        return right
    if right is None:
        return left
    if kind is other:
        if kind is str:
            fuel.grow(text_size(left) + text_size(right))
            return left + right
        if kind is list:
            fuel.grow(ITEM * (len(left) + len(right)))
            return left + right
        if kind is dict:
            fuel.grow(ENTRY * (len(left) + len(right)))
            return {**left, **right}
    raise Raised(f"{described(left)} and {described(right)} cannot be added")


def total(fuel: Fuel, value: Json) -> Json:
    """`add`: the items of an array or object added together, null of nothing."""
    if value.__class__ is dict:
        value = list(value.values())
    if value.__class__ is not list:
        raise Raised(f"Cannot iterate over {described(value)}")
    fuel.step(1 + len(value) // 4)
    kinds = {item.__class__ for item in value}
    if kinds == {int}:
        return checked(fuel, sum(value))
    if kinds == {str}:
        fuel.grow(sum(map(text_size, value)))
        return "".join(value)
    if kinds == {list}:
        fuel.grow(ITEM * sum(map(len, value)))
        return [item for part in value for item in part]
    result: Json = None
    for item in value:
        result = add(fuel, result, item)
    return result


def subtract(fuel: Fuel, left: Json, right: Json) -> Json:
    """`left - right`"""
    if is_number(left) and is_number(right):
        return _sum(fuel, left, -right)
    if left.__class__ is list and right.__class__ is list:
        fuel.step(len(left) + len(right))
        if all(item.__class__ is str for item in right):
            taken = set(right)
            return [item for item in left if item.__class__ is not str or item not in taken]
        fuel.step(len(left) * len(right) >> 1)
        return [item for item in left if not any(equal(fuel, item, other) for other in right)]
    raise Raised(f"{described(left)} and {described(right)} cannot be subtracted")


def _repeat(fuel: Fuel, text: str, count: float) -> Json:
    if not count >= 0:  # below 0, or NaN
        return None
    times = whole(count)
    fuel.grow(text_size(text) * times)
    return text * times


def merge(fuel: Fuel, left: Json, right: Json, level: int = 0) -> Json:
    """Two objects as one, and likewise the objects that both hold under one key."""
    if level > MAX_LEVELS:
        raise too_deep()
    fuel.grow(ENTRY * (len(left) + len(right)))
    fuel.step(1 + len(right))
    result = dict(left)
    for key, item in right.items():
        old = result.get(key)
        if item.__class__ is dict and old.__class__ is dict:
            result[key] = merge(fuel, old, item, level + 1)
        else:
            result[key] = item
    return result


def _product(fuel: Fuel, left: float, right: float) -> Json:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_INT_BITS + 1:
            raise too_big()
        _draw(fuel, left, right)
        return checked(fuel, left * right)
    try:
        return checked(fuel, left * right)
    except OverflowError:
        return checked(fuel, to_float(left) * to_float(right))


def multiply(fuel: Fuel, left: Json, right: Json) -> Json:
    """`left * right`"""
    kind, other = left.__class__, right.__class__
    if (kind is float or kind is int) and (other is float or other is int):
        return _product(fuel, left, right)
    if left.__class__ is str and is_number(right):
        return _repeat(fuel, left, right)
    if right.__class__ is str and is_number(left):
        return _repeat(fuel, right, left)
    if left.__class__ is dict and right.__class__ is dict:
        return merge(fuel, left, right)
    raise Raised(f"{described(left)} and {described(right)} cannot be multiplied")


def split_text(fuel: Fuel, text: str, separator: str) -> list[Json]:
    """`text` cut at each `separator`; into its characters if that is empty."""
    if not text:
        return []
    fuel.step(1 + (len(text) >> 10))
    fuel.grow(60 * (text.count(separator) + 1) + text_size(text))
    return text.split(separator) if separator else list(text)


def divide(fuel: Fuel, left: Json, right: Json) -> Json:
    """`left / right`: an integer if two integers divide without a rest."""
    if is_number(left) and is_number(right):
        if right == 0:
            raise Raised(
                f"{described(left)} and {described(right)} cannot be divided because the divisor is zero"
            )
        _draw(fuel, left, right)
        if left.__class__ is int and right.__class__ is int and left % right == 0:
            return checked(fuel, left // right)
        return checked(fuel, to_float(left) / to_float(right))
    if left.__class__ is str and right.__class__ is str:
        return split_text(fuel, left, right)
    raise Raised(f"{described(left)} and {described(right)} cannot be divided")


def remainder(fuel: Fuel, left: Json, right: Json) -> Json:
    """`left % right`, of the numbers without their fractions; the sign is that of `left`."""
    if not (is_number(left) and is_number(right)):
        raise Raised(f"{described(left)} and {described(right)} cannot be divided (remainder)")
    if left != left or right != right:  # noqa: PLR0124 - only NaN differs from itself
        return checked(fuel, math.nan)
    divisor = abs(whole(right))
    if divisor == 0:
        shown = f"{described(left)} and {described(right)}"
        raise Raised(f"{shown} cannot be divided (remainder) because the divisor is zero")
    number = whole(left)
    _draw(fuel, number, divisor)
    return number % divisor if number >= 0 else -(-number % divisor)


def negate(_fuel: Fuel, value: Json) -> Json:
    """`-value`"""
    if not is_number(value):
        raise Raised(f"{described(value)} cannot be negated")
    return -value
