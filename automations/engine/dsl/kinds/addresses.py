"""Compiling where a call goes and how it proves who it is: addresses with places, authentication by connection."""

import re
from typing import Any, Final
from urllib.parse import quote

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import WHOLE, Compiler, Evaluate
from automations.engine.dsl.program import Authentication
from automations.engine.errors import WorkflowError

_PLACE: Final = re.compile(r"\{(\w+)\}")
SCHEMES: Final = ("basic", "bearer", "digest", "oauth2", "oidc")


def address(build: Builder, text: str, pointer: str, names: Compiler) -> Evaluate:
    """An expression, or a template whose `{name}` parts are fields of the input, percent-encoded."""
    if WHOLE.match(text):
        return build.expression(names, text, pointer)
    parts = _PLACE.split(text)
    if len(parts) == 1:
        return lambda _input, _arguments: text

    def fill(given: Any, _arguments: Any) -> str:
        return "".join(part if number % 2 == 0 else _scalar(given, part) for number, part in enumerate(parts))

    return fill


def _scalar(given: Any, name: str) -> str:
    value = given.get(name) if isinstance(given, dict) else None
    if isinstance(value, (dict, list)):
        raise WorkflowError("expression", f"{name} in the address is no single value")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(str(value), safe="")


def authentication(build: Builder, value: Any, pointer: str, names: Compiler) -> Authentication:
    value = build.mapping(value, pointer, "`authentication`")
    if "use" in value:
        build.only(value, {"use"}, pointer)
        name = build.text(value["use"], f"{pointer}/use", "`use`")
        policy = build.reusable("authentications", name, f"{pointer}/use")
        if policy is None:
            return Authentication()
        return _policy(build, policy, f"/use/authentications/{name}", names)
    return _policy(build, value, pointer, names)


def _policy(build: Builder, value: Any, pointer: str, names: Compiler) -> Authentication:
    """A policy that names a connection (`bearer: {use: erp}`), or inline credentials where those are allowed."""
    value = build.mapping(value, pointer, "An authentication")
    schemes = [scheme for scheme in SCHEMES if scheme in value]
    if len(schemes) != 1:
        build.find("structure", pointer, "Say one of basic, bearer, digest, oauth2, oidc.")
        return Authentication()
    scheme = schemes[0]
    inner = build.mapping(value[scheme], f"{pointer}/{scheme}", f"`{scheme}`")
    if "use" in inner:
        alias = build.text(inner["use"], f"{pointer}/{scheme}/use", "`use`")
        declared = build.use.get("secrets")
        if isinstance(declared, list) and alias not in declared:
            build.find("unknown-reference", f"{pointer}/{scheme}/use", f"use.secrets has no {alias!r}.")
        build.connections.add(alias)
        return Authentication(connection=alias, scheme=scheme)
    if not build.inline_credentials:
        build.find(
            "inline-credentials",
            f"{pointer}/{scheme}",
            "Credentials do not stand in a definition, which people can read; name a connection with `use`.",
        )
        return Authentication()
    return Authentication(scheme=scheme, values=build.template(names, inner, f"{pointer}/{scheme}"))
