"""What people and facts do to cases."""

from automations.inbox.actions.deciding import (
    Decided,
    ItemResult,
    decide_case,
    decide_each,
    dismiss_case,
    reopen_case,
    resolve_case,
)
from automations.inbox.actions.follow import follow
from automations.inbox.actions.triage import assign_case, claim_case, comment_on_case, snooze_case

__all__ = [
    "Decided",
    "ItemResult",
    "assign_case",
    "claim_case",
    "comment_on_case",
    "decide_case",
    "decide_each",
    "dismiss_case",
    "follow",
    "reopen_case",
    "resolve_case",
    "snooze_case",
]
