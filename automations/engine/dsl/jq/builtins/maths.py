"""Functions of numbers. Where C gives NaN or an infinity, so do these."""

import math
from collections.abc import Callable
from typing import Final

from automations.engine.dsl.jq.builtins.arithmetic import checked, to_float
from automations.engine.dsl.jq.builtins.ordering import less
from automations.engine.dsl.jq.errors import Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described, is_number

_SMALLEST_NORMAL: Final = 2.2250738585072014e-308


def _require(value: Json) -> Json:
    if not is_number(value):
        raise Raised(f"{described(value)} number required")
    return value


def _guarded(function: Callable[..., float], *numbers: float, pole: float = math.inf) -> float:
    """The function's value; NaN where it is not defined, `pole` where it would be too big."""
    try:
        return function(*numbers)
    except OverflowError:
        return pole
    except ValueError:
        return math.nan


def _one(function: Callable[[float], float]) -> Callable[[Fuel, Json], Json]:
    def call(fuel: Fuel, value: Json) -> Json:
        return checked(fuel, _guarded(function, to_float(_require(value))))

    return call


def _two(function: Callable[[float, float], float]) -> Callable[[Fuel, Json, Json, Json], Json]:
    def call(fuel: Fuel, _value: Json, first: Json, second: Json) -> Json:
        return checked(fuel, _guarded(function, to_float(_require(first)), to_float(_require(second))))

    return call


def _whole(function: Callable[[float], float]) -> Callable[[Fuel, Json], Json]:
    """A rounding: integers stay as they are, others become integers as long as there are such."""

    def call(_fuel: Fuel, value: Json) -> Json:
        if isinstance(value, int) and value.__class__ is int:
            return value
        return function(value) if math.isfinite(_require(value)) else value

    return call


def _round(number: float) -> float:
    """To the nearest integer, halves away from 0."""
    below = math.floor(abs(number))
    rounded = below + 1 if abs(number) - below >= 0.5 else below
    return -rounded if number < 0 else rounded


def _log(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda number: -math.inf if number == 0 else function(number)


def _exponent(number: float) -> float:
    if number == 0:
        return -math.inf
    return abs(number) if not math.isfinite(number) else math.frexp(number)[1] - 1


def _significand(number: float) -> float:
    return number if number == 0 or not math.isfinite(number) else 2 * math.frexp(number)[0]


def _lgamma(number: float) -> float:
    return math.inf if number <= 0 and number == math.floor(number) else math.lgamma(number)


def _scale(number: float, power: float) -> float:
    if not math.isfinite(power):
        return math.nan if math.isnan(power) else number * (math.inf if power > 0 else 0.0)
    return math.ldexp(number, int(max(min(power, 5_000), -5_000)))


def _power(number: float, exponent: float) -> float:
    if number == 0 and exponent < 0:
        odd = exponent % 2 == 1
        return math.copysign(math.inf, number) if odd else math.inf
    try:
        return math.pow(number, exponent)
    except OverflowError:
        return -math.inf if number < 0 and exponent % 2 == 1 else math.inf


def _ten_to(number: float) -> float:
    return math.pow(10.0, number)


def absolute(fuel: Fuel, value: Json) -> Json:
    """`abs`: of numbers; what comes after all numbers stays as it is."""
    if is_number(value):
        return abs(value)
    if less(fuel, value, 0):
        raise Raised(f"{described(value)} cannot be negated")
    return value


def pow_of(fuel: Fuel, value: Json, number: Json, exponent: Json) -> Json:
    """`pow(number; exponent)`: an exact integer where both are, as long as a float would hold its size."""
    _require(number)
    _require(exponent)
    if number.__class__ is int and exponent.__class__ is int and exponent >= 0:
        small = number in (0, 1) or number.bit_length() * exponent <= 1_024
        return number**exponent if small else _two(_power)(fuel, value, number, exponent)
    return _two(_power)(fuel, value, number, exponent)


def frexp(fuel: Fuel, value: Json) -> Json:
    """`frexp`: mantissa and exponent."""
    mantissa, exponent = math.frexp(to_float(_require(value)))
    return [checked(fuel, mantissa), exponent]


def modf(fuel: Fuel, value: Json) -> Json:
    """`modf`: fraction and whole part."""
    fraction, rest = math.modf(to_float(_require(value)))
    return [checked(fuel, fraction), checked(fuel, rest)]


def lgamma_r(fuel: Fuel, value: Json) -> Json:
    """`lgamma_r`: the logarithm of the gamma function, and its sign."""
    number = to_float(_require(value))
    negative = number < 0 and number != math.floor(number) and math.floor(number) % 2 != 0
    return [checked(fuel, _guarded(_lgamma, number)), -1 if negative else 1]


def fused(fuel: Fuel, _value: Json, first: Json, second: Json, third: Json) -> Json:
    """`fma(x; y; z)`: `x * y + z`"""
    numbers = [to_float(_require(number)) for number in (first, second, third)]
    return checked(fuel, numbers[0] * numbers[1] + numbers[2])


def infinite(fuel: Fuel, _value: Json) -> Json:
    """`infinite`"""
    fuel.wild = True
    return math.inf


def not_a_number(fuel: Fuel, _value: Json) -> Json:
    """`nan`"""
    fuel.wild = True
    return math.nan


def is_infinite(_fuel: Fuel, value: Json) -> bool:
    """`isinfinite`"""
    return value.__class__ is float and math.isinf(value)


def is_nan(_fuel: Fuel, value: Json) -> bool:
    """`isnan`"""
    return value.__class__ is float and math.isnan(value)


def is_finite(_fuel: Fuel, value: Json) -> bool:
    """`isfinite`"""
    return is_number(value) and not is_infinite(_fuel, value)


def is_normal(_fuel: Fuel, value: Json) -> bool:
    """`isnormal`: neither 0 nor too small, infinite or NaN."""
    return is_number(value) and value == value and _SMALLEST_NORMAL <= abs(value) != math.inf  # noqa: PLR0124


def _difference(first: float, second: float) -> float:
    return max(first - second, 0.0) if first == first and second == second else math.nan  # noqa: PLR0124


def _bigger(first: float, second: float) -> float:
    return second if math.isnan(first) else first if math.isnan(second) else max(first, second)


def _smaller(first: float, second: float) -> float:
    return second if math.isnan(first) else first if math.isnan(second) else min(first, second)


ROUNDINGS: Final = {
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "round": _whole(_round),
    "trunc": _whole(math.trunc),
    "rint": _whole(round),
    "nearbyint": _whole(round),
}
_OF_ONE: Final[dict[str, Callable[[float], float]]] = {
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
    "fabs": math.fabs,
    "exp": math.exp,
    "exp2": math.exp2,
    "exp10": _ten_to,
    "expm1": math.expm1,
    "log": _log(math.log),
    "log2": _log(math.log2),
    "log10": _log(math.log10),
    "log1p": lambda number: -math.inf if number == -1 else math.log1p(number),
    "logb": _exponent,
    "significand": _significand,
    "gamma": _lgamma,
    "lgamma": _lgamma,
    "tgamma": lambda number: math.copysign(math.inf, number) if number == 0 else math.gamma(number),
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": math.acosh,
    "atanh": lambda number: math.copysign(math.inf, number) if abs(number) == 1 else math.atanh(number),
    "erf": math.erf,
    "erfc": math.erfc,
}
_OF_TWO: Final[dict[str, Callable[[float, float], float]]] = {
    "atan2": math.atan2,
    "copysign": math.copysign,
    "drem": math.remainder,
    "remainder": math.remainder,
    "fmod": math.fmod,
    "fmin": _smaller,
    "fmax": _bigger,
    "fdim": _difference,
    "hypot": math.hypot,
    "ldexp": _scale,
    "scalb": _scale,
    "scalbln": _scale,
    "nextafter": math.nextafter,
    "nexttoward": math.nextafter,
}
OF_ONE: Final = {name: _one(function) for name, function in _OF_ONE.items()}
OF_TWO: Final = {name: _two(function) for name, function in _OF_TWO.items()}
