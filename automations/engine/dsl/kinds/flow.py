"""Compiling tasks that steer: switch, do, for, try, fork."""

from collections.abc import Callable
from typing import Any, Literal

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import WHOLE, Compiler
from automations.engine.dsl.program import Do, For, Fork, Retry, Switch, TaskList, Try

Lists = Callable[[Any, str, Compiler], TaskList]
"""Compiles a list of tasks; given by the walker, which knows all kinds."""


def switch(
    build: Builder,
    task: dict[str, Any],
    pointer: str,
    names: Compiler,
    common: dict[str, Any],
    index: dict[str, int],
) -> Switch:
    """`switch`: conditions in order; at most one case without a condition, the default."""
    cases, defaults = [], 0
    entries = task["switch"]
    if not isinstance(entries, list) or not entries:
        build.find("structure", f"{pointer}/switch", "`switch` takes a list of cases.")
        entries = []
    for number, entry in enumerate(entries):
        at = f"{pointer}/switch/{number}"
        entry = build.mapping(entry, at, "A case")
        if len(entry) != 1:
            build.find("structure", at, "A case is a mapping with one key, its name.")
            continue
        ((name, case),) = entry.items()
        case = build.mapping(case, f"{at}/{name}", "A case")
        build.only(case, {"when", "then"}, f"{at}/{name}")
        test = build.test(names, case["when"], f"{at}/{name}/when") if "when" in case else None
        defaults += test is None
        cases.append((name, test, build.go(case.get("then"), index, f"{at}/{name}/then")))
    if defaults > 1:
        build.find("structure", f"{pointer}/switch", "Only one case may stand without `when`.")
    return Switch(**common, cases=tuple(sorted(cases, key=lambda case: case[1] is None)))


def do(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any], lists: Lists
) -> Do:
    """`do`: a list of its own."""
    return Do(**common, body=lists(task["do"], f"{pointer}/do", names))


def for_(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any], lists: Lists
) -> For:
    """`for`: the list once for each item."""
    inner = build.mapping(task["for"], f"{pointer}/for", "`for`")
    build.only(inner, {"each", "in", "at"}, f"{pointer}/for")
    each = build.variable(inner.get("each", "item"), f"{pointer}/for/each")
    at = build.variable(inner.get("at", "index"), f"{pointer}/for/at")
    if "in" not in inner:
        build.find("structure", f"{pointer}/for/in", "`for` needs `in`, an expression that gives an array.")
    body_names = names.with_names(each, at)
    return For(
        **common,
        body=lists(task.get("do"), f"{pointer}/do", body_names),
        items=build.either(names, inner.get("in", "[]"), f"{pointer}/for/in"),
        each=each,
        at=at,
        go_on=build.test(body_names, task["while"], f"{pointer}/while") if "while" in task else None,
    )


def try_(
    build: Builder,
    task: dict[str, Any],
    pointer: str,
    names: Compiler,
    common: dict[str, Any],
    lists: Lists,
    index: dict[str, int],
) -> Try:
    """`try`: the list, and what is done about its errors."""
    at = f"{pointer}/catch"
    catch = build.mapping(task.get("catch"), at, "`catch`")
    build.only(catch, {"errors", "as", "when", "exceptWhen", "retry", "do", "then"}, at)
    errors = build.mapping(catch.get("errors", {}), f"{at}/errors", "`errors`")
    build.only(errors, {"with"}, f"{at}/errors")
    wanted = build.mapping(errors.get("with", {}), f"{at}/errors/with", "`with`")
    build.only(wanted, {"type", "status", "instance", "title", "detail", "details"}, f"{at}/errors/with")
    for name, value in wanted.items():
        if isinstance(value, str) and WHOLE.match(value):
            build.find(
                "static-filter",
                f"{at}/errors/with/{name}",
                "Errors are filtered by fixed values; put an expression into `when`.",
            )
    error_as = build.variable(catch.get("as", "error"), f"{at}/as")
    inside = names.with_names(error_as)
    retry = catch.get("retry")
    if isinstance(retry, str):
        retry = build.reusable("retries", retry, f"{at}/retry")
    return Try(
        **common,
        body=lists(task["try"], f"{pointer}/try", names),
        filter={("detail" if key == "details" else key): value for key, value in wanted.items()},
        error_as=error_as,
        when=build.test(inside, catch["when"], f"{at}/when") if "when" in catch else None,
        except_when=build.test(inside, catch["exceptWhen"], f"{at}/exceptWhen")
        if "exceptWhen" in catch
        else None,
        retry=_retry(build, retry, f"{at}/retry", inside) if retry is not None else None,
        handler=lists(catch["do"], f"{at}/do", inside) if "do" in catch else None,
        handler_then=build.go(catch["then"], index, f"{at}/then") if "then" in catch else None,
    )


def _retry(build: Builder, value: Any, pointer: str, names: Compiler) -> Retry:
    value = build.mapping(value, pointer, "A retry policy")
    build.only(value, {"when", "exceptWhen", "delay", "backoff", "limit", "jitter"}, pointer)
    limit = build.mapping(value.get("limit", {}), f"{pointer}/limit", "`limit`")
    build.only(limit, {"attempt", "duration"}, f"{pointer}/limit")
    attempt = build.mapping(limit.get("attempt", {}), f"{pointer}/limit/attempt", "`attempt`")
    build.only(attempt, {"count", "duration"}, f"{pointer}/limit/attempt")
    count = attempt.get("count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
        build.find("structure", f"{pointer}/limit/attempt/count", "`count` is a whole number from 0 on.")
        count = 0
    if count is None and "duration" not in limit:
        build.find("unbounded-retry", pointer, "Say where it ends: limit.attempt.count or limit.duration.")
    jitter = value.get("jitter")
    spread = None
    if jitter is not None:
        jitter = build.mapping(jitter, f"{pointer}/jitter", "`jitter`")
        spread = (
            build.duration(jitter.get("from"), f"{pointer}/jitter/from"),
            build.duration(jitter.get("to"), f"{pointer}/jitter/to"),
        )
    return Retry(
        when=build.test(names, value["when"], f"{pointer}/when") if "when" in value else None,
        except_when=build.test(names, value["exceptWhen"], f"{pointer}/exceptWhen")
        if "exceptWhen" in value
        else None,
        delay=build.duration(value["delay"], f"{pointer}/delay") if "delay" in value else 0.0,
        backoff=_backoff(build, value.get("backoff"), f"{pointer}/backoff"),
        count=count,
        attempt_duration=build.duration(attempt["duration"], f"{pointer}/limit/attempt/duration")
        if "duration" in attempt
        else None,
        duration=build.duration(limit["duration"], f"{pointer}/limit/duration")
        if "duration" in limit
        else None,
        jitter=spread,
    )


def _backoff(build: Builder, value: Any, pointer: str) -> Literal["constant", "linear", "exponential"]:
    if value is None:
        return "constant"
    value = build.mapping(value, pointer, "`backoff`")
    for kind in ("constant", "linear", "exponential"):
        if list(value) == [kind]:
            return kind
    build.find("structure", pointer, "`backoff` is one of constant, linear, exponential.")
    return "constant"


def fork(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any], lists: Lists
) -> Fork:
    """`fork`: each branch becomes a list of one task, so that no branch can jump to another."""
    inner = build.mapping(task["fork"], f"{pointer}/fork", "`fork`")
    build.only(inner, {"branches", "compete"}, f"{pointer}/fork")
    entries = inner.get("branches")
    if not isinstance(entries, list) or not entries:
        build.find("structure", f"{pointer}/fork/branches", "`branches` is a list of tasks.")
        entries = []
    if len(entries) > 64:
        build.find("limit", f"{pointer}/fork/branches", "At most 64 branches.")
    branches = []
    for number, entry in enumerate(entries):
        at = f"{pointer}/fork/branches/{number}"
        if isinstance(entry, dict) and any(
            isinstance(branch, dict) and branch.get("then") not in (None, "continue", "exit", "end")
            for branch in entry.values()
        ):
            build.find("then-target", at, "A branch cannot go to another branch.")
            continue
        branches.append(lists([entry], at, names))
    return Fork(**common, branches=tuple(branches), compete=bool(inner.get("compete", False)))
