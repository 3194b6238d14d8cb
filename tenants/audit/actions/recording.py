"""Writing the audit: called by every action, in the transaction of what it tells of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from kernel import cards, jsonx
from kernel.actor import Actor
from kernel.models import Row
from kernel.secrets import Secret, redact
from tenants.audit.models import AuditEvent

_HIDDEN: Final = "•••"


def record(
    *,
    actor: Actor,
    action: str,
    obj: Row | tuple[str, str, str],
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    partner_id: UUID | None = None,
) -> AuditEvent:
    """Write one audit event into the schema that the connection is in.

    `obj` is a row, or (type, id, label). Of `before` and `after` only what differs is kept; a Secret is kept as dots.
    Raises RuntimeError outside a transaction: the act and its trace stand or fall together.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{action} writes its audit row outside the transaction of the act")
    kind, key, label = obj if isinstance(obj, tuple) else (obj.prefix, obj.public_id, str(obj))
    old, new = _plain(before), _plain(after)
    if old is not None and new is not None:
        same = {name for name in old if name in new and old[name] == new[name]}
        old = {name: value for name, value in old.items() if name not in same}
        new = {name: value for name, value in new.items() if name not in same}
    return AuditEvent.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        action=action,
        object_type=kind,
        object_id=key,
        object_label=label[:200],
        before=old,
        after=new,
        reason=cards.masked(redact(reason)),
        partner_id=partner_id,
        request_id=actor.request_id,
        address=actor.address,
    )


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`values` as JSON that holds no secret."""
    if values is None:
        return None
    shown = {name: _HIDDEN if isinstance(value, Secret) else value for name, value in values.items()}
    found: dict[str, Any] = jsonx.loads(redact(jsonx.dumps(shown).decode()))
    return found
