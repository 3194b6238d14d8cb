"""How an event is written for the sealed log: canonical JSON (RFC 8785), personal data apart, under a commitment.

The form is fixed: what was sealed years ago must come out of its row byte for byte as it was. A new member needs a
new version beside this one.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import orjson
import rfc8785

from kernel import clock, jsonx
from kernel.ids import public_id
from kernel.proof import commitment, leaf_hash
from tenants.audit.models import PRIVATE, AuditEvent, AuditLeaf

_SAFE: Final = 2**53 - 1
NO_SALT: Final = bytes(16)


def canonical(value: Any) -> bytes:
    """`value` as RFC 8785 writes it; where no float and no key beyond ASCII asks for care, ten times as fast."""
    if _easy(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    found: bytes = rfc8785.dumps(value)
    return found


def _easy(value: Any) -> bool:
    if isinstance(value, dict):
        return all(name.isascii() and _easy(item) for name, item in value.items())
    if isinstance(value, list):
        return all(_easy(item) for item in value)
    return not isinstance(value, float)


def private(event: AuditEvent) -> bytes:
    """The bytes of an event's personal data, to which its leaf is committed."""
    return canonical({name: _plain(getattr(event, name)) for name in PRIVATE})


def canon(event: AuditEvent, seq: int, committed: bytes) -> bytes:
    """The bytes of an event's leaf as number `seq` of its log."""
    members: dict[str, Any] = {
        "action": event.action,
        "actor_id": event.actor_id and str(event.actor_id),
        "actor_kind": event.actor_kind,
        "at": clock.rfc3339(event.at),
        "commitment": committed.hex(),
        "id": public_id("aud", event.id),
        "object_id": event.object_id,
        "object_type": event.object_type,
        "partner_id": event.partner_id and str(event.partner_id),
        "request_id": event.request_id,
        "seq": seq,
        "v": 1,
    }
    return canonical(members)


def line(event: AuditEvent, leaf: AuditLeaf) -> bytes:
    """An event's line in an export; an empty salt says that its personal data are erased."""
    salt = bytes(leaf.salt)
    return b'{"event":%b,"private":%b,"salt":"%b","leaf":"%b"}\n' % (
        canon(event, leaf.seq, bytes(leaf.committed)),
        private(event) if salt else b"null",
        (salt or NO_SALT).hex().encode(),
        bytes(leaf.hash).hex().encode(),
    )


def new_leaf(event: AuditEvent, seq: int) -> AuditLeaf:
    """`event` as number `seq` of its log, under a new salt."""
    salt = os.urandom(16)
    committed = bytes.fromhex(commitment(salt, private(event)))
    return AuditLeaf(
        seq=seq,
        event_id=event.id,
        salt=salt,
        committed=committed,
        hash=leaf_hash(canon(event, seq, committed)),
    )


def other_line(**members: Any) -> bytes:
    """A line of an export that is no event: header, skip or checkpoint."""
    return jsonx.dumps(members) + b"\n"


def _plain(value: Any) -> Any:
    """`value` as RFC 8785 takes it: an integer that readers of JSON would round is written as its digits."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return str(value)
    return value
