"""CloudEvents 1.0 over HTTP, signed as Standard Webhooks has it: proof, then envelope, both pure.

Structured, batch and binary mode are read into the same form. What is wrong is said with the attribute's name: for a
delivery of one event as an error, inside a batch as a flaw of that one part.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn
from urllib.parse import unquote

import orjson

from automations.connectors.contract import Arrival, Delivery, Flaw, Inbound
from automations.connectors.errors import SignatureMissing, SignatureWrong, TimestampStale
from automations.events.errors import NotAnEvent, WrongMediaType
from kernel import clock, jsonx
from kernel.errors import Invalid
from kernel.jsonx import Json

TOLERANCE_SECONDS: Final = 300
BATCH_MOST: Final = 1_000
RESERVED_TYPES: Final = "portal."
RESERVED_SOURCES: Final = ("/portal", "/engine")
RESERVED_EXTENSIONS: Final = "portal"

_PREFIX: Final = "whsec_"
_SIGNATURES_MOST: Final = 10
_LONGEST: Final = {"id": 200, "source": 200, "type": 120, "subject": 200}
_ATTRIBUTES: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"}
)
_DATA: Final = ("data", "data_base64")
_EXTENSION: Final = re.compile(r"^[a-z0-9]{1,40}$")
_EXTENSIONS_MOST, _EXTENSION_LONGEST = 32, 1_024
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_URI_REFERENCE: Final = re.compile(r'^[^\s<>"{}|\\^`]+$')
_URI: Final = re.compile(r'^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]*$')
_MEDIA_TYPE: Final = re.compile(r"^[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;.*)?$", re.ASCII)
_RFC3339: Final = re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class _Flawed(Exception):
    """An attribute is wrong; becomes an error or a flaw."""

    def __init__(self, attribute: str, reason: str) -> None:
        super().__init__(f"{attribute}: {reason}")
        self.attribute, self.reason = attribute, reason


def new_secret() -> str:
    """A signing secret of 256 bits in the form of Standard Webhooks."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(secret: str) -> None:
    """Refuse a secret that Standard Webhooks would not allow. Raises ValueError."""
    try:
        size = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except binascii.Error:
        size = 0
    if not secret.startswith(_PREFIX) or not 24 <= size <= 64:
        raise ValueError("a secret is whsec_ and 24 to 64 bytes in base64")


def verify(delivery: Delivery, keys: Sequence[str], now: datetime) -> None:
    """Check the signatures of Standard Webhooks over id, timestamp and raw body, scheme `v1` alone.

    Raises SignatureMissing, SignatureWrong, and TimestampStale for what was signed more than 300 s before or after
    `now`. Every signature is compared with every key, whatever matched before.
    """
    named = {name: delivery.header(name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    for name, value in named.items():
        if not value:
            raise SignatureMissing(f"the header {name} is missing")
    key, timestamp, given = named.values()
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise SignatureWrong("the header webhook-timestamp is no number of seconds")
    signed = b"%b.%b.%b" % (
        key.encode("latin-1", "replace"),  # header text is what WSGI decoded from bytes that way
        timestamp.encode(),
        delivery.body,
    )
    expected = [
        base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix(_PREFIX)), signed, "sha256"))
        for secret in keys
    ]
    matches = False
    for signature in given.split(" ")[:_SIGNATURES_MOST]:
        scheme, _, value = signature.partition(",")
        for right in expected:
            matches |= (scheme == "v1") & hmac.compare_digest(right, value.encode("latin-1", "replace"))
    if not matches:
        raise SignatureWrong
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise TimestampStale


def read(delivery: Delivery) -> list[Arrival | Flaw]:
    """The events of a delivery in any of the three modes. Raises WrongMediaType, NotAnEvent, Invalid and TooLarge."""
    content_type = delivery.header("Content-Type")
    media_type, charset = _media_type(content_type)
    if media_type.startswith("application/cloudevents"):
        if charset not in ("", "utf-8", "us-ascii"):
            raise WrongMediaType(f"events in {charset} are not read, only UTF-8")
        body = _json(delivery.body)
        if media_type == "application/cloudevents+json":
            return [_one(body)]
        if media_type == "application/cloudevents-batch+json":
            return _batch(body)
        raise WrongMediaType(f"events as {media_type} are not read, only as JSON")
    attributes = {
        name.lower()[3:]: value for name, value in delivery.headers.items() if name.lower().startswith("ce-")
    }
    if not attributes:
        raise WrongMediaType
    return [_one(_from_headers(attributes, content_type, delivery.body))]


INBOUND: Final = Inbound(
    verify=verify, read=read, new_secret=new_secret, check_secret=check_secret, signs_id=True
)
"""How an endpoint of the kind `cloudevents` proves and reads what is delivered to it."""


def is_reserved(type_: str, source: str) -> bool:
    """Whether only the portal itself may write events of this type or source."""
    return type_.startswith(RESERVED_TYPES) or any(
        source == prefix or source.startswith(f"{prefix}/") for prefix in RESERVED_SOURCES
    )


def storable(text: bytes) -> bool:
    """Whether PostgreSQL can keep this JSON: it has no place for U+0000."""
    return b"\\u0000" not in text or _NUL.search(text) is None


def check_attributes(
    *, source: str, event_id: str, type_: str, subject: str, extensions: Mapping[str, Json]
) -> None:
    """Check the attributes of an event that comes by call. Raises NotAnEvent, naming the attribute."""
    try:
        _parsed_attributes(
            {
                "specversion": "1.0",
                "id": event_id,
                "source": source,
                "type": type_,
                "subject": subject or None,
            }
        )
        _extensions(extensions)
    except _Flawed as flaw:
        _refuse(flaw)


def _json(body: bytes) -> Json:
    return jsonx.loads_strict(body, max_bytes=len(body))


def _batch(body: Json) -> list[Arrival | Flaw]:
    if not isinstance(body, list):
        raise NotAnEvent("a batch is a JSON array of events")
    if len(body) > BATCH_MOST:
        raise Invalid(f"the batch has {len(body)} events; at most {BATCH_MOST} are taken at once")
    found: list[Arrival | Flaw] = []
    for part in body:
        try:
            found.append(_arrival(part))
        except _Flawed as flaw:
            found.append(Flaw(flaw.attribute, flaw.reason, part))
    return found


def _one(event: Json) -> Arrival:
    try:
        return _arrival(event)
    except _Flawed as flaw:
        _refuse(flaw)


def _refuse(flaw: _Flawed) -> NoReturn:
    raise NotAnEvent(str(flaw), fields={flaw.attribute: [flaw.reason]}) from None


def _arrival(event: Json) -> Arrival:
    """One event of the JSON format. Raises _Flawed."""
    if not isinstance(event, dict):
        raise _Flawed("event", "is no JSON object")
    delivered = ordered(event)
    if not storable(delivered):
        raise _Flawed("data", "holds the character U+0000, which cannot be kept")
    at = _parsed_attributes(event)
    others = {name: value for name, value in event.items() if name not in _ATTRIBUTES and name not in _DATA}
    extensions = _extensions(others)
    return Arrival(
        id=event["id"],
        type=event["type"],
        subject=event.get("subject") or "",
        time=at,
        data=_data(event, extensions),
        source=event["source"],
        extensions=extensions,
        digest=hashlib.sha256(delivered).digest(),
    )


def ordered(event: Json) -> bytes:
    """`event` as JSON in which the order of keys says nothing."""
    try:
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _parsed_attributes(event: Mapping[str, Any]) -> datetime | None:
    """The event's time, once every attribute of the standard is checked. Raises _Flawed."""
    if event.get("specversion") != "1.0":
        raise _Flawed("specversion", "must be 1.0")
    for name in ("id", "source", "type"):
        if event.get(name) in (None, ""):
            raise _Flawed(name, "is missing")
    for name, most in _LONGEST.items():
        value = event.get(name)
        if value is None:
            continue
        _check_text(name, value)
        if not 1 <= len(value) <= most:
            raise _Flawed(name, f"must have 1 to {most} characters")
    if not _URI_REFERENCE.match(event["source"]):
        raise _Flawed("source", "must be a URI reference")
    for name, rule, what in (("dataschema", _URI, "a URI"), ("datacontenttype", _MEDIA_TYPE, "a media type")):
        value = event.get(name)
        if value is not None:
            _check_text(name, value)
            if len(value) > _EXTENSION_LONGEST or not rule.match(value):
                raise _Flawed(name, f"must be {what}")
    return _time(event.get("time"))


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _Flawed(name, "must be a string")
    if _CONTROL.search(value):
        raise _Flawed(name, "holds a control character")


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise _Flawed("time", "must be an RFC 3339 time with a zone")
    try:
        return clock.parse_rfc3339(value.upper())
    except (ValueError, OverflowError):
        raise _Flawed("time", "is no instant that exists") from None


def _extensions(given: Mapping[str, Any]) -> dict[str, Json]:
    """Extension attributes as they are kept; those whose name starts with `portal` are ours alone and left out."""
    kept: dict[str, Json] = {}
    for name, value in given.items():
        if value is None or name.startswith(RESERVED_EXTENSIONS):
            continue
        if not _EXTENSION.match(name):
            raise _Flawed(name[:80], "is no name of an attribute: use a-z and 0-9")
        if isinstance(value, str):
            _check_text(name, value)
            if len(value) > _EXTENSION_LONGEST:
                raise _Flawed(name, f"must have at most {_EXTENSION_LONGEST} characters")
        elif not isinstance(value, (bool, int)) or not -(2**31) <= value < 2**31:
            raise _Flawed(name, "must be a string, a boolean or a 32 bit integer")
        kept[name] = value
    if len(kept) > _EXTENSIONS_MOST:
        raise _Flawed("extensions", f"are too many: at most {_EXTENSIONS_MOST} are kept")
    return kept


def _data(event: Mapping[str, Any], extensions: dict[str, Json]) -> Json:
    """The event's data; what is not JSON is kept as text or base64, with its media type beside the extensions."""
    media_type, _ = _media_type(event.get("datacontenttype") or "")
    is_json = media_type == "" or media_type.endswith(("/json", "+json"))
    for name in ("dataschema", "datacontenttype"):
        if event.get(name) and (name == "dataschema" or not is_json):
            extensions[name] = event[name]
    packed = event.get("data_base64")
    if packed is None:
        return event.get("data")
    if event.get("data") is not None:
        raise _Flawed("data_base64", "stands beside data; one of the two")
    try:
        raw = base64.b64decode(packed, validate=True)
    except (TypeError, ValueError):
        raise _Flawed("data_base64", "must be base64") from None
    if media_type and is_json:
        try:
            return _json(raw)
        except Invalid as error:
            raise _Flawed("data_base64", error.message) from None
    extensions["data_base64"] = packed
    return None


def _from_headers(attributes: Mapping[str, str], content_type: str, body: bytes) -> dict[str, Json]:
    """A binary mode delivery in the JSON format: header values are percent-decoded, the body is the data."""
    event: dict[str, Json] = {name: unquote(value.strip('"')) for name, value in attributes.items()}
    media_type, charset = _media_type(content_type)
    if content_type:
        event["datacontenttype"] = content_type
    if not body:
        return event
    if media_type == "" or media_type.endswith(("/json", "+json")):
        event["data"] = _json(body)
    elif media_type.startswith("text/") or media_type.endswith(("/xml", "+xml")):
        try:
            event["data"] = body.decode(charset or "utf-8")
        except (LookupError, UnicodeDecodeError):
            raise WrongMediaType(f"the body is not in {charset or 'utf-8'}") from None
    else:
        event["data_base64"] = base64.b64encode(body).decode()
    return event


def _media_type(text: str) -> tuple[str, str]:
    """(media type, charset) of a Content-Type, in lower case; empty where it says none."""
    head, *parameters = text.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "charset":
            charset = value.strip('"').lower()
    return head.strip().lower(), charset
