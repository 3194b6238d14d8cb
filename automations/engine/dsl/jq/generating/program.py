"""A whole program as Python functions: its text, and the text brought to life."""

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from automations.engine.dsl.jq.builtins.results import settle
from automations.engine.dsl.jq.errors import ExpressionError, OutOfFuel, too_deep
from automations.engine.dsl.jq.fuel import Fuel, full
from automations.engine.dsl.jq.generating import (
    assigning,
    bindings,
    folding,
    forms,
    natives,
    operators,
    terms,
)
from automations.engine.dsl.jq.generating.generator import Generator
from automations.engine.dsl.jq.generating.shape import growth
from automations.engine.dsl.jq.generating.support import SUPPORT
from automations.engine.dsl.jq.generating.writer import Cursor, Routine, Then
from automations.engine.dsl.jq.syntax import Node, Variable
from automations.engine.dsl.jq.values import Json

DECLARING: Final = (assigning, bindings, folding, forms, natives, operators, terms)
"""The modules that say how nodes are written; they do so when they are imported."""
_MAX_GROWTH: Final = 32
"""Results at most so many times as big as the input leave without being measured."""


class One(Protocol):
    """Evaluates to exactly one result."""

    def __call__(self, value: Json, env: Mapping[str, Json], fuel: Fuel | None = None) -> Json:
        """The result. Raises ExpressionError."""


class Every(Protocol):
    """Evaluates to all results."""

    def __call__(self, value: Json, env: Mapping[str, Json], fuel: Fuel | None = None) -> list[Json]:
        """The results in order. Raises ExpressionError."""


Stream = Callable[[Fuel, Mapping[str, Json], Json], Iterator[Json]]


def build(tree: Node, variables: Iterable[Variable]) -> tuple[One, Every]:
    """The functions for a program whose free variables are `variables`."""
    to = Generator()
    given = list(variables)
    if to.shapes.single(tree):
        one: One = _load(to, _single_text(to, tree, given))
        return one, _as_list(one)
    stream: Stream = _load(to, _stream_text(to, tree, given))
    return _exactly_one(stream), _all_of(stream)


def _prologue(variables: list[Variable]) -> list[str]:
    lines: list[str] = []
    for variable in variables:
        lines += [
            " try:",
            f"  {variable.slot} = env[{variable.name!r}]",
            " except KeyError:",
            f"  raise unset({variable.name!r}) from None",
        ]
    return lines


def _single_text(to: Generator, tree: Node, variables: list[Variable]) -> str:
    to.out = Routine("", depth="1", indent=2)
    results: list[str] = []
    to.inline(tree, Cursor("value"), Then(lambda found: results.append(found.value)))
    (result,) = results
    body = to.out.text()
    if result in to.booleans:
        body += f"\n  return {result}"
    elif growth(tree) > _MAX_GROWTH:
        body += f"\n  return settle(fuel, {result})"
    elif "fuel" in body:
        body += f"\n  return tame({result}) if fuel.wild else {result}"
    else:
        body += f"\n  return {result}"
    lines = ["def main(value, env, fuel=None):", *_prologue(variables)]
    if "fuel" in body:
        lines += [" if fuel is None:", "  fuel = full()"]
    return "\n".join([*lines, " try:" + body, " except RecursionError:", "  raise too_deep() from None"])


def _stream_text(to: Generator, tree: Node, variables: list[Variable]) -> str:
    to.out = Routine("", depth="1")
    to.inline(tree, Cursor("value"), Then(lambda found: to.out.line(f"yield {found.value}"), brief=True))
    return "\n".join(
        ["def main(fuel, env, value):", *_prologue(variables), to.out.text()[1:], " return", " yield"]
    )


def _load(to: Generator, main: str) -> Any:
    """The function `main` of generated text."""
    text = "\n".join([*to.finish(), main])
    namespace: dict[str, Any] = {"__builtins__": {}, **SUPPORT, **to.constants}
    # every name in the text was made by the generator; constants stand in it as repr() wrote them, or by a name
    exec(builtins.compile(text, "<expression>", "exec"), namespace)  # noqa: S102
    return namespace["main"]


def _as_list(one: One) -> Every:
    def every(value: Json, env: Mapping[str, Json], fuel: Fuel | None = None) -> list[Json]:
        return [one(value, env, fuel)]

    return every


def _exactly_one(stream: Stream) -> One:
    def one(value: Json, env: Mapping[str, Json], fuel: Fuel | None = None) -> Json:
        fuel = full() if fuel is None else fuel
        found: list[Json] = []
        try:
            for result in stream(fuel, env, value):
                if found:
                    raise ExpressionError(
                        "the expression has more than one result; put […] or first(…) around it"
                    )
                found.append(result)
        except RecursionError:
            raise too_deep() from None
        if not found:
            raise ExpressionError("the expression has no result; // gives a value for that case")
        return settle(fuel, found[0])

    return one


def _all_of(stream: Stream) -> Every:
    def every(value: Json, env: Mapping[str, Json], fuel: Fuel | None = None) -> list[Json]:
        fuel = full() if fuel is None else fuel
        found: list[Json] = []
        try:
            for result in stream(fuel, env, value):
                fuel.outputs -= 1
                if fuel.outputs < 0:
                    raise OutOfFuel("the expression has too many results")
                found.append(settle(fuel, result))
        except RecursionError:
            raise too_deep() from None
        return found

    return every
