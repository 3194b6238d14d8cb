"""Compiling `call: map:1@default`: a list of tasks for each item, side by side."""

from typing import Any, Final

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import Compiler
from automations.engine.dsl.kinds.flow import Lists
from automations.engine.dsl.program import Map

NAME: Final = "map:1"
MOST_AT_ONCE: Final = 1_000


def map_(
    build: Builder,
    given: dict[str, Any],
    pointer: str,
    names: Compiler,
    common: dict[str, Any],
    lists: Lists,
) -> Map:
    """`in` gives the items, `do` is what is done with each; `.` and `$item` are the item inside it."""
    build.only(given, {"in", "each", "at", "concurrency", "failures", "enough", "do"}, pointer)
    each = build.variable(given.get("each", "item"), f"{pointer}/each")
    at = build.variable(given.get("at", "index"), f"{pointer}/at")
    if "in" not in given:
        build.find("structure", f"{pointer}/in", "`map` needs `in`, an expression that gives an array.")
    cap = given.get("concurrency", 10)
    if isinstance(cap, bool) or not isinstance(cap, int) or not 1 <= cap <= MOST_AT_ONCE:
        build.find(
            "limit", f"{pointer}/concurrency", f"`concurrency` is a whole number from 1 to {MOST_AT_ONCE}."
        )
        cap = 1
    failures = given.get("failures", "hold")
    if failures not in ("hold", "collect"):
        build.find(
            "structure",
            f"{pointer}/failures",
            "`failures` is `hold` (each waits for a person) or `collect` (each gives its error).",
        )
    enough = given.get("enough")
    if enough is not None and (isinstance(enough, bool) or not isinstance(enough, int) or enough < 1):
        build.find(
            "structure",
            f"{pointer}/enough",
            "`enough` is a whole number from 1 on: so many items that succeed end the step.",
        )
        enough = None
    return Map(
        **common,
        body=lists(given.get("do"), f"{pointer}/do", names.with_names(each, at)),
        items=build.either(names, given.get("in", "[]"), f"{pointer}/in"),
        each=each,
        at=at,
        cap=cap,
        collect=failures == "collect",
        enough=enough,
    )
