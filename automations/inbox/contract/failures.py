"""Reading what a failed step raised: its class, what the other system said, and what it found wrong, field by field."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from automations.inbox.contract import Problem
from automations.inbox.enums import FAILED, ErrorClass

Json = Any
_STANDARD: Final = re.compile(r"/(?:errors/types|errors)/([\w-]+)$")
_KNOWN: Final = frozenset(
    {
        "configuration",
        "validation",
        "expression",
        "authentication",
        "authorization",
        "timeout",
        "communication",
        "runtime",
    }
)
_OURS: Final = ("open-workflow-specification.org", "serverlessworkflow.io")
_MISSING: Final = re.compile(
    r"\b(?:required|missing|mandatory)\b|\b(?:must not|can ?not|can't|may not|should not) be (?:blank|empty|null)\b"
    r"|\bis (?:blank|empty|null|not set)\b|\bnot (?:given|provided|specified|present)\b",
    re.IGNORECASE,
)
_A_VALUE: Final = re.compile(
    r"\b(?:number|whole|integer|format|digits?|between|at least one)\b", re.IGNORECASE
)
_THERE_ALREADY: Final = re.compile(
    r"\balready\b|\bduplicat|\bnot unique\b|\bmust be unique\b|\bexists\b", re.IGNORECASE
)
_REQUIRED_PROPERTY: Final = re.compile(r"^(\S*?):? ?[\"'](.+)[\"'] is a required property$")
_NAMES: Final = ("pointer", "field", "path", "property", "propertyPath", "name", "attribute", "loc", "param")
_MESSAGES: Final = ("detail", "message", "msg", "reason", "title", "description", "error")
_LISTS: Final = (
    "fields",
    "errors",
    "violations",
    "invalid-params",
    "invalid_params",
    "invalidParams",
    "details",
)
_MOST: Final = 20
_CONTAINERS: Final = frozenset({"body", "query", "data", "attributes", "input", "output"})


def own_kind(error: Mapping[str, Json]) -> str:
    """The kind that a workflow gave an error of its own (`…/needs-approval` is `needs_approval`); else `run_failed`."""
    uri = str(error.get("type") or "")
    if not uri or uri == "about:blank" or _standard(uri) or "request" in error:
        return FAILED
    return (
        re.sub(r"\W+", "_", uri.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]).strip("_").lower()[:60]
        or FAILED
    )


def _standard(uri: str) -> str:
    """The last word of one of the workflow standard's own error types."""
    match = _STANDARD.search(uri)
    known = match is not None and match.group(1) in _KNOWN and (urlsplit(uri).hostname or "").endswith(_OURS)
    return match.group(1) if match is not None and known else ""


def classify(error: Mapping[str, Json], problems: tuple[Problem, ...]) -> ErrorClass:
    """Which class of error this is: by whether its outcome is known, its status, and what the other system said."""
    if error.get("unknown"):
        return ErrorClass.UNKNOWN_OUTCOME
    outside = "request" in error or "response" in error
    standard = _standard(str(error.get("type") or ""))
    if not outside and standard != "validation":
        return ErrorClass.ENGINE
    status = _status(error)
    if standard in ("authentication", "authorization") or status in (401, 403, 407, 451):
        return ErrorClass.PERMISSION
    if status == 429:
        return ErrorClass.RATE_LIMIT
    if status in (413, 414, 431):
        return ErrorClass.TOO_LARGE
    if outside and (status == 408 or status >= 500 or status < 400):
        return ErrorClass.CONNECTION
    if status == 409 and _THERE_ALREADY.search(said(error)):
        return ErrorClass.DUPLICATE
    if status in (404, 410) and not problems:
        return ErrorClass.MISSING_DATA
    if problems:
        return ErrorClass.MISSING_DATA if all(one.missing for one in problems) else ErrorClass.INVALID_VALUE
    return ErrorClass.MISSING_DATA if _is_missing(said(error)) else ErrorClass.INVALID_VALUE


def _status(error: Mapping[str, Json]) -> int:
    status = error.get("status")
    return int(status) if isinstance(status, (int, float)) and not isinstance(status, bool) else 0


def status_answered(error: Mapping[str, Json]) -> int:
    """The status that the other system answered with; 0 if it did not answer."""
    outside = "request" in error and not str(error.get("detail") or "").startswith("HTTP ")
    return 0 if outside else _status(error)


def _is_missing(message: str) -> bool:
    return bool(_MISSING.search(message)) and not _A_VALUE.search(message)


def said(error: Mapping[str, Json]) -> str:
    """What the other system (or the workflow) said, as one line without `HTTP 422:` before it."""
    detail = re.sub(r"^HTTP \d{3}(?:: )?", "", str(error.get("detail") or ""))
    response = error.get("response")
    if not detail and isinstance(response, str):
        detail = re.sub(r"<[^>]*>|\s+", " ", response)
    return " ".join(detail.split())[:500]


def problems_of(error: Mapping[str, Json]) -> tuple[Problem, ...]:
    """What is wrong, place by place, in any of the shapes in which APIs say so; nothing if they do not."""
    response = error.get("response")
    found = list(_in_body(response)) if isinstance(response, Mapping) else []
    if not found and isinstance(error.get("pointer"), str):
        found = [_own_finding(error)]
    unique = {(one.pointer, one.message): one for one in found}
    return tuple(list(unique.values())[:_MOST])


def _in_body(body: Mapping[str, Json], depth: int = 0) -> list[Problem]:
    found: list[Problem] = []
    for name in _LISTS:
        value = body.get(name)
        if isinstance(value, Mapping):
            found += [_problem(key, text) for key, texts in value.items() for text in _texts(texts)]
        elif isinstance(value, list):
            found += [one for entry in value for one in _entry(entry)]
    if not found and isinstance(body.get("detail"), list):
        found += [one for entry in body["detail"] for one in _entry(entry)]
    if not found and depth == 0 and isinstance(body.get("error"), Mapping):
        return _in_body(body["error"], 1)
    return found


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    if isinstance(value, Mapping):
        return [str(value[name]) for name in _MESSAGES if isinstance(value.get(name), str)][:1]
    return []


def _entry(entry: Json) -> list[Problem]:
    """A problem in a list: words alone, or an object that names a place one way or the other."""
    if isinstance(entry, str):
        return [_problem("", entry)]
    if not isinstance(entry, Mapping):
        return []
    source = entry.get("source")
    places = [entry.get(name) for name in _NAMES]
    if isinstance(source, Mapping):
        places.insert(0, source.get("pointer") or source.get("parameter"))
    named: list[str | list[Json]] = [one for one in places if isinstance(one, (str, list)) and one]
    place = named[0] if named else ""
    text = next(iter(_texts(entry)), "")
    return [_problem(place, text)] if text or place else []


def _problem(place: str | list[Json], text: str) -> Problem:
    parts = (
        [str(part) for part in place]
        if isinstance(place, list)
        else re.split(r"[./\[\]]+", str(place).lstrip("#$"))
    )
    parts = [part for part in parts if part]
    while len(parts) > 1 and parts[0] in _CONTAINERS:
        parts = parts[1:]
    message = " ".join(str(text).split())[:300]
    return Problem("".join(f"/{part}" for part in parts), message, missing=_is_missing(message))


def _own_finding(error: Mapping[str, Json]) -> Problem:
    """What the workflow's own schema found: `input/shipping_address: "postcode" is a required property`."""
    detail, pointer = str(error.get("detail") or ""), str(error["pointer"])
    base = "" if pointer == "/" else pointer
    match = _REQUIRED_PROPERTY.match(detail)
    if match:
        return Problem(f"{base}/{match.group(2)}", _("is required"), missing=True)
    message = detail.split(": ", 1)[-1]
    return Problem(base, message, missing=_is_missing(message))
