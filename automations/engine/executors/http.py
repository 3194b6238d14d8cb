"""Carrying out HTTP calls: the connection's address and credentials are added here, at the last moment."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from uuid import UUID

from automations.engine.machine.moves import Effect, Outcome
from kernel import cards, jsonx, secrets
from kernel.http import Answer, Client, EgressRefused, NoAnswer

Json = Any
_REDIRECTS: Final = 5
_JSON: Final = re.compile(r"^application/(?:[\w.+-]+\+)?json(?:;|$)", re.IGNORECASE)
_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SIGNS: Final = frozenset({"authorization", "cookie"})
SECONDS: Final = 30.0
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Signed:
    """A connection ready for calls: where it leads, the headers that sign a call in, how many it takes at a time."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    id: UUID = _NOBODY
    places: int = 0

    def scrubbed(self, answer: Answer) -> Answer:
        """`answer` without our credentials, which some systems echo: what comes in is kept in the journal."""
        values = [part for value in self.headers.values() for part in _parts(value)]
        return replace(
            answer,
            headers={name: secrets.scrub(text, values) for name, text in answer.headers.items()},
            body=secrets.scrub(answer.body, values),
        )


async def send(client: Client, effect: Effect, connection: Signed | None) -> Outcome:
    """Carry out one call and tell how it went; never raises for what the other side does."""
    request = effect.request
    try:
        uri, headers, body = _prepare(effect, connection)
    except ValueError as error:
        return Outcome(refused=str(error))
    method = request["method"]
    for _ in range(_REDIRECTS + 1):
        try:
            answer = await client.send(
                method, uri, headers=headers, body=body, seconds=min(effect.seconds or SECONDS, SECONDS)
            )
        except EgressRefused as error:
            return Outcome(refused=error.message)
        except NoAnswer as error:
            return Outcome(error=error.message, unknown=method in _UNSAFE)
        if connection is not None:
            answer = connection.scrubbed(answer)
        target = answer.headers.get("location", "")
        if not (request.get("redirect") and 300 <= answer.status < 400 and target):
            raw = bool(request.get("raw")) and 200 <= answer.status < 300
            if raw:
                return Outcome(answer.status, dict(answer.headers), base64.b64encode(answer.body).decode())
            # what a system answers is kept in the journal: no card number is
            content = cards.masked_data(_content(answer.body, answer.headers))
            return Outcome(answer.status, dict(answer.headers), content)
        following, headers = _redirected(uri, target, headers, connection)
        if urlsplit(uri).scheme == "https" != urlsplit(following).scheme:
            return Outcome(refused="a redirect that leaves https is not followed")
        uri = following
    return Outcome(error=f"more than {_REDIRECTS} redirects")


def _prepare(effect: Effect, connection: Signed | None) -> tuple[str, dict[str, str], bytes | None]:
    request = effect.request
    headers = {
        "accept": "application/json",
        **{name.lower(): value for name, value in request["headers"].items()},
    }
    body: bytes | None = None
    if "body" in request:
        given = request["body"]
        body = given.encode() if isinstance(given, str) else jsonx.dumps(given)
        headers.setdefault("content-type", "text/plain" if isinstance(given, str) else "application/json")
    if request["method"] in _UNSAFE:
        headers.setdefault("idempotency-key", effect.key)
    uri = request["uri"]
    if connection is not None:
        uri = _inside(connection.base_url, uri)
        headers.update({name.lower(): value for name, value in connection.headers.items()})
    elif request.get("connection"):
        raise ValueError(f"no connection is chosen for {request['connection']!r}")
    elif request.get("credentials"):
        headers["authorization"] = _inline(request["scheme"], request["credentials"])
    return uri, headers, body


def _inside(base_url: str, uri: str) -> str:
    """`uri` below the connection's address; credentials go to that host and to no other."""
    base = base_url if base_url.endswith("/") else f"{base_url}/"
    full = urljoin(base, uri.lstrip("/")) if not urlsplit(uri).scheme else uri
    wanted, got = urlsplit(base), urlsplit(full)
    if (wanted.scheme, wanted.netloc) != (got.scheme, got.netloc):
        raise ValueError(f"the connection is for {wanted.netloc}, not for {got.netloc}")
    return full


def _inline(scheme: str, values: dict[str, Json]) -> str:
    if scheme == "basic":
        pair = f"{values.get('username', '')}:{values.get('password', '')}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    if scheme == "bearer":
        return f"Bearer {values.get('token', '')}"
    raise ValueError(f"{scheme} needs a connection")


def _redirected(
    uri: str, target: str, headers: dict[str, str], connection: Signed | None
) -> tuple[str, dict[str, str]]:
    """Where a redirect leads; to another host, or from https to http, nothing that authenticates goes along."""
    following = urljoin(uri, target)
    if urlsplit(following)[:2] != urlsplit(uri)[:2]:
        ours = {name.lower() for name in connection.headers} if connection else set()
        headers = {name: value for name, value in headers.items() if name not in _SIGNS | ours}
    return following, headers


def _parts(value: str) -> list[str]:
    """A header's value, what stands behind its scheme, and the password of `Basic`."""
    scheme, _, rest = value.partition(" ")
    found = [value, rest] if rest else [value]
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest).decode().partition(":")
        except ValueError:
            return found
        found += [f"{user}:{password}", password]
    return found


def _content(body: bytes, headers: Any) -> Json:
    """JSON parsed, text as text, anything else in base64."""
    kind = headers.get("content-type", "")
    if not body:
        return None
    if _JSON.match(kind):
        try:
            return jsonx.loads(body)
        except ValueError:
            return body.decode("utf-8", "replace")
    if kind.startswith("text/") or not kind:
        return body.decode("utf-8", "replace")
    return base64.b64encode(body).decode()
