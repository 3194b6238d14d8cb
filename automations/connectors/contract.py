"""What a connector is: data about one kind of system, from which forms, calls, tests and pages follow.

A vendor's folder holds one `CONNECTOR`. Nothing here knows of tenants, rows or the network.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import jsonschema_rs

from automations.connectors.enums import AuthKind, Effect, ErrorClass
from automations.connectors.errors import AuthNotSupported, InputWrong
from kernel.jsonx import Json

_IN_PATH: Final = re.compile(r"\{([a-z_]+)\}")
_LONGEST_MESSAGE: Final = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a value breaks its schema: JSON pointer and what is wrong there."""

    pointer: str
    message: str


class Schema:
    """A JSON Schema (2020-12) that was compiled once; formats count."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        self._validator = jsonschema_rs.Draft202012Validator(self.document, validate_formats=True)

    def findings(self, value: Json, *, limit: int = 20) -> list[Finding]:
        """Where `value` breaks the schema, at most `limit` places; nothing if it is valid."""
        if self._validator.is_valid(value):
            return []
        found = []
        for error in self._validator.iter_errors(value):
            found.append(Finding(_pointer(error.instance_path), error.message[:_LONGEST_MESSAGE]))
            if len(found) == limit:
                break
        return found


def _pointer(path: Sequence[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


@dataclass(frozen=True)
class Auth:
    """One way to sign in: what its secret is called, and the header it becomes.

    `header` names the header of an API key; settings may name another under `header`.
    """

    kind: AuthKind
    secret_label: str = ""
    header: str = "X-Api-Key"

    @property
    def needs_secret(self) -> bool:
        """Whether calls need a secret at all."""
        return self.kind != AuthKind.NONE

    def headers(self, settings: Mapping[str, Any], secret: str) -> dict[str, str]:
        """The headers that sign a call in. Raises AuthNotSupported."""
        match self.kind:
            case AuthKind.NONE:
                return {}
            case AuthKind.API_KEY:
                return {str(settings.get("header") or self.header): secret}
            case AuthKind.BEARER:
                return {"Authorization": f"Bearer {secret}"}
            case AuthKind.BASIC:
                pair = f"{settings.get('username', '')}:{secret}".encode()
                return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            case _:
                raise AuthNotSupported(f"{self.kind.label} cannot be used yet")


@dataclass(frozen=True)
class Call:
    """A request that an operation makes of its input; `path` carries its query, `body` is JSON to be."""

    method: str
    path: str
    body: Json = None


@dataclass(frozen=True)
class Operation:
    """One thing that a system does on request. Input that is in neither path nor query is the body."""

    name: str
    title: str
    method: str
    path: str
    input: Schema
    output: Schema
    effect: Effect
    query: tuple[str, ...] = ()
    idempotency_header: str = ""
    version: int = 1

    def call(self, values: Mapping[str, Json]) -> Call:
        """The request for `values`. Raises InputWrong, naming each place."""
        if found := self.input.findings(dict(values)):
            raise InputWrong(
                f"{self.name}: {found[0].pointer or '/'}: {found[0].message}",
                fields={finding.pointer: [finding.message] for finding in found},
            )
        in_path = set(_IN_PATH.findall(self.path))
        path = _IN_PATH.sub(lambda match: quote(str(values[match[1]]), safe=""), self.path)
        asked = {name: str(values[name]) for name in self.query if values.get(name) is not None}
        rest = {name: value for name, value in values.items() if name not in in_path | set(self.query)}
        return Call(
            method=self.method,
            path=f"{path}?{urlencode(asked)}" if asked else path,
            body=rest if self.method in ("POST", "PUT", "PATCH") else None,
        )


@dataclass(frozen=True)
class Probe:
    """The call behind "Test connection": safe, cheap, and answered with one of `expect` when all is well."""

    path: str
    method: str = "GET"
    expect: frozenset[int] = frozenset({200})


@dataclass(frozen=True)
class Delivery:
    """A webhook as it came: headers (a mapping that ignores case) and the raw body."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """The header's value, or an empty text."""
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Arrival:
    """An event that a delivery tells of, in canonical form.

    `source` is empty where the endpoint says it; `time` None where the sender named none; `digest` tells this
    event's delivered form from another under the same id (empty: the whole body's is taken).
    """

    id: str
    type: str
    subject: str
    time: datetime | None
    data: Json
    source: str = ""
    extensions: Mapping[str, Json] = field(default_factory=dict)
    digest: bytes = b""


@dataclass(frozen=True)
class Flaw:
    """A part of a batch that is no event: what is wrong with which attribute, and the part as it came."""

    attribute: str
    reason: str
    body: Json


@dataclass(frozen=True)
class Inbound:
    """How a system's webhooks are proved and read.

    `verify(delivery, secrets, now)` raises SignatureMissing, SignatureWrong or TimestampStale. `read(delivery)` gives
    the events it tells of, none where the topic is not one of ours; it raises Nonsense (400) where the body is not
    what the system sends. `signs_id`: the signature covers the id, so a known id proves a replay; otherwise the
    signed body is compared as well. `new_secret` makes a secret, `check_secret` raises ValueError for one that is
    too weak. `topics` maps what the sender calls it to our event types, for people.
    """

    verify: Callable[[Delivery, Sequence[str], datetime], None]
    read: Callable[[Delivery], Sequence[Arrival | Flaw]]
    new_secret: Callable[[], str]
    check_secret: Callable[[str], None]
    signs_id: bool
    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Connector:
    """One kind of system. `settings` has `base_url` where the connector calls out."""

    name: str
    title: str
    icon: str
    category: str
    summary: str
    settings: Schema
    auth: tuple[Auth, ...] = ()
    operations: tuple[Operation, ...] = ()
    probe: Probe | None = None
    inbound: Inbound | None = None
    errors: Mapping[int, ErrorClass] = field(default_factory=dict)

    def auth_of(self, kind: str) -> Auth | None:
        """The way to sign in of this kind, if the connector has it."""
        return next((auth for auth in self.auth if auth.kind == kind), None)

    def operation(self, name: str, version: int = 1) -> Operation | None:
        """The operation of this name and version, if there is one."""
        wanted = (op for op in self.operations if op.name == name and op.version == version)
        return next(wanted, None)

    def error_class(self, status: int) -> ErrorClass | None:
        """What an answer with `status` means; None for a success."""
        if status in self.errors:
            return self.errors[status]
        if 200 <= status < 300:
            return None
        return _BY_STATUS.get(status, ErrorClass.BROKEN if status >= 500 else ErrorClass.REFUSED)


_BY_STATUS: Final[Mapping[int, ErrorClass]] = {
    401: ErrorClass.SIGN_IN,
    403: ErrorClass.SIGN_IN,
    404: ErrorClass.NOT_FOUND,
    408: ErrorClass.BUSY,
    409: ErrorClass.CONFLICT,
    410: ErrorClass.NOT_FOUND,
    425: ErrorClass.BUSY,
    429: ErrorClass.BUSY,
    500: ErrorClass.BROKEN,
    502: ErrorClass.BUSY,
    503: ErrorClass.BUSY,
    504: ErrorClass.BUSY,
}
