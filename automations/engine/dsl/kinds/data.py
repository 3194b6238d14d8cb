"""Compiling tasks that work on data alone: set, raise, wait."""

from typing import Any

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import Compiler
from automations.engine.dsl.program import Raise, Set, Wait


def set_(build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]) -> Set:
    """`set`: an object whose `${ … }` texts are evaluated, or one expression."""
    value = task["set"]
    if not isinstance(value, (dict, str)) or not value:
        build.find(
            "structure", f"{pointer}/set", "`set` takes an object with at least one field, or an expression."
        )
    return Set(**common, value=build.template(names, value, f"{pointer}/set"))


def raise_(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]
) -> Raise:
    """`raise`: an error given inline or by its name in use.errors."""
    inner = build.mapping(task["raise"], f"{pointer}/raise", "`raise`")
    build.only(inner, {"error"}, f"{pointer}/raise")
    error, at = inner.get("error"), f"{pointer}/raise/error"
    if isinstance(error, str):
        error = build.reusable("errors", error, at) or {}
    error = build.mapping(error, at, "An error")
    build.only(error, {"type", "status", "title", "detail", "instance"}, at)
    if not isinstance(error.get("status"), int) or isinstance(error.get("status"), bool):
        build.find("structure", f"{at}/status", "An error has a `status`, which is a whole number.")
    build.text(error.get("type"), f"{at}/type", "An error's `type`")
    return Raise(**common, error=build.template(names, error, at))


def wait(build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]) -> Wait:
    """`wait`: a duration, fixed or computed."""
    return Wait(**common, duration=build.length(names, task["wait"], f"{pointer}/wait"))
