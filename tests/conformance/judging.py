"""Running a scenario of the kit and judging what became of it."""

import re
from typing import Any

from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.document import read
from automations.engine.dsl.program import Program
from tests.conformance.dying import Ended, Mortal
from tests.conformance.kit import Scenario, Step, yaml
from tests.conformance.site import Site

_NAMES = re.compile(r"'([^']+)'")
_MISSING = object()


def compiled(scenario: Scenario, site: Site) -> Program:
    """The scenario's program, with the documents that it refers to."""
    document = read(scenario.definition)
    seen = compile_document(document, FUNCTIONS, inline_credentials=True)
    resources = {address: site.document(address) for address in seen.fetches}
    return compile_document(document, FUNCTIONS, inline_credentials=True, resources=resources)


def yield_points(program: Program, scenario: Scenario, site: Site) -> int:
    """How many places there are at which a process could die."""
    mortal = Mortal(program, scenario.given, site)
    mortal.live()
    return mortal.points


def problems(scenario: Scenario, ended: Ended) -> list[str]:
    """What is not as the scenario says; empty if all is."""
    return [said for step in scenario.expectations if (said := _problem(step, ended))]


def _problem(step: Step, ended: Ended) -> str:
    words, names = step.words, _NAMES.findall(step.words)
    if words.startswith("the workflow should complete"):
        if ended.status != "completed":
            return f"it is {ended.status}: {ended.error}"
        return _differs(ended.output, yaml(step.block)) if step.block else ""
    if words.startswith("the workflow should fault"):
        if ended.status not in ("suspended", "faulted"):
            return f"it is {ended.status}, and should have failed"
        return _differs(ended.error, yaml(step.block)) if step.block else ""
    if "have properties" in words:
        missing = [name for name in names if _at(ended.output, name) is _MISSING]
        return f"the output lacks {missing}" if missing else ""
    if words.endswith("property with value:"):
        return _differs(_at(ended.output, names[0]), yaml(step.block))
    if match := re.search(r"containing (\d+) items", words):
        found = _at(ended.output, names[0])
        return "" if len(found) == int(match[1]) else f"{names[0]} is {found}"
    return _order_problem(words, ended.order)


def _order_problem(words: str, order: list[str]) -> str:
    if match := re.fullmatch(r"(\w+) should run (first|last)", words):
        place = 0 if match[2] == "first" else -1
        return "" if order and order[place] == match[1] else f"{words}, but the order is {order}"
    if match := re.fullmatch(r"(\w+) should run after (\w+)", words):
        fits = match[1] in order and match[2] in order and order.index(match[1]) > order.index(match[2])
        return "" if fits else f"{words}, but the order is {order}"
    return f"nobody knows how to judge {words!r}"


def _differs(found: Any, wanted: Any) -> str:
    return "" if found == wanted else f"{found!r} is not {wanted!r}"


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return _MISSING
        value = value[part]
    return value
