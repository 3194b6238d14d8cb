"""What stays of an act on a case: the audit row, and the decision that belongs to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from automations.inbox.enums import Decide
from automations.inbox.models import Case, Decision
from kernel.actor import Actor
from tenants.audit.actions import record


def leave_trace(
    case: Case,
    kind: Decide,
    *,
    action: str,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str = "",
    outcome: str = "",
    known: bool = False,
) -> Decision:
    """Write the audit row and the decision of one act, in its transaction; `known`: its outcome is known already."""
    audit = record(actor=actor, action=action, obj=case, now=now, before=before, after=after, reason=reason)
    return Decision.objects.create(
        case=case,
        kind=kind,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor=actor.label[:200],
        at=now,
        reason=audit.reason,
        before=audit.before,
        after=audit.after,
        step=case.step,
        fingerprint=case.fingerprint,
        outcome=outcome,
        outcome_at=now if known else None,
        audit_id=audit.id,
    )
