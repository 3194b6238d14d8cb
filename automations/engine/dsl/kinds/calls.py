"""Compiling calls: http, functions of the catalog and of the document, sub-workflows; and what is refused."""

import re
from typing import Any, Final

from automations.engine.dsl.builder import COMMON, MAX_DEPTH, Builder
from automations.engine.dsl.expressions import WHOLE, Compiler, Evaluate
from automations.engine.dsl.kinds import mapping, openapi
from automations.engine.dsl.kinds.addresses import address, authentication
from automations.engine.dsl.kinds.flow import Lists
from automations.engine.dsl.program import (
    CallFunction,
    CallHttp,
    CallTask,
    RunWorkflow,
    Task,
)

_REFUSED: Final = {
    "grpc": "Call the service by HTTP, through a connection.",
    "asyncapi": "Receive the messages as webhooks and `listen` for them.",
    "a2a": "Call the agent by HTTP, through a connection.",
    "mcp": "Call the server by HTTP, through a connection.",
}
_REFUSED_RUNS: Final = {
    "shell": "Nothing is run on the host; call a system by HTTP, or use an expression.",
    "script": "Nothing is run on the host; use `set` with an expression.",
    "container": "Nothing is run on the host; call a system by HTTP.",
}
_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
DECIDE: Final = "decide:1"
_VERSIONED: Final = re.compile(r"^([a-z][A-Za-z0-9.]*):(\d+)(?:\.\d+)*@default$")


def call(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any], lists: Lists
) -> Task:
    """`call`: an address, an entry of the default catalog, or a function of the document."""
    what = build.text(task["call"], f"{pointer}/call", "`call`")
    given = build.mapping(task.get("with", {}), f"{pointer}/with", "`with`")
    if what == "http":
        return http(build, given, f"{pointer}/with", names, common)
    if what in _REFUSED:
        build.find(
            f"refused-call-{what}", f"{pointer}/call", f"call: {what} is not run here. {_REFUSED[what]}"
        )
        return Task(**common)
    if what == "openapi":
        return openapi.call(build, given, f"{pointer}/with", names, common)
    if what == f"{mapping.NAME}@default":
        return mapping.map_(build, given, f"{pointer}/with", names, common, lists)
    functions = build.use.get("functions")
    if isinstance(functions, dict) and what in functions:
        return _own_function(build, what, given, pointer, names, common, lists)
    return _catalog_function(build, what, given, pointer, names, common)


def _catalog_function(
    build: Builder, what: str, given: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]
) -> Task:
    match = _VERSIONED.match(what)
    if "://" in what:
        build.find("refused-function-url", f"{pointer}/call", "Functions are not fetched from addresses.")
        return Task(**common)
    if not match:
        known = ", ".join(sorted(f"{name}@default" for name in build.catalog)) or "none"
        build.find(
            "unknown-function", f"{pointer}/call", f"There is no function {what!r}. Known: http, {known}."
        )
        return Task(**common)
    function = build.catalog.get(f"{match.group(1)}:{match.group(2)}")
    if function is None:
        known = ", ".join(sorted(f"{name}@default" for name in build.catalog))
        build.find("unknown-function", f"{pointer}/call", f"The catalog has no {what!r}. It has {known}.")
        return Task(**common)
    build.only(given, function.required | function.optional, f"{pointer}/with")
    for name in sorted(function.required - set(given)):
        build.find("structure", f"{pointer}/with", f"{function.name} needs {name!r}.")
    if function.name == DECIDE and WHOLE.match(str(given.get("table", ""))):
        build.find(
            "structure", f"{pointer}/with/table", "The table is named, not computed, so that it can be found."
        )
    if "form" in given:
        build.schema({"document": given["form"]}, f"{pointer}/with/form")
    return CallFunction(
        **common, function=function, arguments=build.template(names, given, f"{pointer}/with")
    )


def _own_function(
    build: Builder,
    name: str,
    given: dict[str, Any],
    pointer: str,
    names: Compiler,
    common: dict[str, Any],
    lists: Lists,
) -> Task:
    if name in build.calling or len(build.calling) >= MAX_DEPTH:
        build.find("recursion", f"{pointer}/call", f"The function {name!r} calls itself.")
        return Task(**common)
    build.calling.append(name)
    try:
        # a function sees its own input and the context, not the variables around the call
        body = lists([{name: build.use["functions"][name]}], f"{pointer}/function", names.without_names())
    finally:
        build.calling.pop()
    arguments = build.template(names, given, f"{pointer}/with") if given else None
    return CallTask(**common, body=body, arguments=arguments)


def http(
    build: Builder, given: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]
) -> CallHttp:
    """`call: http`: method, address (a relative one starts at the connection's), headers, query, body."""
    build.only(given, {"method", "endpoint", "headers", "body", "query", "output", "redirect"}, pointer)
    method = build.text(given.get("method"), f"{pointer}/method", "`method`").upper()
    if method and method not in _METHODS:
        build.find("structure", f"{pointer}/method", f"{method} is no method; known: {', '.join(_METHODS)}.")
    endpoint = given.get("endpoint")
    proof = None
    if isinstance(endpoint, dict):
        build.only(endpoint, {"uri", "authentication"}, f"{pointer}/endpoint")
        if "authentication" in endpoint:
            at = f"{pointer}/endpoint/authentication"
            proof = authentication(build, endpoint["authentication"], at, names)
        endpoint = endpoint.get("uri")
    uri_text = build.text(endpoint, f"{pointer}/endpoint", "`endpoint`")
    if not WHOLE.match(uri_text) and uri_text.startswith("/") and not (proof and proof.connection):
        build.find(
            "relative-address",
            f"{pointer}/endpoint",
            "A relative address needs the authentication of a connection.",
        )
    if uri_text.startswith("file:"):
        build.find("refused-file", f"{pointer}/endpoint", "Files are not read; call a system by HTTP.")
    output = given.get("output", "content")
    if output not in ("content", "response", "raw"):
        build.find("structure", f"{pointer}/output", "`output` is one of content, response, raw.")
    return CallHttp(
        **common,
        method=method,
        uri=address(build, uri_text, f"{pointer}/endpoint", names),
        headers=_pairs(build, given, "headers", pointer, names),
        query=_pairs(build, given, "query", pointer, names),
        body=build.template(names, given["body"], f"{pointer}/body") if "body" in given else None,
        authentication=proof,
        output=output,
        redirect=bool(given.get("redirect", False)),
        effect=build.effect(common, method),
    )


def _pairs(
    build: Builder, given: dict[str, Any], field: str, pointer: str, names: Compiler
) -> Evaluate | None:
    if field not in given:
        return None
    return build.template(names, given[field], f"{pointer}/{field}")


def run(build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]) -> Task:
    """`run: workflow`; everything else that `run` could do is refused."""
    inner = build.mapping(task["run"], f"{pointer}/run", "`run`")
    for kind, instead in _REFUSED_RUNS.items():
        if kind in inner:
            build.find(f"refused-run-{kind}", f"{pointer}/run/{kind}", instead)
            return Task(**common)
    build.only(inner, {"workflow", "await", "return"}, f"{pointer}/run")
    if inner.get("return", "all") not in ("all", "none"):
        build.find(
            "structure", f"{pointer}/run/return", "A workflow has no streams; `return` is `all` or `none`."
        )
    at = f"{pointer}/run/workflow"
    given = build.mapping(inner.get("workflow"), at, "`workflow`")
    build.only(given, {"namespace", "name", "version", "input"}, at)
    version = str(given.get("version", ""))
    if not version or version == "latest":
        build.find(
            "unpinned-version", f"{at}/version", "Name a version; `latest` would change under a running run."
        )
    name = build.text(given.get("name"), f"{at}/name", "`name`")
    head = build.document.get("document")
    if isinstance(head, dict) and (name, version) == (head.get("name"), head.get("version")):
        build.find("recursion", at, "A workflow cannot run itself; use `for`, or `then` to go back.")
    return RunWorkflow(
        **common,
        workflow=name,
        version=version,
        input=build.template(names, given["input"], f"{at}/input") if "input" in given else None,
        wait=bool(inner.get("await", True)),
        silent=inner.get("return") == "none",
    )


KEYS: Final = {
    "call": COMMON | {"call", "with"},
    "do": COMMON | {"do"},
    "emit": COMMON | {"emit"},
    "for": COMMON | {"for", "while", "do"},
    "fork": COMMON | {"fork"},
    "listen": COMMON | {"listen", "foreach"},
    "raise": COMMON | {"raise"},
    "run": COMMON | {"run"},
    "set": COMMON | {"set"},
    "switch": COMMON | {"switch"},
    "try": COMMON | {"try", "catch"},
    "wait": COMMON | {"wait"},
}
"""The keys that a task of each kind may have."""
