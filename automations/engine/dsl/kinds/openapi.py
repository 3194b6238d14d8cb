"""Compiling `call: openapi`: the operation is looked up in the document that publishing fetched, and becomes a call."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urljoin

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import Compiler, Evaluate
from automations.engine.dsl.kinds.addresses import authentication
from automations.engine.dsl.program import CallHttp, Task, Unfetched

Json = Any
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_PLACES: Final = ("path", "query", "header")
BODY: Final = "body"
"""The parameter that carries the request's body, where the operation takes one."""


def call(
    build: Builder, given: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]
) -> Task:
    """`call: openapi`; without the document (a check before anything is fetched) only what stands here is looked at."""
    build.only(
        given, {"document", "operationId", "parameters", "authentication", "output", "redirect"}, pointer
    )
    operation_id = build.text(given.get("operationId"), f"{pointer}/operationId", "`operationId`")
    parameters = build.mapping(given.get("parameters") or {}, f"{pointer}/parameters", "`parameters`")
    output = given.get("output", "content")
    if output not in ("content", "response", "raw"):
        build.find("structure", f"{pointer}/output", "`output` is one of content, response, raw.")
    proof = None
    if "authentication" in given:
        proof = authentication(build, given["authentication"], f"{pointer}/authentication", names)
    address = build.resource(given.get("document"), f"{pointer}/document")
    document = build.fetched(address, f"{pointer}/document")
    if document is None:
        build.template(names, parameters, f"{pointer}/parameters")
        return Unfetched(**common, address=address)
    found = _find(document, operation_id)
    if found is None:
        known = ", ".join(sorted(_operation_ids(document))[:20]) or "no operation with an id"
        build.find(
            "unknown-operation",
            f"{pointer}/operationId",
            f"The document has no operation {operation_id!r}. It has {known}.",
        )
        return Unfetched(**common, address=address)
    method, path, shape = found
    places = _Places(build, document, shape, parameters, f"{pointer}/parameters", names)
    base = "" if proof is not None and proof.connection else _server(document, address)
    return CallHttp(
        **common,
        method=method,
        uri=_uri(base, path, places.of("path")),
        headers=places.of("header"),
        query=places.of("query"),
        body=places.body(),
        authentication=proof,
        output=output,
        redirect=bool(given.get("redirect", False)),
        effect=build.effect(common, method),
    )


class _Places:
    """Where each given parameter goes, by what the operation declares."""

    def __init__(
        self,
        build: Builder,
        document: Json,
        shape: Mapping[str, Json],
        given: Mapping[str, Json],
        pointer: str,
        names: Compiler,
    ) -> None:
        self._build, self._names, self._pointer = build, names, pointer
        self._given = given
        self._declared = {
            str(entry["name"]): entry
            for entry in (_resolved(document, one) for one in shape.get("parameters") or [])
            if isinstance(entry, dict) and "name" in entry
        }
        request = _resolved(document, shape.get("requestBody"))
        self._body_name = next((n for n, e in self._declared.items() if e.get("in") == "body"), "")
        if isinstance(request, dict):
            self._body_name = BODY
            self._declared[BODY] = {"name": BODY, "in": "body", "required": bool(request.get("required"))}
        self._check()

    def _check(self) -> None:
        for name in self._given:
            if name not in self._declared:
                known = ", ".join(sorted(self._declared)) or "none"
                self._build.find(
                    "unknown-parameter",
                    f"{self._pointer}/{name}",
                    f"The operation has no parameter {name!r}; it has {known}.",
                )
        for name, entry in sorted(self._declared.items()):
            if entry.get("in") in ("cookie", "formData"):
                if name in self._given:
                    self._build.find(
                        "unsupported",
                        f"{self._pointer}/{name}",
                        "Parameters in cookies and forms are not sent; use call: http.",
                    )
            elif entry.get("required") and name not in self._given:
                self._build.find("structure", self._pointer, f"The operation needs {name!r}.")

    def of(self, place: str) -> Evaluate | None:
        """The given parameters of one place as one object; None without any."""
        found = {
            name: value
            for name, value in self._given.items()
            if self._declared.get(name, {}).get("in") == place
        }
        if not found:
            return None
        template = self._build.template(self._names, found, self._pointer)
        joined = [name for name in found if place == "query" and not _repeated(self._declared[name])]
        return _joining(template, joined) if joined else template

    def body(self) -> Evaluate | None:
        """The request's body, if one is given."""
        if not self._body_name or self._body_name not in self._given:
            return None
        return self._build.template(
            self._names, self._given[self._body_name], f"{self._pointer}/{self._body_name}"
        )


def _repeated(entry: Mapping[str, Json]) -> bool:
    """Whether a list goes into the query as one pair an item; else it is joined by commas."""
    if "collectionFormat" in entry or "type" in entry:  # Swagger 2
        return bool(entry.get("collectionFormat") == "multi")
    return bool(entry.get("explode", entry.get("style", "form") == "form"))


def _joining(template: Evaluate, names: list[str]) -> Evaluate:
    def build(given: Json, arguments: Mapping[str, Json]) -> Json:
        values = dict(template(given, arguments))
        for name in names:
            if isinstance(values[name], list):
                values[name] = ",".join(_word(item) for item in values[name])
        return values

    return build


def _uri(base: str, path: str, values: Evaluate | None) -> Evaluate:
    whole = f"{base.rstrip('/')}/{path.lstrip('/')}"
    if values is None:
        return lambda _input, _arguments: whole

    def fill(given: Json, arguments: Mapping[str, Json]) -> str:
        uri = whole
        for name, value in values(given, arguments).items():
            uri = uri.replace("{" + name + "}", quote(_word(value), safe=""))
        return uri

    return fill


def _word(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _operations(document: Json, with_path: Callable[[str, str, Json, Json], Json]) -> list[Json]:
    paths = document.get("paths") if isinstance(document, dict) else None
    items = [(path, _resolved(document, item)) for path, item in (paths or {}).items()]
    return [
        with_path(method.upper(), path, item, item[method])
        for path, item in items
        for method in _METHODS
        if isinstance(item, dict) and isinstance(item.get(method), dict)
    ]


def _operation_ids(document: Json) -> list[str]:
    names = _operations(document, lambda _m, _p, _item, operation: operation.get("operationId"))
    return [name for name in names if name]


def _find(document: Json, operation_id: str) -> tuple[str, str, dict[str, Json]] | None:
    """Method, path and shape (with the path's own parameters) of an operation."""

    def shaped(method: str, path: str, item: Json, operation: Json) -> Json:
        parameters = [*(item.get("parameters") or []), *(operation.get("parameters") or [])]
        return operation.get("operationId"), (method, path, {**operation, "parameters": parameters})

    return next((found for name, found in _operations(document, shaped) if name == operation_id), None)


def _resolved(document: Json, value: Json) -> Json:
    """`value`, or what its `$ref` inside the document points to."""
    for _ in range(8):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return value
        value = document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _server(document: Json, address: str) -> str:
    """Where the operations are: the first server, or Swagger's host and base path, seen from the document."""
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        url = str(servers[0].get("url", "/"))
        for name, variable in (servers[0].get("variables") or {}).items():
            url = url.replace("{" + name + "}", str(variable.get("default", "")))
        return urljoin(address, url)
    own = address.partition("://")[0]
    schemes = document.get("schemes") or [own]
    scheme = own if own in schemes else schemes[0]
    host = document.get("host") or address.partition("://")[2].partition("/")[0]
    return f"{scheme}://{host}{document.get('basePath') or ''}"
